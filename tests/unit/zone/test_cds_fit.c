#include "dns/rrtype.h"
#include "support/table.h"
#include "zone/cds_fit.h"

/* A set as the algorithms of its records: a byte each; 0 is DELETE. */
static const struct row {
    const char *name;
    const char *keys, *set;
    size_t keys_count, set_count;
    bool fits;
} rows[] = {
    {"nothing", "", "", 0, 0, true},
    {"one of a key's algorithm", "\x0d", "\x0d", 1, 1, true},
    {"two of them", "\x08\x0d", "\x0d\x08", 2, 2, true},
    {"one of another", "\x0d", "\x08", 1, 1, false},
    {"one of another beside a good one", "\x0d", "\x0d\x0f", 1, 2, false},
    {"the greatest number", "\xff", "\xff", 1, 1, true},
    {"the greatest number without its key", "\x0d", "\xff", 1, 1, false},
    {"a DELETE alone needs no key", "", "\0", 0, 1, true},
    {"a DELETE in company", "\x0d", "\0\x0d", 1, 2, false},
    {"two of them are company", "\x0d", "\0\0", 1, 2, false},
};

static struct cds_algorithms gather(uint16_t type, const char *algorithms, size_t count)
{
    struct cds_algorithms gathered = CDS_ALGORITHMS_NONE;
    for (size_t i = 0; i < count; i++) {
        uint8_t cds[] = {1, 2, (uint8_t)algorithms[i], 2, 0xaa};
        uint8_t key[] = {1, 1, 3, (uint8_t)algorithms[i], 0xaa};
        bool is_cds = type == DNS_TYPE_CDS;
        cds_note(&gathered, type, (struct span){is_cds ? cds : key, sizeof(cds)});
        cds_note(&gathered, type, (struct span){cds, 2}); /* too short: nobody's algorithm */
        cds_note(&gathered, DNS_TYPE_TXT, (struct span){cds, sizeof(cds)});
    }
    return gathered;
}

static void fits_or_not(void **state)
{
    const struct row *row = *state;
    struct cds_algorithms keys = gather(DNS_TYPE_DNSKEY, row->keys, row->keys_count);
    struct cds_algorithms cds = gather(DNS_TYPE_CDS, row->set, row->set_count);
    struct cds_algorithms cdnskey = gather(DNS_TYPE_CDNSKEY, row->set, row->set_count);
    assert_int_equal(cds_is_fit(&cds, &keys), row->fits);
    assert_int_equal(cds_is_fit(&cdnskey, &keys), row->fits);
}

int main(void)
{
    return RUN_TABLE(rows, fits_or_not);
}
