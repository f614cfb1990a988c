/*
 * keeper/refresh.h - the life of a secondary zone (RFC 1034 4.3.5, 1982, 1995, 1996, 7314)
 *
 *            .---------------------------- next primary <--------------.
 *            v                                                         |
 *   IDLE -> ASK -> ASKING -- newer --> WANT -> TRANSFERRING -> APPLYING |  -> IDLE
 *    ^ refresh,      |                    \_ quota    \_ broken IXFR: AXFR
 *    | NOTIFY        '__ equal, older, silent, refused ____ broken AXFR _'
 *    '--- none is left: fine if one was equal and none newer, else retry
 *
 * An SOA question goes over UDP, then over TCP on truncation, and on silence with
 * try-tcp-refresh; whoever does not take EDNS is asked without. A newer serial is fetched by IXFR
 * if the zone has a version and request-ixfr says so, else by AXFR. The check after a NOTIFY begins
 * with the primary that sent it. What was heard of a primary counts until expire_at; then the zone
 * is served no more until one is heard again.
 *
 * Pure: no clock, no socket. refresh_turn() says what to do, the keeper does it and tells what came
 * of it. Whatever happens, the zone that is served stays as it is until a whole new version was
 * committed: this decides, it changes nothing. Thread: keeper.
 */
#pragma once

#include "keeper/rate.h"
#include "keeper/refresh_settings.h"
#include "keeper/transfer_quota.h"

/* What all secondaries of a keeper share. */
struct refresh_shared {
    struct transfer_quota *quota;
    struct rate soa, startup_soa; /* serial-query-rate, of those that start apart */
    struct random_seeded random;
};

struct refresh;

/* Shared and settings are borrowed; `owner` comes back from transfer_quota_next(). A zone that has
 * nothing yet is due at once. */
struct refresh *refresh_new(struct refresh_shared *shared, const struct refresh_settings *settings,
                            void *owner, sg_time now);
void refresh_free(struct refresh *refresh); /* NULL is fine; gives its place back */
/*
 * A new configuration; the old one is borrowed until this returns. True: the primaries are the
 * same, and all goes on. False: they are asked anew, and what is out is forgotten: cancel it.
 */
bool refresh_configure(struct refresh *refresh, const struct refresh_settings *settings,
                       sg_time now);
/* What is out is forgotten (cancel it), and the primaries are asked anew. */
void refresh_restart(struct refresh *refresh, sg_time now);
/*
 * The zone has a version, from the store. `soa` is that of the primary's zone (the unsigned view).
 * `timers` as they were committed; NULL: unknown, so it is checked at once and expires as if it
 * had been heard of now.
 */
void refresh_restore(struct refresh *refresh, const struct refresh_timers *timers,
                     const struct dns_soa *soa, sg_time now);

/* It was set back, to `now`: what was to come soon is not to wait for the old time. */
void refresh_clock_set_back(struct refresh *refresh, sg_time now);

/* --- what to do ----------------------------------------------------------------------------- */

enum refresh_deed {
    REFRESH_NOTHING,  /* until refresh_wake() */
    REFRESH_ASK,      /* ask order.primary for the SOA; then refresh_replied() */
    REFRESH_TRANSFER, /* fetch the zone from order.primary; then refresh_transferred() */
    REFRESH_EXPIRE,   /* serve the zone no more, but keep it */
    REFRESH_REVIVE,   /* serve it again as it is */
};

struct refresh_order {
    const struct refresh_primary *primary;
    bool tcp;  /* ASK: over TCP; else over UDP alone */
    bool edns; /* with OPT */
    bool ixfr; /* TRANSFER: from `serial`; else AXFR */
    uint32_t serial;
};

/* Call until it returns REFRESH_NOTHING. */
enum refresh_deed refresh_turn(struct refresh *refresh, sg_time now,
                               struct refresh_order *out_order);
sg_time refresh_wake(const struct refresh *refresh);

/* --- what came of it ------------------------------------------------------------------------ */

/* The reply to an SOA question, or why there was none. */
struct refresh_reply {
    enum sg_result result; /* SG_OK: a reply came */
    uint16_t rcode;
    bool truncated, authoritative, has_soa, has_expire;
    uint32_t serial;
    uint32_t expire; /* the EXPIRE option */
};
void refresh_reply_read(const struct dns_message *message, struct refresh_reply *out_reply);

enum refresh_verdict {
    REFRESH_CURRENT,  /* the zone is up to date */
    REFRESH_EQUAL,    /* as far as that primary knows, it is: the next one is asked */
    REFRESH_NEWER,    /* a transfer is wanted */
    REFRESH_OLDER,    /* that primary is behind us: the next one, if one is left */
    REFRESH_SAME,     /* the same primary once more, in another way */
    REFRESH_NEXT,     /* the next primary */
    REFRESH_FAILED,   /* that was the last one: retry later */
    REFRESH_SPARED,   /* so it was, but another one has our serial */
    REFRESH_APPLY,    /* it has come: apply it, then refresh_applied() */
    REFRESH_UNWANTED, /* nobody waits for it (a new configuration) */
};
enum refresh_verdict refresh_replied(struct refresh *refresh, const struct refresh_reply *reply,
                                     sg_time now);

struct refresh_transfer {
    /* SG_OK: whole, settled, and it can be applied. SG_EXISTS: a single SOA, nothing newer.
     * SG_MALFORMED, SG_CONFLICT, SG_UNSUPPORTED (an rcode), SG_LIMIT: it came, and is no good.
     * Others: it did not come to its end. */
    enum sg_result result;
    uint32_t serial; /* of what came */
    bool has_expire;
    uint32_t expire;
};
enum refresh_verdict refresh_transferred(struct refresh *refresh,
                                         const struct refresh_transfer *transfer, sg_time now);
/* What was fetched is committed (`soa` is its), or SG_CONFLICT: the differences do not fit, or it
 * could not be done at all. */
enum refresh_verdict refresh_applied(struct refresh *refresh, enum sg_result result,
                                     const struct dns_soa *soa, sg_time now);

/* --- what others want ----------------------------------------------------------------------- */

enum refresh_notice {
    REFRESH_NOTICE_CHECKS,  /* asks at once */
    REFRESH_NOTICE_QUEUED,  /* asks once more when what runs is over (RFC 1996 4.4) */
    REFRESH_NOTICE_CURRENT, /* its hint says nothing new */
};
/* A NOTIFY that was let in. `from` may be no primary; `hint`: the SOA in its answer section, or
 * NULL. */
enum refresh_notice refresh_notified(struct refresh *refresh, const struct remote *from,
                                     const struct dns_soa *hint, sg_time now);
/* `refresh`, or with `whole` `retransfer`: by AXFR, whatever the serial. */
void refresh_demand(struct refresh *refresh, bool whole, sg_time now);
/* As long as it is so, each walk is a `retransfer`: what there is is of no use, whatever its
 * serial. */
void refresh_want_whole(struct refresh *refresh, bool whole);

/* For commit records and status. */
const struct refresh_timers *refresh_timers(const struct refresh *refresh);
/* What `rndc status` tells of all secondaries. */
struct refresh_counts {
    size_t transferring, queued; /* at the quota */
    size_t asking;               /* an SOA question is out */
    size_t without_zone;         /* nothing has come yet */
};
/* One more; the quota knows the rest. */
void refresh_count(const struct refresh *refresh, struct refresh_counts *counts);
/* Is an order out, or a transfer waiting for its turn? */
bool refresh_is_busy(const struct refresh *refresh);
