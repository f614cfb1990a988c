#include "base/encoding.h"
#include "base/mem.h"
#include "dnssec/key_secret.h"
#include "dnssec/keyfile.h"

enum { FORMAT_MAJOR = 1, FORMAT_MINOR = 3, SECRET_FIELD_BYTES_MAX = 1024 };

static const char *const rsa_fields[KEY_SECRET_PARTS] = {
    "Modulus", "PublicExponent", "PrivateExponent", "Prime1",
    "Prime2",  "Exponent1",      "Exponent2",       "Coefficient",
};
static const char *const scalar_fields[] = {"PrivateKey"};

static const struct {
    enum key_time time;
    const char *tag;
} times[] = {
    {KEY_CREATED, "Created"},        {KEY_PUBLISH, "Publish"},
    {KEY_ACTIVATE, "Activate"},      {KEY_REVOKE, "Revoke"},
    {KEY_INACTIVE, "Inactive"},      {KEY_DELETE, "Delete"},
    {KEY_DS_PUBLISH, "DSPublish"},   {KEY_SYNC_PUBLISH, "SyncPublish"},
    {KEY_SYNC_DELETE, "SyncDelete"},
};

/* What a .private file said so far. */
struct private_fields {
    const char *const *names; /* of the secret parts of this algorithm */
    size_t count;
    uint32_t format_minor;
    struct buffer parts[KEY_SECRET_PARTS];
    bool external;
    bool in_token;
};

static enum sg_result read_format(struct keyfile_line *line, struct private_fields *fields,
                                  struct keyfile_problem *problem)
{
    if (!keyfile_line_next(line) || !keyfile_line_is(line, "Private-key-format")) {
        return keyfile_fail(problem, SG_MALFORMED, 1, "expected Private-key-format:");
    }
    struct span version = line->value;
    const uint8_t *dot = version.length > 0 ? memchr(version.bytes, '.', version.length) : NULL;
    uint32_t major;
    if (dot == NULL || version.bytes[0] != 'v' ||
        keyfile_number((struct span){version.bytes + 1, (size_t)(dot - version.bytes) - 1}, 99,
                       &major) != SG_OK ||
        keyfile_number((struct span){dot + 1, version.length - (size_t)(dot - version.bytes) - 1},
                       99, &fields->format_minor) != SG_OK) {
        return keyfile_fail(problem, SG_MALFORMED, line->number, "not a format version");
    }
    if (major != FORMAT_MAJOR) {
        return keyfile_fail(problem, SG_UNSUPPORTED, line->number, "unknown format version");
    }
    return SG_OK;
}

static enum sg_result read_algorithm(struct keyfile_line *line, const struct signing_key *key,
                                     struct private_fields *fields, struct keyfile_problem *problem)
{
    uint32_t algorithm;
    if (!keyfile_line_next(line) || !keyfile_line_is(line, "Algorithm") ||
        keyfile_number(line->value, UINT8_MAX, &algorithm) != SG_OK) {
        return keyfile_fail(problem, SG_MALFORMED, line->number, "expected Algorithm:");
    }
    if (algorithm != key->algorithm) {
        return keyfile_fail(problem, SG_BAD_KEY, line->number,
                            "the algorithm is not that of the .key file");
    }
    bool rsa = dnssec_algorithm_is_rsa(algorithm);
    fields->names = rsa ? rsa_fields : scalar_fields;
    fields->count = rsa ? ARRAY_LEN(rsa_fields) : ARRAY_LEN(scalar_fields);
    return SG_OK;
}

static enum sg_result read_secret(const struct keyfile_line *line, struct buffer *part,
                                  struct keyfile_problem *problem)
{
    if (part->length > 0) {
        return keyfile_fail(problem, SG_MALFORMED, line->number, "a field comes twice");
    }
    if (line->value.length == 0 || line->value.length > SECRET_FIELD_BYTES_MAX) {
        return keyfile_fail(problem, SG_MALFORMED, line->number, "the field has a wrong size");
    }
    /* Room for all of it at once: growing would leave copies of a secret behind. */
    buffer_reserve(part, SECRET_FIELD_BYTES_MAX);
    if (base64_decode(line->value, part) != SG_OK || part->length == 0) {
        return keyfile_fail(problem, SG_MALFORMED, line->number, "not base64");
    }
    return SG_OK;
}

static enum sg_result read_link(const struct keyfile_line *line, bool *has, uint16_t *link)
{
    uint32_t number;
    enum sg_result result = keyfile_number(line->value, UINT16_MAX, &number);
    if (result == SG_OK) {
        *has = true;
        *link = (uint16_t)number;
    }
    return result;
}

/* Fields beside the secret ones. SG_NOT_FOUND: not one of these. */
static enum sg_result read_metadata(const struct keyfile_line *line, struct signing_key *key,
                                    struct private_fields *fields)
{
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        if (keyfile_line_is(line, times[i].tag)) {
            return keyfile_time(line->value, &key->times[times[i].time]);
        }
    }
    struct key_state *state = &key->state;
    if (keyfile_line_is(line, "Predecessor")) {
        return read_link(line, &state->has_predecessor, &state->predecessor);
    }
    if (keyfile_line_is(line, "Successor")) {
        return read_link(line, &state->has_successor, &state->successor);
    }
    if (keyfile_line_is(line, "Label") || keyfile_line_is(line, "Engine")) {
        fields->in_token = true;
        return SG_OK;
    }
    if (keyfile_line_is(line, "External")) {
        fields->external = true;
        return SG_OK;
    }
    uint32_t ignored; /* BIND reads these and never uses them */
    if (keyfile_line_is(line, "MaxTTL") || keyfile_line_is(line, "RollPeriod")) {
        return keyfile_number(line->value, UINT32_MAX, &ignored);
    }
    return SG_NOT_FOUND;
}

static enum sg_result read_field(const struct keyfile_line *line, struct signing_key *key,
                                 struct private_fields *fields, struct keyfile_problem *problem)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (keyfile_line_is(line, fields->names[i])) {
            return read_secret(line, &fields->parts[i], problem);
        }
    }
    enum sg_result result = read_metadata(line, key, fields);
    if (result == SG_NOT_FOUND && fields->format_minor > FORMAT_MINOR) {
        return SG_OK; /* a later minor version may add fields */
    }
    if (result != SG_OK) {
        return keyfile_fail(problem, SG_MALFORMED, line->number,
                            result == SG_NOT_FOUND ? "unknown field" : "bad value");
    }
    return SG_OK;
}

static enum sg_result take_secret(const struct private_fields *fields, struct signing_key *key,
                                  struct keyfile_problem *problem)
{
    if (fields->in_token) {
        return keyfile_fail(problem, SG_UNSUPPORTED, 0,
                            "the private key is in a token (Label:), which is not supported");
    }
    struct span parts[KEY_SECRET_PARTS] = {{NULL, 0}};
    size_t present = 0;
    for (size_t i = 0; i < fields->count; i++) {
        parts[i] = buffer_span(&fields->parts[i]);
        present += parts[i].length > 0;
    }
    if (fields->external && present == 0) {
        return SG_OK; /* someone else signs with it */
    }
    if (present != fields->count) {
        return keyfile_fail(problem, SG_MALFORMED, 0, "a part of the private key is missing");
    }
    key->secret = key_secret_new(key->algorithm, parts);
    return SG_OK;
}

enum sg_result keyfile_private_read(struct span text, struct signing_key *key,
                                    struct keyfile_problem *problem)
{
    ASSERT(key->secret == NULL && key->dnskey.length > 0);
    struct private_fields fields = {0};
    struct keyfile_line line = keyfile_lines(text);

    enum sg_result result = read_format(&line, &fields, problem);
    if (result == SG_OK) {
        result = read_algorithm(&line, key, &fields, problem);
    }
    while (result == SG_OK && keyfile_line_next(&line)) {
        result = line.number <= KEYFILE_LINES_MAX
                     ? read_field(&line, key, &fields, problem)
                     : keyfile_fail(problem, SG_MALFORMED, line.number, "too many lines");
    }
    if (result == SG_OK) {
        result = take_secret(&fields, key, problem);
    }
    for (size_t i = 0; i < KEY_SECRET_PARTS; i++) {
        buffer_wipe(&fields.parts[i]);
    }
    return result;
}

void keyfile_private_write(const struct signing_key *key, struct buffer *out_text)
{
    ASSERT(key->secret != NULL);
    /* Room for all of it at once: growing would leave copies of a secret behind. */
    buffer_reserve(out_text, 2 * key->secret->length + 1024); /* base64 takes four for three */
    buffer_format(out_text, "Private-key-format: v%d.%d\nAlgorithm: %u (%s)\n", FORMAT_MAJOR,
                  FORMAT_MINOR, key->algorithm, dnssec_algorithm_text(key->algorithm));
    bool rsa = dnssec_algorithm_is_rsa(key->algorithm);
    const char *const *names = rsa ? rsa_fields : scalar_fields;
    size_t count = rsa ? ARRAY_LEN(rsa_fields) : ARRAY_LEN(scalar_fields);
    for (size_t i = 0; i < count; i++) {
        buffer_format(out_text, "%s: ", names[i]);
        base64_encode(key->secret->parts[i], out_text);
        buffer_append_u8(out_text, '\n');
    }
    if (key->state.has_predecessor) {
        buffer_format(out_text, "Predecessor: %u\n", key->state.predecessor);
    }
    if (key->state.has_successor) {
        buffer_format(out_text, "Successor: %u\n", key->state.successor);
    }
    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        char digits[TIME_TEXT_BYTES];
        if (key->times[times[i].time] != KEY_TIME_UNSET) {
            time_to_digits(key->times[times[i].time], digits);
            buffer_format(out_text, "%s: %s\n", times[i].tag, digits);
        }
    }
}
