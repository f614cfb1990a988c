#include "server/stats.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

const char *stats_counter_text(enum stats_counter counter)
{
    static const char *const texts[STATS_COUNTERS] = {
        [STATS_UDP] = "requests over UDP",
        [STATS_TCP] = "requests over TCP",
        [STATS_IPV6] = "requests over IPv6",
        [STATS_EDNS] = "requests with EDNS",
        [STATS_DNSSEC_OK] = "requests with DO",
        [STATS_SIGNED] = "requests with TSIG",
        [STATS_QUERIES] = "queries",
        [STATS_POSITIVE] = "answers with data",
        [STATS_NODATA] = "answers without data",
        [STATS_NXDOMAIN] = "answers NXDOMAIN",
        [STATS_REFERRAL] = "referrals",
        [STATS_REFUSED] = "refused",
        [STATS_SERVFAIL] = "failed",
        [STATS_FORMERR] = "malformed",
        [STATS_NOTIMP] = "not implemented",
        [STATS_NOTAUTH] = "not authoritative",
        [STATS_BADVERS] = "EDNS version not implemented",
        [STATS_TRUNCATED] = "truncated responses",
        [STATS_CHAOS] = "queries of class CH",
        [STATS_NOTIFIES] = "notifies",
        [STATS_UPDATES] = "updates",
        [STATS_TRANSFERS] = "transfers started",
        [STATS_TRANSFERS_REFUSED] = "transfers refused",
        [STATS_TSIG_FAILED] = "TSIG failures",
        [STATS_DROPPED] = "dropped",
    };
    return texts[counter];
}

void stats_init(struct stats *stats)
{
    stats->first = NULL;
}

void stats_clear(struct stats *stats)
{
    struct stats_block *next;

    for (struct stats_block *at = stats->first; at != NULL; at = next) {
        next = at->next;
        free(at);
    }
    stats->first = NULL;
}

struct stats_block *stats_take(struct stats *stats)
{
    struct stats_block *first = __atomic_load_n(&stats->first, __ATOMIC_ACQUIRE);

    for (struct stats_block *at = first; at != NULL; at = at->next) {
        bool taken = false;
        if (__atomic_compare_exchange_n(&at->taken, &taken, true, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
            return at;
        }
    }
    /* mem_alloc() aligns for any type of the language, not for cache lines. */
    struct stats_block *block = aligned_alloc(_Alignof(struct stats_block), sizeof(*block));
    ASSERT(block != NULL);
    memset(block, 0, sizeof(*block));
    block->taken = true;
    do {
        block->next = first;
    } while (!__atomic_compare_exchange_n(&stats->first, &first, block, true, __ATOMIC_RELEASE,
                                          __ATOMIC_RELAXED));
    return block;
}

void stats_give_back(struct stats_block *block)
{
    __atomic_store_n(&block->taken, false, __ATOMIC_RELEASE);
}

void stats_sum(const struct stats *stats, struct stats_counts *out_counts)
{
    memset(out_counts, 0, sizeof(*out_counts));
    for (const struct stats_block *at = __atomic_load_n(&stats->first, __ATOMIC_ACQUIRE);
         at != NULL; at = at->next) {
        for (size_t i = 0; i < STATS_COUNTERS; i++) {
            out_counts->counters[i] += __atomic_load_n(&at->counters[i], __ATOMIC_RELAXED);
        }
    }
}
