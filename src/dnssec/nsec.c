#include "dnssec/nsec.h"

#include "dns/nsec_bitmap.h"

static void append_bitmap(struct buffer *out_rdata, const uint16_t *types, size_t count)
{
    buffer_reserve(out_rdata, NSEC_BITMAP_BYTES_MAX);
    struct writer writer =
        writer_of(out_rdata->bytes + out_rdata->length, out_rdata->capacity - out_rdata->length);
    nsec_bitmap_write(&writer, types, count);
    ASSERT(!writer.failed);
    out_rdata->length += writer_length(&writer);
}

void nsec_rdata_write(const struct dns_name *next_owner, const uint16_t *types, size_t count,
                      struct buffer *out_rdata)
{
    buffer_append(out_rdata, next_owner->wire, next_owner->length);
    append_bitmap(out_rdata, types, count);
}

static void append_params(struct buffer *out_rdata, const struct nsec3_params *params,
                          uint8_t flags)
{
    buffer_append_u8(out_rdata, params->algorithm);
    buffer_append_u8(out_rdata, flags);
    buffer_append_u16(out_rdata, params->iterations);
    buffer_append_u8(out_rdata, params->salt_length);
    buffer_append(out_rdata, params->salt, params->salt_length);
}

void nsec3_rdata_write(const struct nsec3_params *params, const uint8_t next_hash[NSEC3_HASH_BYTES],
                       const uint16_t *types, size_t count, struct buffer *out_rdata)
{
    append_params(out_rdata, params, params->flags);
    buffer_append_u8(out_rdata, NSEC3_HASH_BYTES);
    buffer_append(out_rdata, next_hash, NSEC3_HASH_BYTES);
    append_bitmap(out_rdata, types, count);
}

void nsec3param_rdata_write(const struct nsec3_params *params, struct buffer *out_rdata)
{
    append_params(out_rdata, params, 0);
}
