/*
 * answer/axfr.h - a whole zone as a stream of messages (RFC 5936)
 *
 * Holds a reference to its version and a cursor, nothing else: the caller asks for the next
 * message whenever the connection can take one. Messages of about 16 KiB keep names within
 * compression's reach; one record that is larger gets a message as large as it needs.
 */
#pragma once

#include "answer/answer.h"

struct axfr;
/* `version` is referenced until axfr_free(). The whole signed view. Thread: any one at a time. */
struct axfr *axfr_new(const struct zone_version *version, const struct dns_message *question);
void axfr_free(struct axfr *axfr);
/*
 * The next message into `out_bytes` (capacity DNS_MESSAGE_BYTES_MAX), TSIG included if `tsig` is
 * not NULL. Returns its length; 0 when the transfer is at its end.
 */
size_t axfr_next(struct axfr *axfr, struct tsig_exchange *tsig, sg_time now, uint8_t *out_bytes);
/* Too much is kept for its version: it is not to go on. Thread: any. */
bool axfr_is_unwanted(const struct axfr *axfr);
/* For the log line: messages, records and bytes made so far. */
struct axfr_totals {
    uint64_t messages, records, bytes;
    bool broken; /* it ended before the last SOA: a record fits no message */
};
struct axfr_totals axfr_totals(const struct axfr *axfr);
