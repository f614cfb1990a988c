#include "conf/fingerprint.h"

#include "base/siphash.h"
#include "conf/print.h"

struct print_hash {
    uint64_t all, content, updates;
};

static uint64_t hash_text(const struct buffer *text)
{
    static const uint8_t key[16] = "signet zone text";
    return siphash(key, text->bytes, text->length);
}

/* What the policy or the options come to, as text: the same at each load, unlike pointers. */
static const struct print_hash *hash_of(struct fingerprints *fingerprints,
                                        struct conf_memory *scratch,
                                        const struct kasp_policy *policy,
                                        const struct conf_zone_options *options)
{
    const void *identity[2] = {policy, options};
    struct print_hash *hash = conf_names_find(&fingerprints->hashes, identity, sizeof(identity));
    struct buffer text = BUFFER_EMPTY;

    if (hash != NULL) {
        return hash;
    }
    hash = conf_memory_take_zero(scratch, 1, sizeof(*hash));
    if (policy != NULL) {
        print_policy(policy, &text);
        hash->all = hash->content = hash_text(&text);
    } else {
        print_zone_content(options, 0, &text);
        hash->content = hash_text(&text);
        print_zone_service(options, 0, &text);
        print_zone_secrets(options, &text);
        hash->all = hash_text(&text);
        buffer_clear(&text);
        print_zone_updates(options, &text);
        hash->updates = hash_text(&text);
    }
    buffer_wipe(&text);
    const void *key = conf_memory_copy(scratch, identity, sizeof(identity));
    (void)conf_names_add(&fingerprints->hashes, key, sizeof(identity), hash);
    return hash;
}

static void append_number(struct buffer *bytes, uint64_t number)
{
    buffer_append(bytes, &number, sizeof(number));
}

void fingerprint_zone(struct fingerprints *fingerprints, struct conf_memory *scratch,
                      struct conf_zone *zone)
{
    struct buffer *bytes = &fingerprints->bytes;
    const struct print_hash *options = hash_of(fingerprints, scratch, NULL, zone->options);
    uint64_t policy =
        zone->policy == NULL ? 0 : hash_of(fingerprints, scratch, zone->policy, NULL)->all;
    const char *texts[] = {zone->name, zone->view->name, zone->file, zone->journal,
                           zone->policy == NULL ? NULL : zone->key_directory};

    buffer_clear(bytes);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        const char *text = texts[i] == NULL ? "" : texts[i];
        buffer_append(bytes, text, strlen(text) + 1);
    }
    append_number(bytes, zone->rrclass);
    append_number(bytes, (uint64_t)zone->type * 2 + zone->inline_signing);
    append_number(bytes, conf_zone_is_dynamic(zone));
    append_number(bytes, policy);
    append_number(bytes, options->content);
    zone->content_fingerprint = hash_text(bytes);
    append_number(bytes, options->all);
    zone->fingerprint = hash_text(bytes);
    zone->updates_fingerprint = options->updates;
}

void fingerprints_free(struct fingerprints *fingerprints)
{
    conf_names_free(&fingerprints->hashes);
    buffer_free(&fingerprints->bytes);
}
