/*
 * Two bytes of type, then rdata, a separator byte pair and a second rdata, or text: check,
 * canonical form, order, and text that must read back as the same rdata.
 */
#include <stdint.h>

#include "base/mem.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static bool same(struct span a, struct span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static int sign_of(int order)
{
    return (order > 0) - (order < 0);
}

/* Text that we wrote reads back as what it was written from. */
static void check_text(uint16_t type, struct span rdata)
{
    struct buffer text = BUFFER_EMPTY;
    struct buffer again = BUFFER_EMPTY;
    dns_rdata_to_text(type, rdata, &text);
    const char *error = NULL;
    enum sg_result result =
        dns_rdata_from_text(type, buffer_text(&text), text.length, NULL, &again, &error);
    ASSERT(result == SG_OK && error == NULL);
    ASSERT(same(buffer_span(&again), rdata));
    buffer_free(&text);
    buffer_free(&again);
}

static void check_names(uint16_t type, struct span rdata)
{
    struct dns_rdata_names names = dns_rdata_names(type);
    size_t at = names.count > 0 ? dns_rdata_name_offset(type, rdata) : 0;
    for (unsigned i = 0; i < names.count; i++) {
        size_t name = dns_name_wire_check((struct span){rdata.bytes + at, rdata.length - at});
        ASSERT(name > 0);
        at += name;
    }
}

static void check_order(uint16_t type, struct span a, struct span b)
{
    uint8_t *canonical_a = mem_alloc(a.length);
    uint8_t *canonical_b = mem_alloc(b.length);
    dns_rdata_canonical(type, a, canonical_a);
    dns_rdata_canonical(type, b, canonical_b);
    ASSERT(dns_rdata_check(type, (struct span){canonical_a, a.length}) == SG_OK);
    ASSERT(dns_rdata_compare(type, a, (struct span){canonical_a, a.length}) == 0);

    size_t shorter = a.length < b.length ? a.length : b.length;
    int naive = shorter > 0 ? memcmp(canonical_a, canonical_b, shorter) : 0;
    naive = naive != 0 ? naive : (a.length > b.length) - (a.length < b.length);
    ASSERT(sign_of(dns_rdata_compare(type, a, b)) == sign_of(naive));
    ASSERT(sign_of(dns_rdata_compare(type, b, a)) == -sign_of(naive));
    mem_free(canonical_a);
    mem_free(canonical_b);
}

/* Whatever text is taken gives rdata that passes the check and can be written again. */
static void try_text(uint16_t type, struct span text)
{
    struct dns_name origin;
    struct buffer rdata = BUFFER_EMPTY;
    ASSERT(dns_name_from_text("example.", 8, NULL, &origin) == SG_OK);
    const char *error = NULL;
    if (dns_rdata_from_text(type, (const char *)text.bytes, text.length, &origin, &rdata, &error) ==
        SG_OK) {
        buffer_reserve(&rdata, 1);
        ASSERT(dns_rdata_check(type, buffer_span(&rdata)) == SG_OK);
        check_text(type, buffer_span(&rdata));
    } else {
        ASSERT(error != NULL && rdata.length == 0);
    }
    buffer_free(&rdata);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length < 4) {
        return 0;
    }
    uint16_t type = wire_get_u16(bytes);
    size_t split = wire_get_u16(bytes + 2);
    struct span rest = {bytes + 4, length - 4};
    split = split < rest.length ? split : rest.length;
    struct span a = {rest.bytes, split};
    struct span b = {rest.bytes + split, rest.length - split};

    bool a_good = dns_rdata_check(type, a) == SG_OK;
    if (a_good) {
        check_names(type, a);
        check_text(type, a);
    }
    if (a_good && dns_rdata_check(type, b) == SG_OK) {
        check_order(type, a, b);
    }
    if (dns_type_is_meta(type) == false) {
        try_text(type, rest);
    }
    return 0;
}
