/*
 * Whatever comes as a frame of the control channel. The first byte chooses: as it is (which the
 * MAC refuses nearly always), or as the body of a frame that a key holder made, so that fuzzing
 * gets past the MAC. What was read is written and read again, and must be the same.
 */
#include <stdlib.h>

#include "base/assert.h"
#include "net/control_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static const struct tsig_key key = {
    .algorithm = TSIG_HMAC_SHA256, .secret_length = 6, .secret = "secret"};
static const struct tsig_key key_md5 = {
    .algorithm = TSIG_HMAC_MD5, .secret_length = 6, .secret = "secret"};
static const struct tsig_key *const keys[] = {&key, &key_md5};

static bool same(struct span a, struct span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static void write_and_read_again(const struct control_message *message)
{
    struct buffer frame = BUFFER_EMPTY;
    struct control_message again;
    const struct tsig_key *found = NULL;
    struct span body;

    control_message_encode(message, &key, &frame);
    struct span behind_length = {frame.bytes + 4, frame.length - 4};
    ASSERT(wire_get_u32(frame.bytes) == behind_length.length);
    ASSERT(control_message_verify(behind_length, keys, 2, &found, &body) == SG_OK);
    ASSERT(found == &key);
    ASSERT(control_message_decode(body, &again) == SG_OK);
    ASSERT(again.serial == message->serial && again.made_at == message->made_at &&
           again.expires_at == message->expires_at && again.nonce == message->nonce &&
           again.is_reply == message->is_reply && same(again.command, message->command) &&
           same(again.from, message->from) && same(again.to, message->to));
    ASSERT(!message->is_reply ||
           (again.result == message->result && same(again.error, message->error) &&
            same(again.text, message->text)));
    buffer_free(&frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const struct tsig_key *found = NULL;
    struct control_message message;
    struct span body = {bytes + 1, length - 1};

    if (length < 1) {
        return 0;
    }
    if ((bytes[0] & 1) == 0 && control_message_verify(body, keys, 2, &found, &body) != SG_OK) {
        return 0;
    }
    if (control_message_decode(body, &message) == SG_OK) {
        write_and_read_again(&message);
    }
    return 0;
}
