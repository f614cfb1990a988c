/*
 * server/sig0_in.h - who signed a request with SIG(0) (RFC 2931, RFC 3007 2)
 *
 * The signer's KEY records stand in a zone of the client's view: the one it wants to update, or
 * another one that is served here. A KEY at or below a delegation is not ours to trust.
 *
 * Anybody can ask for a verification, which costs a thousand times what an answer does: each net
 * thread does a limited number a second, and beyond it such requests are refused. So nothing is
 * spent on a request that would not be let in whoever had signed it, nor where a look tells the
 * outcome.
 */
#pragma once

#include "dnssec/sig0.h"
#include "server/request.h"

enum { SIG0_VERIFICATIONS_PER_SECOND_MAX = 100 };

/* What a net thread has left to spend. Begins all zero. */
struct sig0_allowance {
    sg_time second;
    unsigned spent;
};

/* Not an UPDATE. Would it be let in if its SIG(0) verified? Its `key` is the signer's name, which
 * nothing has proved yet. */
bool sig0_in_is_of_use(const struct request *request);
/*
 * The request has this SIG(0), and its view is chosen. SG_BAD_KEY: no such KEY is in a zone here;
 * SG_BAD_SIG, SG_BAD_TIME, SG_UNSUPPORTED; SG_LIMIT: too many in this second. Only what is neither
 * too old nor by a KEY that is not there counts as one.
 */
MUST_USE enum sg_result sig0_in_verify(const struct request *request, const struct sig0 *sig0,
                                       sg_time now, struct sig0_allowance *allowance);
