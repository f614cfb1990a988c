#include "answer/record.h"

uint8_t *record_write_compressed(uint16_t type, struct span rdata, struct compress *compress,
                                 uint8_t *at, const uint8_t *end)
{
    size_t skipped = dns_rdata_name_offset(type, rdata);
    const uint8_t *name = rdata.bytes + skipped;
    uint8_t *length_at = at;

    if ((size_t)(end - at) < RECORD_LENGTH_BYTES + skipped) {
        return NULL;
    }
    at += RECORD_LENGTH_BYTES;
    memcpy(at, rdata.bytes, skipped);
    at += skipped;
    for (unsigned left = dns_rdata_names(type).count; left > 0; left--) {
        size_t length = dns_name_wire_length(name);
        at = compress_write(compress, (struct span){name, length - 1}, COMPRESS_CASE_KEPT, at, end);
        if (at == NULL) {
            return NULL;
        }
        name += length;
    }
    size_t rest = (size_t)(rdata.bytes + rdata.length - name);
    if ((size_t)(end - at) < rest) {
        return NULL;
    }
    memcpy(at, name, rest);
    at += rest;
    wire_put_u16(length_at, (uint16_t)(at - length_at - RECORD_LENGTH_BYTES));
    return at;
}
