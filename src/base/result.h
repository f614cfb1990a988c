/*
 * base/result.h - how a function that can fail says so
 *
 * Outputs are set only when a function returns SG_OK. Normal outcomes of DNS (NODATA, referral,
 * ...) are enums of their own room, not results.
 */
#pragma once

#include "base/assert.h"

enum sg_result {
    SG_OK = 0,
    SG_NOT_FOUND,   /* what was asked for does not exist */
    SG_EXISTS,      /* it exists already */
    SG_OUT_OF_ZONE, /* an owner name that is not at or below the apex */
    SG_MALFORMED,   /* bytes or text that do not follow their format */
    SG_LIMIT,       /* a named bound would be exceeded */
    SG_NO_SPACE,    /* the output buffer or the disk is full */
    SG_DENIED,      /* not allowed: an access list, a file mode */
    SG_REFUSED,     /* nobody listens there: a connection refused, a port unreachable */
    SG_UNSUPPORTED, /* well formed, but not something Signet does */
    SG_CONFLICT,    /* it contradicts what is there */
    SG_CRYPTO,      /* the cryptographic library refused */
    SG_BAD_KEY,     /* TSIG BADKEY, or a key file that does not fit its zone */
    SG_BAD_SIG,     /* TSIG BADSIG, or a signature that does not verify */
    SG_BAD_TIME,    /* TSIG BADTIME */
    SG_IO,          /* the operating system failed; errno tells */
    SG_TIMEOUT,     /* a peer or a job did not answer in time */
    SG_CANCELLED,   /* shut down, or no longer wanted */
    SG_IN_DOUBT,    /* done or not: nobody knows until somebody looks */
    SG_RESULTS      /* how many there are */
};

/* A few words in operators' language, such as "not found". Never NULL. Thread: any. */
const char *sg_result_text(enum sg_result result);
