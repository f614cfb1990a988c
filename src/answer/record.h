/*
 * answer/record.h - one RR on the wire, behind its owner name
 */
#pragma once

#include "answer/compress.h"
#include "dns/rdata.h"
#include "dns/rrset.h"
#include "dns/rrtype.h"

enum {
    RECORD_FIXED_BYTES = 8, /* type, class, TTL */
    RECORD_LENGTH_BYTES = 2,
};

/* What all RRs of an RRset have in common. */
struct record_form {
    uint16_t type;
    bool compressible; /* its rdata has names that may be compressed (RFC 3597 4) */
    uint8_t fixed[RECORD_FIXED_BYTES];
};

static inline struct record_form record_form_of(const struct dns_rrset *rrset, uint16_t rrclass)
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

/* Rdata with its length, of a compressible type. */
uint8_t *record_write_compressed(uint16_t type, struct span rdata, struct compress *compress,
                                 uint8_t *at, const uint8_t *end);

/*
 * Write all but the owner name at `at`. `rdata` lies behind its length, as RRsets are packed.
 * `compress` is looked at for compressible types only. Returns what is behind the RR, or NULL if
 * it would run past `end`.
 */
static inline uint8_t *record_write(const struct record_form *form, struct span rdata,
                                    struct compress *compress, uint8_t *at, const uint8_t *end)
{
    size_t bytes = RECORD_LENGTH_BYTES + (form->compressible ? 0 : rdata.length);

    if ((size_t)(end - at) < RECORD_FIXED_BYTES + bytes) {
        return NULL;
    }
    memcpy(at, form->fixed, RECORD_FIXED_BYTES);
    at += RECORD_FIXED_BYTES;
    if (form->compressible) {
        return record_write_compressed(form->type, rdata, compress, at, end);
    }
    memcpy(at, rdata.bytes - RECORD_LENGTH_BYTES, bytes);
    return at + bytes;
}
