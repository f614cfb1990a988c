#include "answer/record.h"

#include "dns/rdata.h"
#include "dns/rrtype.h"

enum { LENGTH_BYTES = 2 };

static uint8_t *write_compressed(uint16_t type, struct span rdata, struct compress *compress,
                                 uint8_t *at, const uint8_t *end)
{
    const struct compress_suffix root = {0, 0};
    size_t skipped = dns_rdata_name_offset(type, rdata);
    const uint8_t *name = rdata.bytes + skipped;
    uint8_t *length_at = at;

    if ((size_t)(end - at) < LENGTH_BYTES + skipped) {
        return NULL;
    }
    at += LENGTH_BYTES;
    memcpy(at, rdata.bytes, skipped);
    at += skipped;
    for (unsigned left = dns_rdata_names(type).count; left > 0; left--) {
        size_t length = dns_name_wire_length(name);
        at = compress_write(compress, (struct span){name, length - 1}, &root, COMPRESS_CASE_KEPT,
                            at, end);
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
    wire_put_u16(length_at, (uint16_t)(at - length_at - LENGTH_BYTES));
    return at;
}

struct record_form record_form_of(const struct dns_rrset *rrset, uint16_t rrclass)
{
    struct record_form form = {.type = rrset->type};

    /* The types of RFC 1035 that have names are all below TXT: spares most the look-up. */
    form.compressible = rrset->type < DNS_TYPE_TXT && rrset->type != DNS_TYPE_A &&
                        dns_rdata_names(rrset->type).compressible;
    wire_put_u16(form.fixed, rrset->type);
    wire_put_u16(form.fixed + 2, rrclass);
    wire_put_u32(form.fixed + 4, rrset->ttl);
    return form;
}

uint8_t *record_write(const struct record_form *form, struct span rdata, struct compress *compress,
                      uint8_t *at, const uint8_t *end)
{
    if (end - at < RECORD_FIXED_BYTES) {
        return NULL;
    }
    memcpy(at, form->fixed, RECORD_FIXED_BYTES);
    at += RECORD_FIXED_BYTES;
    if (form->compressible) {
        return write_compressed(form->type, rdata, compress, at, end);
    }
    size_t bytes = LENGTH_BYTES + rdata.length;
    if ((size_t)(end - at) < bytes) {
        return NULL;
    }
    memcpy(at, rdata.bytes - LENGTH_BYTES, bytes);
    return at + bytes;
}
