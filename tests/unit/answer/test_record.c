#include "answer/record.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "support/table.h"

/* MX 10 mail.example. and the like, packed as an RRset of one. */
static const struct record_case {
    const char *name;
    uint16_t type;
    uint8_t fixed_bytes; /* of rdata in front of its names */
    const char *names[2];
    size_t rdata_bytes; /* behind "mail.example." in the message */
} cases[] = {
    {"the name of MX is compressed", DNS_TYPE_MX, 2, {"mail.example.", NULL}, 4},
    {"the name of NS is compressed", DNS_TYPE_NS, 0, {"ns.mail.example.", NULL}, 5},
    {"both names of SOA are", DNS_TYPE_SOA, 0, {"mail.example.", "a.example."}, 2 + 4 + 20},
    {"SRV is younger than RFC 1035, and is not", DNS_TYPE_SRV, 6, {"mail.example.", NULL}, 20},
    {"nor is DNAME", DNS_TYPE_DNAME, 0, {"mail.example.", NULL}, 14},
    {"nor NSEC", DNS_TYPE_NSEC, 0, {"mail.example.", NULL}, 14},
    {"nor RP, though older than RFC 3597", DNS_TYPE_RP, 0, {"mail.example.", "example."}, 23},
};

static void each_type_is_compressed_as_rfc_3597_allows(void **state)
{
    const struct record_case *c = *state;
    static const uint8_t fixed[6] = {0, 10, 0, 1, 0, 80};
    uint8_t packed[300];
    struct writer w = writer_of(packed, sizeof(packed));
    writer_u16(&w, 0);
    writer_bytes(&w, fixed, c->fixed_bytes);
    for (int i = 0; i < 2 && c->names[i] != NULL; i++) {
        struct dns_name name;
        assert_int_equal(dns_name_from_text(c->names[i], strlen(c->names[i]), NULL, &name), SG_OK);
        writer_bytes(&w, name.wire, name.length);
    }
    if (c->type == DNS_TYPE_SOA) {
        writer_bytes(&w, (uint8_t[20]){0}, 20);
    }
    wire_put_u16(packed, (uint16_t)(writer_length(&w) - 2));

    struct dns_rrset rrset = {packed, (uint32_t)writer_length(&w), 300, c->type, 0, 1};
    uint8_t message[500] = {0};
    struct compress_slot slots[COMPRESS_SLOTS];
    struct compress compress;
    compress_start(&compress, message, slots, COMPRESS_SLOTS);
    memcpy(message + 12, "\4mail\7example", 14);
    compress_learn(&compress, 12);

    struct record_form form = record_form_of(&rrset, DNS_CLASS_IN);
    uint8_t *at = message + 30;
    uint8_t *end = record_write(&form, dns_rrset_first(&rrset), &compress, at, at + 300);
    assert_non_null(end);
    assert_int_equal(end - at, RECORD_FIXED_BYTES + 2 + c->rdata_bytes);
    assert_int_equal(wire_get_u16(at), c->type);
    assert_int_equal(wire_get_u16(at + 2), DNS_CLASS_IN);
    assert_int_equal(wire_get_u32(at + 4), 300);
    assert_int_equal(wire_get_u16(at + 8), c->rdata_bytes);

    size_t needed = (size_t)(end - at);
    memset(at, 0xEE, 400);
    for (size_t room = 0; room < needed; room++) {
        compress_start(&compress, message, slots, COMPRESS_SLOTS);
        compress_learn(&compress, 12);
        assert_null(record_write(&form, dns_rrset_first(&rrset), &compress, at, at + room));
        assert_int_equal(at[room], 0xEE);
    }
}

int main(void)
{
    return RUN_TABLE(cases, each_type_is_compressed_as_rfc_3597_allows);
}
