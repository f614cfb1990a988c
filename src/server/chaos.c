#include "server/chaos.h"

#include <string.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "zone/edit.h"

enum {
    ZONES_MAX = 5,
    SOA_TTL = 86400,
    TEXT_TTL = 0, /* Another server may answer the next time (RFC 4892 3.1). */
    TEXT_BYTES_MAX = 255,
    RDATA_BYTES_MAX = 2 * DNS_NAME_BYTES_MAX + 20,
};

static const char authors[] = "The Signet authors";

struct chaos {
    struct zone_table *table;
    size_t count;
    struct zone_slot slots[ZONES_MAX];
};

static void add(struct zone_edit *edit, const struct dns_name *apex, uint16_t type, uint32_t ttl,
                const struct writer *rdata)
{
    uint32_t ttl_taken;
    ASSERT(!rdata->failed);
    enum sg_result result = zone_edit_add_record(
        edit, apex, type, ttl, (struct span){rdata->start, writer_length(rdata)}, &ttl_taken);
    ASSERT(result == SG_OK);
}

static void add_soa(struct zone_edit *edit, const struct dns_name *apex)
{
    uint8_t bytes[RDATA_BYTES_MAX];
    struct writer rdata = writer_of(bytes, sizeof(bytes));
    static const uint8_t hostmaster[] = "\012hostmaster";
    static const uint32_t numbers[] = {0, 28800, 7200, 604800, SOA_TTL};

    writer_bytes(&rdata, apex->wire, apex->length);
    writer_bytes(&rdata, hostmaster, sizeof(hostmaster) - 1);
    writer_bytes(&rdata, apex->wire, apex->length);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        writer_u32(&rdata, numbers[i]);
    }
    add(edit, apex, DNS_TYPE_SOA, SOA_TTL, &rdata);
}

static const struct zone_version *make_zone(const struct dns_name *apex, const char *text)
{
    uint8_t bytes[RDATA_BYTES_MAX];
    struct writer rdata = writer_of(bytes, sizeof(bytes));
    const struct zone_version *version;
    struct zone_edit *edit = zone_edit_new(apex, DNS_CLASS_CH);
    size_t length = strnlen(text, TEXT_BYTES_MAX);

    add_soa(edit, apex);
    writer_bytes(&rdata, apex->wire, apex->length);
    add(edit, apex, DNS_TYPE_NS, TEXT_TTL, &rdata);
    rdata = writer_of(bytes, sizeof(bytes));
    writer_u8(&rdata, (uint8_t)length);
    writer_bytes(&rdata, text, length);
    add(edit, apex, DNS_TYPE_TXT, TEXT_TTL, &rdata);
    enum sg_result result = zone_edit_seal(edit, &version);
    ASSERT(result == SG_OK);
    return version;
}

static void add_zone(struct chaos *chaos, const char *name, const char *text, const void *options)
{
    struct zone_slot *slot = &chaos->slots[chaos->count];

    if (text == NULL || text[0] == '\0') {
        return;
    }
    ASSERT(chaos->count < ZONES_MAX);
    enum sg_result result = dns_name_from_text(name, strlen(name), NULL, &slot->apex);
    ASSERT(result == SG_OK);
    slot->rrclass = DNS_CLASS_CH;
    slot->version = make_zone(&slot->apex, text);
    slot->options = options;
    chaos->count++;
}

struct chaos *chaos_new(const struct chaos_texts *texts, const void *options)
{
    struct chaos *chaos = mem_alloc_zero(1, sizeof(*chaos));
    struct zone_slot *slots[ZONES_MAX];
    size_t duplicate;

    add_zone(chaos, "version.bind", texts->version, options);
    add_zone(chaos, "version.server", texts->version, options);
    add_zone(chaos, "hostname.bind", texts->hostname, options);
    add_zone(chaos, "id.server", texts->server_id, options);
    /* Who hides the version hides whose program it is. */
    add_zone(chaos, "authors.bind",
             texts->version != NULL && texts->version[0] != '\0' ? authors : NULL, options);
    for (size_t i = 0; i < chaos->count; i++) {
        slots[i] = &chaos->slots[i];
    }
    enum sg_result result = zone_table_new(slots, chaos->count, &chaos->table, &duplicate);
    ASSERT(result == SG_OK);
    return chaos;
}

void chaos_free(struct chaos *chaos)
{
    if (chaos == NULL) {
        return;
    }
    zone_table_free(chaos->table);
    for (size_t i = 0; i < chaos->count; i++) {
        zone_version_unref(chaos->slots[i].version);
    }
    mem_free(chaos);
}

struct zone_table *chaos_table(const struct chaos *chaos)
{
    return chaos->table;
}
