/*
 * zone/history.h - the changesets of a zone that secondaries may still ask for (RFC 1995 5)
 *
 * A chain of immutable links, the newest first, one a published version. Net threads read it
 * inside an epoch and take a reference to each link that they stream from; the keeper adds and
 * trims. All zones' bytes are counted against one budget.
 *
 * One that is all zero is empty; it ends with zone_history_clear() and a grace period.
 *
 * Thread: the keeper changes; any thread collects.
 */
#pragma once

#include "base/buffer.h"
#include "base/epoch.h"
#include "base/time.h"
#include "dns/rrset.h"

struct dns_name;
struct zone_history_link; /* one changeset: bytes, serials, SOAs, a reference count */

/*
 * A link that is in no history yet, with one reference. Takes the bytes, whatever they are: they
 * are looked at from end to end, so that nobody has to do so who streams them. Thread: a worker.
 */
struct zone_history_link *zone_history_link_new(const struct dns_name *apex,
                                                struct buffer *changeset);
uint32_t zone_history_serial_from(const struct zone_history_link *link);
uint32_t zone_history_serial_to(const struct zone_history_link *link);
struct span zone_history_changeset(const struct zone_history_link *link);
/* The public SOA before and behind it; for links of a history they have its serials. */
const struct dns_rrset *zone_history_soa_from(const struct zone_history_link *link);
const struct dns_rrset *zone_history_soa_to(const struct zone_history_link *link);

enum {
    ZONE_HISTORY_LINKS_MAX = 16384,
    /* A chain of so many records at most is condensed before its size is judged (answer/ixfr.c):
     * some 10 ms of a net thread. */
    ZONE_HISTORY_CONDENSED_RECORDS_MAX = 65536,
};
struct zone_history {
    struct zone_history_link *newest; /* epoch_publish() */
    struct zone_history_link *oldest; /* for the keeper alone, like all below */
    size_t bytes, links;
    uint64_t records; /* RRs that its links delete and add */
    bool ambiguous;   /* the newest serial was served with two contents: no link may begin there */
};

/* Where a link comes from. */
struct zone_history_commit {
    uint64_t number; /* under which the store has it; 0: it has it not */
    sg_time at;      /* when it was made */
};

/* What may be kept of a history. */
struct zone_history_limits {
    size_t bytes_max;
    uint64_t records_max;
    sg_time at_min; /* INT64_MIN: whatever its age */
};

/*
 * Add the link that leads to the version that is about to be published. Takes the reference. A
 * link that does not continue the chain (serial_from is not the newest serial_to) or with `breaks`
 * set begins a new chain: what was there is dropped. One that does not raise the serial is no
 * link; where it changes what is public, the serial is ambiguous, as by
 * zone_history_be_ambiguous(). Of malformed bytes, and of such as do not lead from a SOA of the one
 * serial to a SOA of the other, only the break is left. At most ZONE_HISTORY_LINKS_MAX links.
 */
void zone_history_add(struct zone_history *history, struct zone_history_link *link, bool breaks,
                      const struct zone_history_commit *commit);
/* Of the oldest link: the store has to keep that commit and those after it. UINT64_MAX: there is no
 * link. */
uint64_t zone_history_oldest_commit(const struct zone_history *history);
/* When the oldest link was made. INT64_MAX: there is no link. */
sg_time zone_history_oldest_at(const struct zone_history *history);
/* Drop the oldest links until what is left is within the limits. */
void zone_history_trim(struct zone_history *history, const struct zone_history_limits *limits);
/* One of them. There is any. */
void zone_history_drop_oldest(struct zone_history *history);
void zone_history_clear(struct zone_history *history);
/* The next version has other contents and no higher serial. Whoever is at that serial may have
 * either: what was there is dropped, and the next difference, which begins at it, is no link. */
void zone_history_be_ambiguous(struct zone_history *history);

/*
 * The links that lead from `serial` to the newest, oldest first, each referenced. Returns how
 * many, 0: the serial is not known (any more), or needs more than `links_max`; then answer the
 * whole zone. The last one's serial_to may be newer than a version that was read before: stop at
 * `serial_to`. Thread: any, inside an epoch.
 */
size_t zone_history_collect(const struct zone_history *history, uint32_t serial, uint32_t serial_to,
                            const struct zone_history_link **out_links, size_t links_max);
void zone_history_unref(const struct zone_history_link *link); /* NULL is fine. Thread: any */
