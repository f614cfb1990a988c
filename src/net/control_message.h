/*
 * net/control_message.h - one message of the control channel, in rndc's wire format
 *
 *   frame   u32 length of what follows, u32 version, `_auth`, `_ctrl`, `_data`
 *   entry   u8 length and bytes of its name, u8 type, u32 length and bytes of its value
 *
 * The three are tables, i.e. entries whose value is entries again; scalars are ASCII text,
 * numbers in decimal. `_auth` holds an HMAC over everything behind itself. Names of keys are not
 * sent: the receiver tries those it has. Entries that we do not know are skipped by their length,
 * however deep they nest.
 */
#pragma once

#include "base/time.h"
#include "dns/tsig.h"

enum {
    CONTROL_PORT = 953,
    CONTROL_REQUEST_BYTES_MAX = 32768, /* a frame that a server accepts */
    CONTROL_REPLY_BYTES_MAX = 1 << 20, /* a frame that rndc accepts */
    CONTROL_TEXT_BYTES_MAX = CONTROL_REPLY_BYTES_MAX - 2 * CONTROL_REQUEST_BYTES_MAX,
    CONTROL_CLOCK_SKEW_MAX = 300, /* seconds between the clocks of both ends */
    CONTROL_LIFETIME = 60,        /* seconds from `made_at` to `expires_at` */
};

/* Spans are borrowed from the frame, or from whoever fills it in. */
struct control_message {
    uint32_t serial; /* a reply echoes its request's */
    sg_time made_at;
    sg_time expires_at;
    bool is_reply;
    uint32_t nonce;   /* 0: none yet */
    struct span from; /* optional names of both ends; a reply has them swapped */
    struct span to;
    struct span command; /* the whole command line; a reply echoes it */
    uint32_t result;     /* reply: 0 is success */
    struct span error;   /* reply: what went wrong; empty on success */
    struct span text;    /* reply: output, lines separated by newlines */
};

/* Append a whole frame, its length included. */
void control_message_encode(const struct control_message *message, const struct tsig_key *key,
                            struct buffer *out_frame);

/*
 * Which key made the MAC of `frame` (without its length)? `out_body` is what the MAC covers.
 * SG_MALFORMED, SG_UNSUPPORTED (another version), SG_BAD_SIG when no key fits.
 */
MUST_USE enum sg_result control_message_verify(struct span frame,
                                               const struct tsig_key *const *keys,
                                               size_t keys_count, const struct tsig_key **out_key,
                                               struct span *out_body);
/* Read what control_message_verify() found authentic. SG_MALFORMED when a field is missing. */
MUST_USE enum sg_result control_message_decode(struct span body,
                                               struct control_message *out_message);
