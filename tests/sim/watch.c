#include "answer/axfr.h"
#include "answer/ixfr.h"
#include "base/mem.h"
#include "dns/request.h"
#include "dns/serial.h"
#include "keeper/managed_zone.h"
#include "sim/rolls.h"

/* --- transfers out, taken apart ------------------------------------------------------------- */

/* The records of a stream of messages, in their order. */
struct stream_records {
    struct record *at;
    size_t count, capacity;
};

static void collect(struct sim_zone *zone, struct span message, struct stream_records *records)
{
    struct dns_message parsed;
    if (dns_message_parse(message, &parsed) != SG_OK) {
        world_fail(zone->world, "%s: a message of a transfer does not parse", zone->name);
    }
    size_t offset = parsed.section_offsets[0];
    for (unsigned i = 0; i < parsed.counts[1]; i++) {
        if (records->count == records->capacity) {
            records->capacity = records->capacity * 2 + 64;
            records->at = mem_resize_array(records->at, records->capacity, sizeof(*records->at));
        }
        if (!record_parse(message, offset, &records->at[records->count++], &offset)) {
            world_fail(zone->world, "%s: record %u of a transfer does not parse", zone->name, i);
        }
    }
}

/* What a secondary asks; parsed from bytes that live in `request`. */
static void ask_for(const struct sim_zone *zone, uint16_t type, struct dns_request *request,
                    struct dns_message *out_message)
{
    const struct dns_request_zone about = {.apex = &zone->apex, .rrclass = DNS_CLASS_IN};
    const struct dns_request_edns edns = {0, false};
    dns_request_query(&about, type, &edns, request);
    enum sg_result result =
        dns_message_parse((struct span){request->bytes, request->length}, out_message);
    ASSERT(result == SG_OK);
}

static void fetch_whole(struct sim_zone *zone, const struct zone_version *version,
                        struct stream_records *out_records)
{
    static uint8_t bytes[DNS_MESSAGE_BYTES_MAX];
    struct dns_request request;
    struct dns_message question;
    ask_for(zone, DNS_TYPE_AXFR, &request, &question);
    struct axfr *axfr = axfr_new(version, &question);
    for (size_t length; (length = axfr_next(axfr, NULL, zone->world->now, bytes)) > 0;) {
        collect(zone, (struct span){bytes, length}, out_records);
    }
    axfr_free(axfr);
}

/* Every record once, the SOA at both ends. */
void watch_take(struct sim_zone *zone, const struct zone_version *version, struct records *out_zone)
{
    struct stream_records stream = {0};
    fetch_whole(zone, version, &stream);
    if (stream.count < 2 || stream.at[0].type != DNS_TYPE_SOA ||
        stream.at[stream.count - 1].type != DNS_TYPE_SOA) {
        world_fail(zone->world, "%s: an AXFR without its SOAs", zone->name);
    }
    records_clear(out_zone);
    for (size_t i = 0; i + 1 < stream.count; i++) {
        if (!records_add(out_zone, &stream.at[i])) {
            world_fail(zone->world, "%s: an AXFR tells a record twice: %s", zone->name,
                       record_text(&stream.at[i]));
        }
    }
    mem_free(stream.at);
}

static const struct record *soa_of(const struct sim_zone *zone, const struct records *records)
{
    size_t at = records_find(records, &zone->apex, DNS_TYPE_SOA);
    return at < records->count && records->at[at].type == DNS_TYPE_SOA ? &records->at[at] : NULL;
}

/* --- the observer --------------------------------------------------------------------------- */

/* Differences upon the observer's copy, by the letter of RFC 1995 4. */
static void apply_differences(struct sim_zone *zone, const struct stream_records *stream)
{
    struct records *copy = &zone->observer.zone;
    bool deletes = false;
    for (size_t i = 1; i + 1 < stream->count; i++) {
        const struct record *record = &stream->at[i];
        deletes = record->type == DNS_TYPE_SOA ? !deletes : deletes;
        bool fits = deletes ? records_remove(copy, record, true) : records_add(copy, record);
        if (!fits) {
            world_fail(zone->world, "%s: an IXFR from %u %s what %s: %s", zone->name,
                       zone->observer.serial, deletes ? "deletes" : "adds",
                       deletes ? "is not there" : "is there already", record_text(record));
        }
    }
}

/* False: there is none. */
static bool fetch_differences(struct sim_zone *zone, const struct zone_version *version)
{
    static const struct zone_history_link *links[ZONE_HISTORY_LINKS_MAX];
    static uint8_t bytes[DNS_MESSAGE_BYTES_MAX];
    struct stream_records stream = {0};
    struct dns_request request;
    struct dns_message question;
    struct ixfr *ixfr;
    size_t count =
        zone_history_collect(&zone->settings->slot->history, zone->observer.serial,
                             zone_version_facts(version)->serial, links, ZONE_HISTORY_LINKS_MAX);
    if (count == 0) {
        return false;
    }
    ask_for(zone, DNS_TYPE_IXFR, &request, &question);
    enum sg_result result = ixfr_new(version, links, count, 0, &question, &ixfr);
    if (result != SG_OK) {
        world_fail(zone->world, "%s: no IXFR from history: %s", zone->name, sg_result_text(result));
    }
    for (size_t length; (length = ixfr_next(ixfr, NULL, zone->world->now, bytes)) > 0;) {
        collect(zone, (struct span){bytes, length}, &stream);
    }
    ixfr_free(ixfr);
    apply_differences(zone, &stream);
    mem_free(stream.at);
    return true;
}

void watch_observe(struct sim_zone *zone)
{
    struct observer *observer = &zone->observer;
    const struct zone_version *version = zone->settings->slot->version;
    if (version == NULL) {
        return;
    }
    uint32_t serial = zone_version_facts(version)->serial;
    if (observer->zone.count > 0 && observer->serial == serial) {
        return;
    }
    /* A serial that is not above its own is none of a secondary's concern; and one that passes in
     * silence leads over versions that it has never seen: it needs a retransfer. */
    bool passed_in_silence = zone->standing.is_behind && !zone->standing.is_heard;
    if (zone->standing.is_behind && serial_compare(serial, observer->serial) <= 0) {
        return;
    }
    zone->standing.is_behind = false;
    struct records whole = {0};
    watch_take(zone, version, &whole);
    if (observer->zone.count > 0 && !passed_in_silence && fetch_differences(zone, version)) {
        observer->incremental++;
        if (!records_same(&whole, &observer->zone)) {
            world_fail(zone->world,
                       "%s: S4: the IXFR %u -> %u gives another zone than the AXFR: %s", zone->name,
                       observer->serial, serial, records_difference(&whole, &observer->zone));
        }
    } else {
        observer->whole++;
        records_copy(&whole, &observer->zone);
    }
    observer->serial = serial;
    records_clear(&whole);
}

/* --- what is published ---------------------------------------------------------------------- */

/* A source that came from a primary is one of its versions, and not one before the last. */
static void check_primary(struct sim_zone *zone, const struct records *source, uint32_t serial)
{
    const struct primary *primary = zone->primary;
    for (size_t i = 0; i < primary->count; i++) {
        if (primary->serials[i] != serial) {
            continue;
        }
        if (!records_same(&primary->versions[i], source)) {
            world_fail(zone->world, "%s: serial %u is not what the primary had: %s", zone->name,
                       serial, records_difference(&primary->versions[i], source));
        }
        return;
    }
    world_fail(zone->world, "%s: the primary never had serial %u", zone->name, serial);
}

/* S1: what was acknowledged is there, and nothing that was not asked for. */
static void check_source(struct sim_zone *zone, const struct records *published,
                         uint32_t source_serial)
{
    struct records source = {0}, nearest = {0};
    records_unsigned(published, &source);
    if (zone->primary != NULL) {
        check_primary(zone, &source, source_serial);
        if (zone->seen.any && serial_compare(source_serial, zone->seen.source_serial) < 0) {
            world_fail(zone->world, "%s: S3: the primary's serial went back from %u to %u",
                       zone->name, zone->seen.source_serial, source_serial);
        }
    } else if (!model_see(&zone->model, &source, &nearest)) {
        world_fail(zone->world, "%s: S1: not what was asked for and acknowledged: %s", zone->name,
                   records_difference(&nearest, &source));
    }
    records_clear(&source);
}

/* S3: another version has a greater serial; the same serial is the same version. */
static void check_serial(struct sim_zone *zone, const struct records *published, uint32_t serial)
{
    const struct seen *seen = &zone->seen;
    const struct record *soa = soa_of(zone, published);
    if (soa == NULL || record_serial(soa) != serial) {
        world_fail(zone->world, "%s: the SOA's serial is not the version's %u", zone->name, serial);
    }
    if (!seen->any) {
        return;
    }
    bool same = records_same(published, &seen->zone);
    int order = serial_compare(serial, seen->serial);
    if (same ? order != 0 : order <= 0) {
        world_fail(zone->world, "%s: S3: serial %u follows %u, %s: %s", zone->name, serial,
                   seen->serial, same ? "with no difference" : "with differences",
                   records_difference(&seen->zone, published));
    }
}

/* Is the denial of existence what it was, to the salt? Else it was signed whole. */
static bool has_same_chain(const struct sim_zone *zone, enum sim_denial before,
                           const struct records *published)
{
    const struct records *seen = &zone->seen.zone;
    if (zone->denial_served != before || before == SIM_NSEC) {
        return zone->denial_served == before;
    }
    if (!records_have(seen, &zone->apex, DNS_TYPE_NSEC3PARAM) ||
        !records_have(published, &zone->apex, DNS_TYPE_NSEC3PARAM)) {
        return false;
    }
    const struct record *old = &seen->at[records_find(seen, &zone->apex, DNS_TYPE_NSEC3PARAM)];
    const struct record *new =
        &published->at[records_find(published, &zone->apex, DNS_TYPE_NSEC3PARAM)];
    return old->length == new->length &&memcmp(old->rdata, new->rdata, old->length) == 0;
}

/* Whatever happens to a zone here is told as a difference: nobody has to fetch it whole again. Not
 * so where all of it is signed anew by another policy, or its secondary had another lineage. */
static void check_history(struct sim_zone *zone, const struct records *published, uint32_t serial,
                          bool is_whole)
{
    static const struct zone_history_link *links[ZONE_HISTORY_LINKS_MAX];
    /* By another clock what is new may be too old; and what was signed while it had expired nobody
     * could fetch in its hour. */
    sg_duration age = zone->settings->limits.journal_age_max;
    bool was_away = zone->seen.was_away && zone->world->now > zone->seen.at + age;
    bool was_held = zone->world->now > rolls_signed_at(zone, published) + age;
    bool is_aged = age != 0 && (was_away || was_held || zone->seen.skews != zone->world->skews);
    bool is_anew = is_whole || zone->is_changing || zone->standing.begins_anew || is_aged;
    if (!zone->seen.any || zone->seen.restarted || is_anew || zone->seen.serial == serial) {
        return;
    }
    size_t count = zone_history_collect(&zone->settings->slot->history, zone->seen.serial, serial,
                                        links, ZONE_HISTORY_LINKS_MAX);
    for (size_t i = 0; i < count; i++) {
        zone_history_unref(links[i]);
    }
    zone->world->tally.differences += count > 0;
    if (count == 0 && !rolls_signs_anew(zone, published)) {
        world_fail(zone->world, "%s: S4: no difference leads from %u to %u", zone->name,
                   zone->seen.serial, serial);
    }
}

static void remember(struct sim_zone *zone, const struct zone_version *version,
                     struct records *published)
{
    struct seen *seen = &zone->seen;
    if (seen->version != NULL) {
        zone_version_unref(seen->version);
    }
    records_clear(&seen->zone);
    seen->zone = *published;
    seen->version = zone_version_ref(version);
    seen->serial = zone_version_facts(version)->serial;
    seen->source_serial = zone_version_facts(version)->source_serial;
    seen->at = zone->world->now;
    seen->skews = zone->world->skews;
    seen->any = true;
    seen->restarted = seen->was_away = false;
    seen->versions++;
}

/* Which versions may still be told whole: those as long as its secondary is asked what it has, and
 * the one that is above what it said then; what is in doubt stays so until then. */
static void note_lineage(struct sim_zone *zone, uint32_t serial)
{
    struct standing *standing = &zone->standing;
    struct zone_status status;
    managed_zone_status(zone->managed, &status);
    bool is_above = standing->above == 0 || serial_compare(serial, standing->above) > 0;
    bool is_in_doubt = status.unheard > 0 || zone->settings->slot->history.ambiguous;
    standing->begins_anew &= standing->is_behind || is_in_doubt || !is_above;
}

/* Signed here, or as it came: never in between. While its policy changes it may be either. */
static void check_signed(struct sim_zone *zone, const struct zone_version *version,
                         const struct records *published)
{
    bool signed_here = zone_version_facts(version)->signed_here;
    bool is_wanted = sim_zone_is_signed(zone) && !rolls_may_be_unsigned(zone, published);
    struct records source = {0};
    if (signed_here != is_wanted && !zone->is_changing) {
        world_fail(zone->world, "%s: is served %s signatures", zone->name,
                   signed_here ? "with" : "without");
    }
    records_unsigned(published, &source);
    if (!signed_here && source.count + 1 != published->count) {
        world_fail(zone->world, "%s: is not signed, and has records that only signing makes",
                   zone->name);
    }
    records_clear(&source);
    /* What nobody signs any more may have expired over a restart. */
    bool is_renewed = signed_here && (is_wanted || !zone->seen.restarted);
    sg_time expires_at = is_renewed ? valid_check(zone, published) : 0;
    zone->seen.expires_at = is_wanted ? expires_at : 0;
    zone->is_changing &=
        signed_here != is_wanted || (is_wanted && zone->denial_served != zone->denial);
}

static void look_at(struct sim_zone *zone, const struct zone_version *version)
{
    struct records published = {0};
    const struct zone_facts *facts = zone_version_facts(version);
    watch_take(zone, version, &published);
    world_say(zone->world, "%s: published %u (source %u), %zu records, digest %016llx", zone->name,
              facts->serial, facts->source_serial, published.count,
              (unsigned long long)records_digest(&published));
    check_source(zone, &published, facts->source_serial);
    if (zone->seen.restarted) {
        model_forget(&zone->model);
    }
    check_serial(zone, &published, facts->serial);
    enum sim_denial before = zone->denial_served;
    bool was_changing = zone->is_changing;
    check_signed(zone, version, &published);
    bool is_whole = was_changing || (sim_zone_is_signed(zone) && zone->seen.any &&
                                     !has_same_chain(zone, before, &published));
    check_history(zone, &published, facts->serial, is_whole);
    note_lineage(zone, facts->serial);
    if (zone->caches != NULL) {
        caches_see_zone(zone, &published);
    }
    remember(zone, version, &published);
    if (world_chance(zone->world, 60)) {
        watch_observe(zone);
    }
}

/* What was due while nothing could be written, and is served on, expires in the end; when it can be
 * written again, that is tried within minutes. */
static bool could_be_refreshed(const struct sim_zone *zone)
{
    const struct world *world = zone->world;
    const struct kasp_policy *policy = zone->settings->policy;
    sg_time due = zone->seen.expires_at - (policy != NULL ? policy->signatures_refresh : 0);
    bool was_lame = world->is_lame || world->now < world->lame_until + 10 * SG_MINUTE;
    return !was_lame || world->lame_since > due + SG_HOUR;
}

void watch_zone(struct sim_zone *zone)
{
    const struct zone_version *version = zone->settings->slot->version;
    zone->seen.was_away |= version == NULL;
    if (version != NULL && version != zone->seen.version) {
        look_at(zone, version);
    }
    if (version != NULL && zone->seen.expires_at != 0 && !zone->world->times_lie &&
        zone->seen.expires_at <= zone->world->now && could_be_refreshed(zone)) {
        world_fail(zone->world, "%s: a signature has expired at %lld and is served", zone->name,
                   (long long)(zone->seen.expires_at - SIM_EPOCH));
    }
}

void watch_times(struct sim_zone *zone)
{
    const struct zone_version *version = zone->settings->slot->version;
    bool is_served = version != NULL && version == zone->seen.version; /* it may have expired */
    bool is_signed =
        is_served && sim_zone_is_signed(zone) && zone_version_facts(version)->signed_here;
    zone->seen.expires_at = is_signed ? valid_check(zone, &zone->seen.zone) : 0;
    if (zone->caches != NULL) {
        caches_begin_anew(zone);
    }
}

void watch_clear(struct sim_zone *zone)
{
    if (zone->seen.version != NULL) {
        zone_version_unref(zone->seen.version);
    }
    records_clear(&zone->seen.zone);
    records_clear(&zone->observer.zone);
}
