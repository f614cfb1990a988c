/*
 * answer/stream.h - RRs one behind the other in the messages of a transfer (RFC 5936 2.2)
 *
 * What AXFR and IXFR have in common: messages of about 16 KiB, so that names keep within
 * compression's reach, with a larger one for a record that needs it; question and OPT in the first;
 * TSIG on the first, the last and at least every hundredth. Which RRs go is the source's business.
 */
#pragma once

#include "answer/axfr.h"
#include "answer/record.h"

enum { STREAM_QUESTION_BYTES_MAX = DNS_NAME_BYTES_MAX + 4 };

struct stream {
    struct dns_name apex;
    struct record_form form; /* of the present RRset */
    const uint8_t *rdata;    /* which RR of that comes next: packed, its length first */
    unsigned rdatas_left;
    struct span owner; /* relative */
    uint16_t rrclass;
    bool done; /* the source was at its end */
    struct axfr_totals totals;
    unsigned unsigned_messages; /* since the last signed one */
    uint16_t id, flags;
    bool edns, dnssec_ok;
    uint16_t question_length; /* name, type and class */
    uint8_t question[STREAM_QUESTION_BYTES_MAX];
};

/* Where RRsets come from. */
struct stream_source {
    /* Step to the next RRset and stream_set() it. False: there is none. */
    bool (*next)(void *argument, struct stream *stream);
    void *argument;
};

/* The first RRset is to be set next. */
void stream_start(struct stream *stream, const struct zone_version *version,
                  const struct dns_message *question);
/* Borrows both until the next is set; `owner` is relative. */
void stream_set(struct stream *stream, struct span owner, const struct dns_rrset *rrset);
/* As axfr_next(). */
size_t stream_next(struct stream *stream, const struct stream_source *source,
                   struct tsig_exchange *tsig, sg_time now, uint8_t *out_bytes);
/* All of it in one message of at most `bytes_max`, or 0: then the stream is spent. */
size_t stream_single(struct stream *stream, const struct stream_source *source,
                     struct tsig_exchange *tsig, sg_time now, uint8_t *out_bytes, size_t bytes_max);
