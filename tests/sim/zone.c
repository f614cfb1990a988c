#include <errno.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "base/encoding.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "dns/text.h"
#include "dnssec/keystore.h"
#include "sim/rolls.h"

enum {
    NAMES = 24,
    SECRET_BYTES = 32,
    FIRST_RECORDS = 12,
    KEY_TAG_TRIES_MAX = 20,
    SHORT_TTL_MAX = 340, /* exactly what records have at most */
};

static const char *const kind_names[SIM_KINDS] = {"file",           "dynamic",   "signed-file",
                                                  "signed-dynamic", "secondary", "bump"};

bool sim_zone_is_signed(const struct sim_zone *zone)
{
    return zone->policy != NULL;
}

/* It may be signed, at some time: secondaries get and lose their policy. */
static bool has_keys(const struct sim_zone *zone)
{
    return zone->kind != SIM_FILE && zone->kind != SIM_DYNAMIC;
}

bool sim_zone_is_dynamic(const struct sim_zone *zone)
{
    return zone->kind == SIM_DYNAMIC || zone->kind == SIM_SIGNED_DYNAMIC;
}

/* --- records -------------------------------------------------------------------------------- */

static bool has_long_ttl(const struct sim_zone *zone, const struct dns_name *owner, uint16_t type)
{
    return zone->long_ttl != 0 && (owner->wire[1] + type) % 3 == 0;
}

/* One TTL for each RRset, so that the order of additions does not matter. */
static uint32_t ttl_of(const struct sim_zone *zone, const struct dns_name *owner, uint16_t type)
{
    return has_long_ttl(zone, owner, type) ? zone->long_ttl
                                           : 300 + (owner->wire[1] * 7U + type) % 40;
}

uint32_t sim_zone_asked_ttl(const struct sim_zone *zone, const struct record *record)
{
    bool is_lowered = zone->asked_ttl != 0 && has_long_ttl(zone, &record->owner, record->type);
    return is_lowered ? zone->asked_ttl : record->ttl;
}

/*
 * In a third of the signed zones policies understate the TTLs: by saying that there is no limit,
 * which is planned for as a week, or since a primary's zone is taken as it is. What an update asks
 * for is lowered to the limit, and a file that is above it refused (sim_zone_break_file()).
 */
static void draw_ttls(struct sim_zone *zone)
{
    struct random_seeded *random = &zone->world->ttls_random;
    zone->max_ttl = SHORT_TTL_MAX;
    if (!has_keys(zone) || random_seeded_below(random, 3) != 0) {
        return;
    }
    bool comes = zone->kind == SIM_SECONDARY || zone->kind == SIM_BUMP;
    uint32_t days = 1 + random_seeded_below(random, 3);
    if (random_seeded_below(random, 2) == 0 || zone->kind == SIM_SIGNED_FILE) {
        zone->max_ttl = 0;
        zone->long_ttl = (uint32_t)(SG_WEEK + days * SG_DAY);
    } else if (comes) {
        zone->long_ttl = (uint32_t)(days * SG_DAY);
    } else {
        zone->long_ttl = SHORT_TTL_MAX;
        zone->asked_ttl = (uint32_t)(days * SG_DAY);
    }
}

static void set_rdata(struct record *record, const char *text, const struct dns_name *origin)
{
    struct buffer rdata = BUFFER_EMPTY;
    const char *error = "";
    enum sg_result result =
        dns_rdata_from_text(record->type, text, strlen(text), origin, &rdata, &error);
    ASSERT(result == SG_OK && rdata.length <= RECORD_RDATA_BYTES_MAX);
    memcpy(record->rdata, rdata.bytes, rdata.length);
    record->length = (uint16_t)rdata.length;
    buffer_free(&rdata);
}

static void make(const struct sim_zone *zone, const char *owner, uint16_t type, const char *rdata,
                 struct record *out_record)
{
    memset(out_record, 0, sizeof(*out_record));
    enum sg_result result =
        dns_name_from_text(owner, strlen(owner), &zone->apex, &out_record->owner);
    ASSERT(result == SG_OK);
    out_record->type = type;
    out_record->ttl = ttl_of(zone, &out_record->owner, type);
    set_rdata(out_record, rdata, &zone->apex);
}

void sim_zone_soa(const struct sim_zone *zone, uint32_t serial, struct record *out_soa)
{
    char rdata[120];
    snprintf(rdata, sizeof(rdata), "ns hostmaster %u 21600 3600 1209600 300", serial);
    make(zone, "@", DNS_TYPE_SOA, rdata, out_soa);
}

static const char *draw_label(struct world *world, char out_text[40])
{
    static const char *const shapes[] = {"h%u", "h%u", "h%u", "h%u.sub", "*.w%u", "a.b.e%u"};
    snprintf(out_text, 40, shapes[world_draw(world, 6)], world_draw(world, NAMES));
    return out_text;
}

static void draw_host_record(struct sim_zone *zone, const char *owner, struct record *out_record)
{
    struct world *world = zone->world;
    char rdata[80];
    switch (world_draw(world, 4)) {
    case 0:
        snprintf(rdata, sizeof(rdata), "192.0.2.%u", world_draw(world, 250));
        make(zone, owner, DNS_TYPE_A, rdata, out_record);
        break;
    case 1:
        snprintf(rdata, sizeof(rdata), "2001:db8::%x", world_draw(world, 60000));
        make(zone, owner, DNS_TYPE_AAAA, rdata, out_record);
        break;
    case 2:
        snprintf(rdata, sizeof(rdata), "\"text %u\"", world_draw(world, 1000));
        make(zone, owner, DNS_TYPE_TXT, rdata, out_record);
        break;
    default:
        snprintf(rdata, sizeof(rdata), "%u ns", world_draw(world, 30));
        make(zone, owner, DNS_TYPE_MX, rdata, out_record);
        break;
    }
}

/* A delegation, its glue, and with `secure` its DS; or none of it. */
static void draw_delegation(struct sim_zone *zone, struct model_wish *wish)
{
    static const char ds[] =
        "4711 13 2 00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF";
    struct world *world = zone->world;
    char owner[40], glue[40];
    unsigned number = world_draw(world, NAMES / 3);
    snprintf(owner, sizeof(owner), "d%u", number);
    snprintf(glue, sizeof(glue), "ns.d%u", number);
    struct model_change *changes = wish->changes;
    /* The DS goes with its delegation; both before the glue, or an address would be data of ours.
     */
    make(zone, owner, DNS_TYPE_NS, glue, &changes[0].record);
    make(zone, glue, DNS_TYPE_A, "192.0.2.53", &changes[1].record);
    make(zone, owner, DNS_TYPE_DS, ds, &changes[2].record);
    changes[0].kind = changes[1].kind = changes[2].kind = MODEL_ADD;
    wish->changes_count = 3;
    switch (world_draw(world, 3)) {
    case 0:
        changes[0].kind = changes[1].kind = MODEL_REMOVE_NAME;
        wish->changes_count = 2;
        break;
    case 1:
        changes[2].kind = MODEL_REMOVE_RRSET;
        break;
    default:
        break;
    }
}

void sim_zone_draw_wish(struct sim_zone *zone, struct model_wish *wish)
{
    struct world *world = zone->world;
    char owner[40];
    if (world_draw(world, 5) == 0) {
        draw_delegation(zone, wish);
        return;
    }
    wish->changes_count = 1 + world_draw(world, MODEL_CHANGES_MAX - 1);
    for (size_t i = 0; i < wish->changes_count; i++) {
        struct model_change *change = &wish->changes[i];
        draw_host_record(zone, draw_label(world, owner), &change->record);
        switch (world_draw(world, 8)) {
        case 0:
            change->kind = MODEL_REMOVE_NAME;
            break;
        case 1:
            change->kind = MODEL_REMOVE_RRSET;
            break;
        case 2:
            change->kind = MODEL_REMOVE;
            break;
        default:
            change->kind = MODEL_ADD;
            break;
        }
    }
}

void sim_zone_edit(struct sim_zone *zone, struct records *records, unsigned changes)
{
    struct model model = {.state = *records};
    for (unsigned i = 0; i < changes; i++) {
        struct model_wish *wish = mem_alloc_zero(1, sizeof(*wish));
        sim_zone_draw_wish(zone, wish);
        model_add(&model, wish);
        (void)model_acknowledge(&model, UINT32_MAX);
    }
    records_clear(&model.published);
    *records = model.state;
}

static void first_records(struct sim_zone *zone, struct records *records)
{
    struct record record;
    char rdata[40];
    make(zone, "@", DNS_TYPE_NS, "ns", &record);
    (void)records_add(records, &record);
    snprintf(rdata, sizeof(rdata), "192.0.2.%u", 1 + zone->number);
    make(zone, "ns", DNS_TYPE_A, rdata, &record);
    (void)records_add(records, &record);
    sim_zone_edit(zone, records, world_draw(zone->world, FIRST_RECORDS));
}

/* --- the file ------------------------------------------------------------------------------- */

void sim_zone_write_file(struct sim_zone *zone, const struct records *records, uint32_t serial)
{
    struct buffer text = BUFFER_EMPTY;
    struct record soa;
    sim_zone_soa(zone, serial, &soa);
    char *line = record_text(&soa);
    buffer_format(&text, "%s\n", line);
    mem_free(line);
    for (size_t i = 0; i < records->count; i++) {
        line = record_text(&records->at[i]);
        buffer_format(&text, "%s\n", line);
        mem_free(line);
    }
    zone->file_serial = serial;
    zone->file_writes++;
    enum sg_result result = file_write_unsynced(zone->file, 0644, buffer_span(&text));
    ASSERT(result == SG_OK);
    buffer_free(&text);
}

void sim_zone_break_file(struct sim_zone *zone)
{
    static const char half[] = "@ IN SOA only half of\n";
    static const char too_long[] = "@ 300 IN SOA ns hostmaster 4000000000 21600 3600 1209600 300\n"
                                   "@ 300 IN NS ns\nns 341 IN A 192.0.2.1\n";
    bool is_limited = zone->policy != NULL && zone->policy->max_zone_ttl == SHORT_TTL_MAX;
    bool is_half = !is_limited || random_seeded_below(&zone->world->ttls_random, 2) == 0;
    zone->file_writes++;
    enum sg_result result =
        file_write_unsynced(zone->file, 0644, span_of_text(is_half ? half : too_long));
    ASSERT(result == SG_OK);
}

/* --- keys ----------------------------------------------------------------------------------- */

static void write_key_files(const struct sim_zone *zone, struct span dnskey, struct span secret,
                            uint16_t tag)
{
    struct buffer public_text = BUFFER_EMPTY, private_text = BUFFER_EMPTY;
    buffer_format(&public_text, "%s 3600 IN DNSKEY %u 3 15 ", zone->name,
                  wire_get_u16(dnskey.bytes));
    base64_encode((struct span){dnskey.bytes + 4, dnskey.length - 4}, &public_text);
    buffer_append_text(&public_text, "\n");
    buffer_append_text(&private_text,
                       "Private-key-format: v1.3\nAlgorithm: 15 (ED25519)\nPrivateKey: ");
    base64_encode(secret, &private_text);
    buffer_append_text(&private_text, "\nCreated: 20260101000000\n");
    char *path = mem_format("keys/K%s+015+%05u.key", zone->name, tag);
    enum sg_result result = file_write_unsynced(path, 0644, buffer_span(&public_text));
    ASSERT(result == SG_OK);
    mem_free(path);
    path = mem_format("keys/K%s+015+%05u.private", zone->name, tag);
    result = file_write_unsynced(path, 0600, buffer_span(&private_text));
    ASSERT(result == SG_OK);
    mem_free(path);
    buffer_free(&public_text);
    buffer_free(&private_text);
}

/*
 * OpenSSL makes keys from bytes of its own; these are made from the seed. Ed25519 signs the same
 * bytes alike each time (RFC 8032 5.1.6).
 */
static void make_key(struct sim_zone *zone, uint16_t flags)
{
    uint8_t secret[SECRET_BYTES], dnskey[4 + 32];
    size_t length = 32;
    for (size_t i = 0; i < sizeof(secret); i++) {
        secret[i] = (uint8_t)world_draw(zone->world, 256);
    }
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, secret, sizeof(secret));
    ASSERT(pkey != NULL && EVP_PKEY_get_raw_public_key(pkey, dnskey + 4, &length) == 1);
    EVP_PKEY_free(pkey);
    wire_put_u16(dnskey, flags);
    dnskey[2] = 3;
    dnskey[3] = DNSSEC_ED25519;
    struct span rdata = {dnskey, sizeof(dnskey)};
    write_key_files(zone, rdata, (struct span){secret, sizeof(secret)}, dnskey_tag(rdata));
}

/* A roll takes a key that was made in advance: one that the keeper made would be of OpenSSL's
 * random bytes. */
static void make_spare_keys(struct sim_zone *zone)
{
    for (unsigned spares = world_draw(zone->world, 4); spares > 0; spares--) {
        make_key(zone, KEY_FLAG_ZONE);
        make_key(zone, KEY_FLAG_ZONE | KEY_FLAG_SEP);
        zone->rolls_left++;
    }
}

bool sim_zone_draw_key(struct sim_zone *zone, uint16_t *out_tag)
{
    struct key_list list;
    enum sg_result result = keystore_list("keys", &zone->apex, NULL, NULL, &list);
    ASSERT(result == SG_OK);
    uint32_t at = list.count == 0 ? 0 : world_draw(zone->world, (uint32_t)list.count);
    bool may_roll = (zone->rolls_left > 0 || zone->rolls != NULL) && list.count > 0 &&
                    list.keys[at]->state.goal == KEY_STATE_OMNIPRESENT;
    if (may_roll) {
        zone->rolls_left -= zone->rolls_left > 0;
        *out_tag = list.keys[at]->tag;
    }
    key_list_clear(&list);
    return may_roll;
}

/* True: a KSK and a ZSK, and others to roll to; else one key that does both. */
static bool make_keys(struct sim_zone *zone)
{
    bool split = world_draw(zone->world, 2) == 0;
    make_key(zone, KEY_FLAG_ZONE | KEY_FLAG_SEP);
    if (split) {
        make_key(zone, KEY_FLAG_ZONE);
        make_spare_keys(zone);
    }
    zone->keys_made = sim_zone_count_keys(zone);
    return split;
}

static struct kasp_policy *make_policy(struct sim_zone *zone, bool split, enum sim_denial denial)
{
    struct world *world = zone->world;
    struct kasp_policy *policy = kasp_policy_default();
    const struct kasp_key key = {.algorithm = DNSSEC_ED25519, .bits = 256, .tag_max = UINT16_MAX};
    policy->keys_count = split ? 2 : 1;
    policy->keys[0] = policy->keys[1] = key;
    policy->keys[0].role = split ? KASP_ROLE_KSK : KASP_ROLE_CSK;
    policy->keys[1].role = KASP_ROLE_ZSK;
    policy->purge_keys = 0;
    policy->max_zone_ttl = zone->max_ttl;
    policy->dnskey_ttl = 60;
    policy->publish_safety = policy->retire_safety = SG_MINUTE;
    policy->parent_ds_ttl = policy->parent_propagation_delay = 10 * SG_MINUTE;
    policy->nsec3 = denial != SIM_NSEC;
    policy->nsec3_opt_out = denial == SIM_OPT_OUT;
    policy->nsec3_salt_length = (uint8_t)(world_draw(world, 2) * 8);
    policy->inline_signing = zone->inline_signing;
    policy->signatures_validity = (7 + world_draw(world, 10)) * SG_DAY;
    policy->signatures_validity_dnskey = policy->signatures_validity + SG_DAY;
    policy->signatures_refresh = (3 + world_draw(world, 3)) * SG_DAY;
    policy->signatures_jitter = 5 * SG_MINUTE * world_draw(world, 3);
    return policy;
}

static enum sim_denial denial_of(const struct kasp_policy *policy)
{
    if (!policy->nsec3) {
        return SIM_NSEC;
    }
    return policy->nsec3_opt_out ? SIM_OPT_OUT : SIM_NSEC3;
}

void sim_zone_take_policy(struct sim_zone *zone, struct kasp_policy *policy)
{
    zone->policy = policy;
    if (policy != NULL) {
        zone->denial = denial_of(policy);
        zone->denials |= 1u << zone->denial;
    }
}

void sim_zone_set_policy(struct sim_zone *zone, struct kasp_policy *policy)
{
    sim_zone_take_policy(zone, policy);
    zone->is_changing = true;
    zone->seen.expires_at = 0; /* What nobody signs any more may expire; the next look tells. */
}

/* Two, so that one may take the other's place. */
static void make_policies(struct sim_zone *zone)
{
    bool split = make_keys(zone);
    zone->policies[0] = make_policy(zone, split, zone->denial);
    zone->policies[1] = make_policy(zone, split, zone->denial == SIM_NSEC ? SIM_NSEC3 : SIM_NSEC);
}

/* A policy of its own: jobs of the configuration before look at the other one still. */
bool sim_zone_change_denial(struct sim_zone *zone)
{
    struct random_seeded *random = &zone->world->denial_random;
    if (zone->policy == NULL || zone->more_count == SIM_POLICIES_MAX) {
        return false;
    }
    struct kasp_policy *policy = rolls_copy_policy(zone->policy);
    enum sim_denial denial = (enum sim_denial)(
        (zone->denial + 1 + random_seeded_below(random, SIM_DENIALS - 1)) % SIM_DENIALS);
    policy->nsec3 = denial != SIM_NSEC;
    policy->nsec3_opt_out = denial == SIM_OPT_OUT;
    policy->nsec3_salt_length = (uint8_t)(random_seeded_below(random, 2) * 8);
    zone->more_policies[zone->more_count++] = policy;
    sim_zone_take_policy(zone, policy);
    world_say(zone->world, "%s: denial=%d is wanted", zone->name, zone->denial);
    return true;
}

size_t sim_zone_count_keys(const struct sim_zone *zone)
{
    struct key_list list;
    enum sg_result result = keystore_list("keys", &zone->apex, NULL, NULL, &list);
    ASSERT(result == SG_OK);
    size_t count = list.count;
    key_list_clear(&list);
    return count;
}

uint64_t sim_zone_keys_states(const struct sim_zone *zone)
{
    static const uint8_t fixed[16] = {0};
    struct key_list list;
    uint64_t sum = 0;
    enum sg_result result = keystore_list("keys", &zone->apex, NULL, NULL, &list);
    ASSERT(result == SG_OK);
    for (size_t i = 0; i < list.count; i++) {
        const struct signing_key *key = list.keys[i];
        uint8_t facts[4 + KEY_RECORDS] = {(uint8_t)(key->tag >> 8), (uint8_t)key->tag,
                                          key->algorithm, (uint8_t)key->state.goal};
        for (int record = 0; record < KEY_RECORDS; record++) {
            facts[4 + record] = (uint8_t)key->state.records[record];
        }
        sum += siphash(fixed, facts, sizeof(facts));
    }
    key_list_clear(&list);
    return sum;
}

/* --- settings ------------------------------------------------------------------------------- */

/* Of all that may change. */
static uint64_t fingerprint(const struct sim_zone *zone)
{
    uint64_t policy = zone->policy == NULL ? SIM_POLICIES + 1 : 0;
    while (policy < SIM_POLICIES && zone->policies[policy] != zone->policy) {
        policy++;
    }
    uint64_t edits = rolls_edits(zone) + zone->more_count;
    return 1 + zone->primaries + SIM_PRIMARIES * (policy + (SIM_POLICIES + 2) * edits);
}

void sim_zone_settings(struct sim_zone *zone, struct zone_settings *out_settings)
{
    static const struct remote secondary = {
        .address = {192, 0, 2, 99}, .address_length = 4, .port = 53};
    static const struct zone_notify_settings notify = {
        .mode = NOTIFY_EXPLICIT, .delay = 5, .also = &secondary, .also_count = 1};
    bool comes = zone->primary != NULL;
    *out_settings = (struct zone_settings){
        .name = zone->name,
        .view = "_default",
        .apex = zone->apex,
        .rrclass = DNS_CLASS_IN,
        .type = comes ? ZONE_SECONDARY : ZONE_PRIMARY,
        .file = zone->file,
        .policy = zone->policy,
        .inline_signing = zone->inline_signing,
        .dynamic = sim_zone_is_dynamic(zone),
        .key_directory = "keys",
        .serial_update = zone->number % 2 == 0 ? ZONE_SERIAL_INCREMENT : ZONE_SERIAL_UNIXTIME,
        .checks = &zone_check_defaults,
        .limits = {.private_type = DNS_TYPE_PRIVATE_DEFAULT,
                   .journal_age_max = zone->number % 3 == 1 ? SG_HOUR : 0,
                   .ixfr_ratio_percent = 100},
        .notify = &notify,
        .parent = parent_settings(zone),
        .refresh = comes ? &zone->world->refresh[zone->primaries] : NULL,
        .transfer_time_max = SG_HOUR,
        .transfer_idle_max = SG_HOUR,
        .access = zone,
        .fingerprint = fingerprint(zone),
    };
    zone->settings = out_settings;
}

static void make_primary(struct sim_zone *zone, const struct records *records)
{
    zone->primary = mem_alloc_zero(1, sizeof(*zone->primary));
    records_copy(records, &zone->primary->versions[0]);
    zone->primary->serials[0] = 1 + world_draw(zone->world, 2000000000);
    zone->primary->count = 1;
}

static void name_zone(struct sim_zone *zone, struct world *world, unsigned number)
{
    zone->world = world;
    zone->number = number;
    zone->name = mem_format("z%u.sim.", number);
    zone->file = mem_format("z%u.db", number);
    enum sg_result result = dns_name_from_text(zone->name, strlen(zone->name), NULL, &zone->apex);
    ASSERT(result == SG_OK);
}

void sim_zone_new_rolling(struct world *world, unsigned number, struct kasp_policy *policy,
                          struct sim_zone *out_zone)
{
    struct sim_zone *zone = out_zone;
    struct records records = {0};
    name_zone(zone, world, number);
    zone->kind = SIM_SIGNED_DYNAMIC;
    zone->denial = SIM_NSEC;
    zone->denials = 1u << zone->denial;
    zone->inline_signing = policy->inline_signing;
    first_records(zone, &records);
    sim_zone_write_file(zone, &records, 1 + world_draw(world, 100000));
    zone->model.state = records;
    rolls_begin_with(zone, policy);
    zone->standing.begins_anew = true;
}

void sim_zone_new(struct world *world, unsigned number, struct sim_zone *out_zone)
{
    struct sim_zone *zone = out_zone;
    struct records records = {0};
    name_zone(zone, world, number);
    zone->kind = (enum sim_kind)world_draw(world, SIM_KINDS);
    draw_ttls(zone);
    zone->denial = (enum sim_denial)world_draw(world, SIM_DENIALS);
    zone->denials = 1u << zone->denial;
    zone->inline_signing = zone->kind != SIM_SIGNED_DYNAMIC || world_draw(world, 2) == 0;
    first_records(zone, &records);
    if (zone->kind == SIM_SECONDARY || zone->kind == SIM_BUMP) {
        make_primary(zone, &records);
        records_clear(&records);
    } else {
        sim_zone_write_file(zone, &records, 1 + world_draw(world, 100000));
        zone->model.state = records;
    }
    if (has_keys(zone)) {
        make_policies(zone);
        zone->denials |= 1u << denial_of(zone->policies[1]);
    }
    zone->policy = zone->kind == SIM_SECONDARY ? NULL : zone->policies[0];
    if (zone->policy != NULL) {
        rolls_begin(zone);
    }
    /* After a crash nobody can tell whether its secondary got a serial from us or from before. */
    zone->standing.begins_anew = zone->primary == NULL || zone->policy != NULL;
    world_say(world, "zone %s %s denial=%d inline=%d, TTLs up to %u of %u", zone->name,
              kind_names[zone->kind], zone->denial, zone->inline_signing,
              zone->long_ttl != 0 ? zone->long_ttl : SHORT_TTL_MAX, zone->max_ttl);
}

void sim_zone_free(struct sim_zone *zone)
{
    model_clear(&zone->model);
    watch_clear(zone);
    primary_free(zone->primary);
    rolls_end(zone);
    kasp_policy_free(zone->policies[0]);
    kasp_policy_free(zone->policies[1]);
    for (size_t i = 0; i < zone->more_count; i++) {
        kasp_policy_free(zone->more_policies[i]);
    }
    records_clear(&zone->standing.saved);
    mem_free(zone->name);
    mem_free(zone->file);
}
