#include "dnssec/ecdsa_signature.h"

#include "base/assert.h"

enum { DER_INTEGER = 0x02, DER_SEQUENCE = 0x30, DER_LONG_FORM = 0x80 };

static void read_number(struct reader *reader, size_t number_bytes, uint8_t *out_raw)
{
    if (reader_u8(reader) != DER_INTEGER) {
        reader->failed = true;
    }
    struct span number = reader_span(reader, reader_u8(reader));
    while (number.length > 0 && number.bytes[0] == 0) {
        number.bytes++; /* the sign byte of a number whose top bit is set */
        number.length--;
    }
    if (reader->failed || number.length > number_bytes) {
        reader->failed = true;
        return;
    }
    memset(out_raw, 0, number_bytes - number.length);
    if (number.length > 0) {
        memcpy(out_raw + number_bytes - number.length, number.bytes, number.length);
    }
}

bool ecdsa_signature_from_der(struct span der, size_t number_bytes, uint8_t *out_raw)
{
    ASSERT(number_bytes <= ECDSA_NUMBER_BYTES_MAX);
    struct reader reader = reader_of(der);

    /* At most 102 bytes: lengths are always of the short form. */
    if (reader_u8(&reader) != DER_SEQUENCE || reader_u8(&reader) != reader_left(&reader)) {
        return false;
    }
    read_number(&reader, number_bytes, out_raw);
    read_number(&reader, number_bytes, out_raw + number_bytes);
    return !reader.failed && reader_left(&reader) == 0;
}

static void write_number(struct writer *writer, const uint8_t *raw, size_t number_bytes)
{
    while (number_bytes > 1 && raw[0] == 0) {
        raw++;
        number_bytes--;
    }
    bool sign_byte = (raw[0] & 0x80) != 0;
    writer_u8(writer, DER_INTEGER);
    writer_u8(writer, (uint8_t)(number_bytes + sign_byte));
    if (sign_byte) {
        writer_u8(writer, 0);
    }
    writer_bytes(writer, raw, number_bytes);
}

size_t ecdsa_signature_to_der(const uint8_t *raw, size_t number_bytes,
                              uint8_t out_der[ECDSA_DER_BYTES_MAX])
{
    ASSERT(number_bytes > 0 && number_bytes <= ECDSA_NUMBER_BYTES_MAX);
    struct writer writer = writer_of(out_der, ECDSA_DER_BYTES_MAX);

    writer_u8(&writer, DER_SEQUENCE);
    writer_u8(&writer, 0);
    write_number(&writer, raw, number_bytes);
    write_number(&writer, raw + number_bytes, number_bytes);
    ASSERT(!writer.failed && writer_length(&writer) - 2 < DER_LONG_FORM);
    out_der[1] = (uint8_t)(writer_length(&writer) - 2);
    return writer_length(&writer);
}
