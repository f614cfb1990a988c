#include "server/signing_text.h"

#include "dnssec/algorithm.h"

enum {
    KEY_BYTES = 5,       /* algorithm, tag, its signatures go, complete */
    CHAIN_BYTES_MIN = 6, /* 0, then as NSEC3PARAM: hash, flags, iterations, length of the salt */
    CHAIN_FLAGS_PRIVATE = 0xf0,
    CHAIN_NO_NSEC = 0x10,
    CHAIN_INITIAL = 0x20,
    CHAIN_REMOVE = 0x40,
};

static void begin_line(struct buffer *out_text)
{
    if (out_text->length > 0) {
        buffer_append_text(out_text, "\n");
    }
}

static void append_key(struct span rdata, struct buffer *out_text)
{
    static const char *const words[2][2] = {
        {"Signing with", "Done signing with"},
        {"Removing signatures for", "Done removing signatures for"},
    };
    begin_line(out_text);
    buffer_format(out_text, "%s key %u/%s", words[rdata.bytes[3] != 0][rdata.bytes[4] != 0],
                  wire_get_u16(rdata.bytes + 1), dnssec_algorithm_text(rdata.bytes[0]));
}

static void append_chain(struct span rdata, struct buffer *out_text)
{
    unsigned flags = rdata.bytes[2];
    unsigned salt_length = rdata.bytes[5];
    bool goes = (flags & CHAIN_REMOVE) != 0;
    begin_line(out_text);
    buffer_format(out_text, "%s NSEC3 chain %u %u %u ",
                  (flags & CHAIN_INITIAL) != 0 ? "Pending"
                  : goes                       ? "Removing"
                                               : "Creating",
                  rdata.bytes[1], flags & ~(unsigned)CHAIN_FLAGS_PRIVATE,
                  wire_get_u16(rdata.bytes + 3));
    for (unsigned i = 0; i < salt_length; i++) {
        buffer_format(out_text, "%02X", rdata.bytes[CHAIN_BYTES_MIN + i]);
    }
    buffer_append_text(out_text, salt_length == 0 ? "-" : "");
    buffer_append_text(out_text,
                       goes && (flags & CHAIN_NO_NSEC) == 0 ? " / creating NSEC chain" : "");
}

bool signing_text_append(struct span rdata, struct buffer *out_text)
{
    if (rdata.length == KEY_BYTES && rdata.bytes[0] != 0) {
        append_key(rdata, out_text);
        return true;
    }
    if (rdata.length >= CHAIN_BYTES_MIN && rdata.bytes[0] == 0 &&
        rdata.length == (size_t)CHAIN_BYTES_MIN + rdata.bytes[5]) {
        append_chain(rdata, out_text);
        return true;
    }
    return false;
}
