/*
 * server/transfer_out.h - AXFR and IXFR questions: who gets the zone, and what the log says
 *
 * An IXFR gets the differences since its serial where the zone's history still has them, they are
 * not larger than max-ixfr-ratio allows, and provide-ixfr does not say no; else the whole zone, or
 * over UDP the SOA alone (RFC 1995 2, 4).
 *
 * The transfer itself is a net_stream over answer/axfr.h or ixfr.h: it holds references to its
 * version and changesets and copies of all else, so reloads and new versions do not touch it.
 */
#pragma once

#include "server/request.h"

/* Counted over all threads. */
struct transfer_quota {
    unsigned running; /* relaxed atomic */
};

/* What a question for a transfer may use besides its request. */
struct transfer_desk {
    struct transfer_quota *quota;
    struct nsec3_hasher *hasher;
    struct answer *answer; /* room for one */
};

/*
 * Answer the question of type AXFR or IXFR. Either a response, whose length is returned, or, over
 * TCP, 0 and `out_stream`. Thread: net, inside an epoch.
 */
size_t transfer_out_answer(const struct transfer_desk *desk, struct request *request,
                           uint8_t *out_bytes, size_t bytes_max, struct net_stream **out_stream);
