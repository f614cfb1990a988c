#include "answer/ixfr.h"

#include "answer/ixfr_condense.h"
#include "answer/stream.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "zone/diff.h"

/*
 * RFC 1995 4: the new SOA; then each difference as the old SOA, what is deleted, its new SOA, what
 * is added; the new SOA again. A chain that was condensed is one difference.
 */
enum phase {
    PHASE_FIRST_SOA,
    PHASE_OLD_SOA,
    PHASE_DELETED,
    PHASE_NEW_SOA,
    PHASE_ADDED,
    PHASE_LAST
};

struct ixfr {
    const struct zone_history_link **links;
    size_t count;
    bool is_condensed;
    struct ixfr_condensed condensed;
    enum phase phase;
    size_t difference;               /* which link */
    struct zone_changeset_walk walk; /* of its changeset */
    size_t record;                   /* which one comes next, of those that were condensed */
    struct stream stream;
};

/* --- where it stands ------------------------------------------------------------------------ */

static bool set_soa(struct ixfr *ixfr, const struct dns_rrset *soa)
{
    stream_set(&ixfr->stream, (struct span){NULL, 0}, soa);
    return true;
}

static const struct dns_rrset *newest_soa(const struct ixfr *ixfr)
{
    return zone_history_soa_to(ixfr->links[ixfr->count - 1]);
}

static void begin_part(struct ixfr *ixfr, enum phase phase)
{
    ixfr->phase = phase;
    ixfr->record = 0;
    if (!ixfr->is_condensed) {
        ixfr->walk = zone_changeset_walk(zone_history_changeset(ixfr->links[ixfr->difference]));
    }
}

static bool next_condensed(struct ixfr *ixfr, bool added)
{
    while (ixfr->record < ixfr->condensed.count) {
        const struct ixfr_record *record = &ixfr->condensed.records[ixfr->record++];
        if (record->was != added && record->is == added) {
            const struct dns_rrset rrset = {
                .packed = record->packed, .ttl = record->ttl, .type = record->type, .count = 1};
            stream_set(&ixfr->stream, (struct span){record->owner, record->owner_length}, &rrset);
            return true;
        }
    }
    return false;
}

/* The next RRset of the present part. */
static bool next_of_part(struct ixfr *ixfr, bool added)
{
    if (ixfr->is_condensed) {
        return next_condensed(ixfr, added);
    }
    while (zone_changeset_next(&ixfr->walk)) {
        const struct zone_change *change = &ixfr->walk.change;
        const struct dns_rrset *rrset = added ? &change->added : &change->deleted;
        if (ixfr_is_told(change) && rrset->count > 0) {
            stream_set(&ixfr->stream, change->owner, rrset);
            return true;
        }
    }
    return false;
}

static bool is_last_difference(const struct ixfr *ixfr)
{
    return ixfr->is_condensed || ixfr->difference + 1 == ixfr->count;
}

static bool next_rrset(void *argument, struct stream *stream)
{
    struct ixfr *ixfr = argument;

    (void)stream; /* It is the transfer's own. */
    switch (ixfr->phase) {
    case PHASE_FIRST_SOA:
        ixfr->phase = PHASE_OLD_SOA;
        return set_soa(ixfr, zone_history_soa_from(ixfr->links[0]));
    case PHASE_OLD_SOA:
        begin_part(ixfr, PHASE_DELETED);
        /* fall through */
    case PHASE_DELETED:
        if (next_of_part(ixfr, false)) {
            return true;
        }
        ixfr->phase = PHASE_NEW_SOA;
        return set_soa(ixfr, ixfr->is_condensed
                                 ? newest_soa(ixfr)
                                 : zone_history_soa_to(ixfr->links[ixfr->difference]));
    case PHASE_NEW_SOA:
        begin_part(ixfr, PHASE_ADDED);
        /* fall through */
    case PHASE_ADDED:
        if (next_of_part(ixfr, true)) {
            return true;
        }
        if (!is_last_difference(ixfr)) {
            ixfr->phase = PHASE_OLD_SOA;
            return set_soa(ixfr, zone_history_soa_from(ixfr->links[++ixfr->difference]));
        }
        ixfr->phase = PHASE_LAST;
        return set_soa(ixfr, newest_soa(ixfr));
    case PHASE_LAST:
        break;
    }
    return false;
}

/* --- is it fit to be told ------------------------------------------------------------------- */

/* Does each link begin where the one before it ends, and the last one end at the version? What is
 * in them was looked at when they were made. */
static bool check_links(const struct ixfr *ixfr, const struct zone_version *version)
{
    struct dns_rrset soa;
    for (size_t i = 1; i < ixfr->count; i++) {
        if (!zone_diff_same_rrset(zone_history_soa_from(ixfr->links[i]),
                                  zone_history_soa_to(ixfr->links[i - 1]))) {
            return false;
        }
    }
    return zone_node_rrset(zone_version_apex_node(version), ZONE_VIEW_SIGNED, DNS_TYPE_SOA, &soa) &&
           zone_diff_same_rrset(&soa, newest_soa(ixfr));
}

static bool is_too_large(const struct zone_version *version, uint64_t records,
                         unsigned ratio_percent)
{
    return ratio_percent > 0 &&
           records > zone_version_facts(version)->records * ratio_percent / 100;
}

/* Records that all changesets tell, as their headers say. */
static uint64_t count_records(const struct ixfr *ixfr)
{
    uint64_t records = 0;
    for (size_t i = 0; i < ixfr->count; i++) {
        struct zone_changeset_header header;
        if (zone_changeset_header(zone_history_changeset(ixfr->links[i]), &header) == SG_OK) {
            records += header.deleted + header.added;
        }
    }
    return records;
}

static enum sg_result prepare(struct ixfr *ixfr, const struct zone_version *version,
                              unsigned ratio_percent)
{
    uint64_t records = count_records(ixfr);
    bool condense = ixfr->count > 1 && records <= ZONE_HISTORY_CONDENSED_RECORDS_MAX;
    /* To condense makes it smaller, else it is as large as it is. */
    if (!condense && is_too_large(version, records, ratio_percent)) {
        return SG_LIMIT;
    }
    if (!check_links(ixfr, version)) {
        return SG_MALFORMED;
    }
    if (!condense) {
        return SG_OK;
    }
    ixfr->is_condensed = true;
    ixfr_condense(ixfr->links, ixfr->count, &ixfr->condensed);
    records = ixfr->condensed.deleted + ixfr->condensed.added + 2; /* both SOAs */
    return is_too_large(version, records, ratio_percent) ? SG_LIMIT : SG_OK;
}

enum sg_result ixfr_new(const struct zone_version *version,
                        const struct zone_history_link *const *links, size_t count,
                        unsigned ratio_percent, const struct dns_message *question,
                        struct ixfr **out_ixfr)
{
    struct ixfr *ixfr = mem_alloc_zero(1, sizeof(*ixfr));

    ASSERT(count > 0);
    ixfr->links = mem_copy(links, count * sizeof(const struct zone_history_link *));
    ixfr->count = count;
    enum sg_result result = prepare(ixfr, version, ratio_percent);
    if (result != SG_OK) {
        ixfr_free(ixfr);
        return result;
    }
    ixfr->phase = PHASE_FIRST_SOA;
    stream_start(&ixfr->stream, version, question);
    set_soa(ixfr, newest_soa(ixfr));
    *out_ixfr = ixfr;
    return SG_OK;
}

void ixfr_free(struct ixfr *ixfr)
{
    if (ixfr == NULL) {
        return;
    }
    for (size_t i = 0; i < ixfr->count; i++) {
        zone_history_unref(ixfr->links[i]);
    }
    ixfr_condensed_clear(&ixfr->condensed);
    mem_free(ixfr->links);
    mem_free(ixfr);
}

size_t ixfr_next(struct ixfr *ixfr, struct tsig_exchange *tsig, sg_time now, uint8_t *out_bytes)
{
    const struct stream_source source = {next_rrset, ixfr};

    return stream_next(&ixfr->stream, &source, tsig, now, out_bytes);
}

size_t ixfr_single(struct ixfr *ixfr, struct tsig_exchange *tsig, sg_time now, uint8_t *out_bytes,
                   size_t bytes_max)
{
    const struct stream_source source = {next_rrset, ixfr};

    return stream_single(&ixfr->stream, &source, tsig, now, out_bytes, bytes_max);
}

struct axfr_totals ixfr_totals(const struct ixfr *ixfr)
{
    return ixfr->stream.totals;
}
