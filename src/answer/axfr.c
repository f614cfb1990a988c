#include "answer/axfr.h"

#include "answer/stream.h"
#include "base/mem.h"

/* What is sent now; the SOA goes first and last (RFC 5936 2.2). */
enum phase { PHASE_FIRST_SOA, PHASE_NAMES, PHASE_NSEC3, PHASE_LAST_SOA, PHASE_DONE };

/* Where the transfer stands: two cursors, one inside the other, and the stream's inside those. */
struct axfr {
    const struct zone_version *version;
    enum phase phase;
    struct zone_cursor cursor;   /* which name */
    struct zone_rrset_walk walk; /* which of its RRsets */
    struct span owner;           /* relative */
    struct stream stream;
};

static void set_soa(struct axfr *axfr)
{
    struct dns_rrset soa;

    if (!zone_node_rrset(zone_version_apex_node(axfr->version), ZONE_VIEW_SIGNED, DNS_TYPE_SOA,
                         &soa)) {
        UNREACHABLE(); /* invariant (1) of a version */
    }
    stream_set(&axfr->stream, (struct span){NULL, 0}, &soa);
}

/* The next RRset of the present name. The SOA has its own places in the stream. */
static bool next_of_name(struct axfr *axfr)
{
    while (zone_node_walk_next(&axfr->walk)) {
        if (axfr->walk.rrset.type != DNS_TYPE_SOA) {
            stream_set(&axfr->stream, axfr->owner, &axfr->walk.rrset);
            return true;
        }
    }
    return false;
}

/* The next RRset of the present name or of a later one. False: the walk is over. */
static bool next_of_walk(struct axfr *axfr)
{
    while (!next_of_name(axfr)) {
        if (!zone_cursor_next(&axfr->cursor)) {
            return false;
        }
        axfr->walk = zone_node_walk(&axfr->cursor.node, ZONE_VIEW_SIGNED);
        axfr->owner = zone_node_owner(&axfr->cursor.node);
    }
    return true;
}

/* Step to the next RRset, through the phases. False: there is none. */
static bool next_rrset(void *argument, struct stream *stream)
{
    struct axfr *axfr = argument;

    (void)stream; /* It is the transfer's own. */
    switch (axfr->phase) {
    case PHASE_FIRST_SOA:
        axfr->phase = PHASE_NAMES;
        zone_cursor_start(&axfr->cursor, axfr->version);
        /* fall through */
    case PHASE_NAMES:
        if (next_of_walk(axfr)) {
            return true;
        }
        axfr->phase = PHASE_NSEC3;
        zone_cursor_start_nsec3(&axfr->cursor, axfr->version);
        /* fall through */
    case PHASE_NSEC3:
        if (next_of_walk(axfr)) {
            return true;
        }
        axfr->phase = PHASE_LAST_SOA;
        set_soa(axfr);
        return true;
    case PHASE_LAST_SOA:
    case PHASE_DONE:
        break;
    }
    axfr->phase = PHASE_DONE;
    return false;
}

struct axfr *axfr_new(const struct zone_version *version, const struct dns_message *question)
{
    struct axfr *axfr = mem_alloc_zero(1, sizeof(*axfr));

    axfr->version = zone_version_ref(version);
    axfr->phase = PHASE_FIRST_SOA;
    stream_start(&axfr->stream, version, question);
    set_soa(axfr);
    return axfr;
}

void axfr_free(struct axfr *axfr)
{
    if (axfr != NULL) {
        zone_version_unref(axfr->version);
        mem_free(axfr);
    }
}

size_t axfr_next(struct axfr *axfr, struct tsig_exchange *tsig, sg_time now, uint8_t *out_bytes)
{
    const struct stream_source source = {next_rrset, axfr};

    return stream_next(&axfr->stream, &source, tsig, now, out_bytes);
}

bool axfr_is_unwanted(const struct axfr *axfr)
{
    return zone_version_is_unwanted(axfr->version);
}

struct axfr_totals axfr_totals(const struct axfr *axfr)
{
    return axfr->stream.totals;
}
