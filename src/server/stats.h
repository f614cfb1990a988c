/*
 * server/stats.h - counters of the front desk: each thread writes its own, the keeper sums them
 *
 * A counter is written by one thread with a plain relaxed store, so counting costs an addition
 * and no bus traffic. Blocks of threads that ended are handed to the next thread, sums included.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum stats_counter {
    STATS_UDP,
    STATS_TCP,
    STATS_IPV6,
    STATS_EDNS,
    STATS_DNSSEC_OK,
    STATS_SIGNED, /* with a TSIG that verified */
    STATS_QUERIES,
    STATS_POSITIVE,
    STATS_NODATA,
    STATS_NXDOMAIN,
    STATS_REFERRAL,
    STATS_REFUSED,
    STATS_SERVFAIL,
    STATS_FORMERR,
    STATS_NOTIMP,
    STATS_NOTAUTH,
    STATS_BADVERS,
    STATS_TRUNCATED,
    STATS_CHAOS,
    STATS_NOTIFIES,
    STATS_UPDATES,
    STATS_TRANSFERS,         /* begun */
    STATS_TRANSFERS_REFUSED, /* denied, or over transfers-out */
    STATS_TSIG_FAILED,
    STATS_DROPPED, /* too short, a response, from a suspicious port */
    STATS_COUNTERS
};

struct stats_counts {
    uint64_t counters[STATS_COUNTERS];
};

/* "queries", "answers without data": for status and the statistics file. */
const char *stats_counter_text(enum stats_counter counter);

/* One thread's counters, on cache lines of their own. */
struct stats_block {
    _Alignas(64) uint64_t counters[STATS_COUNTERS];
    struct stats_block *next;
    bool taken;
};

struct stats {
    struct stats_block *first;
};

void stats_init(struct stats *stats);
void stats_clear(struct stats *stats); /* no thread counts any more */

/* A block for the calling thread alone, to be given back. Thread: any. */
struct stats_block *stats_take(struct stats *stats);
void stats_give_back(struct stats_block *block);

static inline void stats_count(struct stats_block *block, enum stats_counter counter)
{
    uint64_t value = __atomic_load_n(&block->counters[counter], __ATOMIC_RELAXED);
    __atomic_store_n(&block->counters[counter], value + 1, __ATOMIC_RELAXED);
}

void stats_sum(const struct stats *stats, struct stats_counts *out_counts);
