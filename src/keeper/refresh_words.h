/*
 * keeper/refresh_words.h - why a primary was of no use, in words that say what to do about it
 *
 * For the log and zonestatus. Pure. Thread: any.
 */
#pragma once

#include "keeper/refresh.h"

/* One question, or one transfer, that failed. */
struct refresh_failure {
    const char *from; /* the primary: `192.0.2.1#53` */
    const char *key;  /* the name of the TSIG key; NULL: none */
    bool transfer;    /* else the SOA was asked for */
    /* SG_OK: a reply came that is of no use. SG_UNSUPPORTED: a transfer's rcode. Others: none
     * came. */
    enum sg_result result;
    uint16_t rcode;
    bool truncated, authoritative, has_soa; /* SG_OK */
    uint32_t serial, ours;                  /* has_soa: what it has, which is older than ours */
    uint64_t records;                       /* that had come of a transfer */
};

/* One line without an end, such as "REFUSED by 192.0.2.1#53, TSIG key 'x': ...". Owned. */
char *refresh_failure_text(const struct refresh_failure *failure);
