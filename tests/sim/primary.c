#include "base/mem.h"
#include "dns/reply.h"
#include "dns/serial.h"
#include "sim/world.h"

enum { MESSAGE_BYTES = 4096, RECORDS_MAX = 30, LIES = 8 };

/* A lie: what is wrong with an answer. */
enum lie {
    LIE_NONE,
    LIE_CUT,           /* it ends in the middle of a message */
    LIE_OTHER_END,     /* the last SOA is not the first */
    LIE_DELETES_WRONG, /* a deletion of what is not there */
    LIE_NO_END,        /* the last message never comes */
    LIE_SERVFAIL,
    LIE_NOISE,   /* one byte is another */
    LIE_FOREIGN, /* a record of another zone in between: to be passed over */
};

/* An answer in the making. */
struct telling {
    struct sim_zone *zone;
    const struct dns_message *request;
    struct primary_answer *answer;
    enum lie lie;
    uint8_t bytes[MESSAGE_BYTES];
    struct writer writer;
    unsigned records, records_max;
};

static void open_message(struct telling *telling)
{
    const struct dns_message *request = telling->request;
    telling->writer = writer_of(telling->bytes, sizeof(telling->bytes));
    writer_bytes(&telling->writer, request->wire.bytes, request->question_end);
    memset(telling->bytes + 6, 0, 6);
    uint16_t flags = DNS_FLAG_QR | DNS_FLAG_AA;
    wire_put_u16(telling->bytes + 2,
                 telling->lie == LIE_SERVFAIL ? (uint16_t)(flags | DNS_RCODE_SERVFAIL) : flags);
    telling->records = 0;
    telling->records_max = 1 + world_draw(telling->zone->world, RECORDS_MAX);
}

static void close_message(struct telling *telling)
{
    struct primary_answer *answer = telling->answer;
    size_t length = writer_length(&telling->writer);
    ASSERT(!telling->writer.failed);
    if (telling->lie == LIE_NOISE && length > DNS_HEADER_BYTES) {
        /* Behind the question, so that somebody listens at all. */
        size_t from = telling->request->question_end;
        size_t at = from + world_draw(telling->zone->world, (uint32_t)(length - from) + 1);
        telling->bytes[at < length ? at : from - 1] ^= 0x41;
        telling->lie = LIE_NONE;
    }
    if (telling->lie == LIE_CUT && length > DNS_HEADER_BYTES + 40U) {
        length -= 1 + world_draw(telling->zone->world, 20);
    }
    ASSERT(answer->count < PRIMARY_MESSAGES_MAX);
    buffer_append(&answer->messages[answer->count++], telling->bytes, length);
}

static void tell(struct telling *telling, const struct record *record)
{
    bool room = telling->answer->count + 1 < PRIMARY_MESSAGES_MAX;
    size_t left = (size_t)(telling->writer.end - telling->writer.at);
    if (left < sizeof(*record) || (telling->records == telling->records_max && room)) {
        close_message(telling);
        open_message(telling);
    }
    record_write(&telling->writer, record);
    telling->records++;
    wire_put_u16(telling->bytes + 6, (uint16_t)telling->records);
}

static void tell_soa(struct telling *telling, uint32_t serial)
{
    struct record soa;
    sim_zone_soa(telling->zone, serial, &soa);
    tell(telling, &soa);
}

static void tell_foreign(struct telling *telling, const struct record *like)
{
    struct record record = *like;
    static const uint8_t name[] = "\5other\4test";
    record.owner = (struct dns_name){.length = sizeof(name), .labels = 2};
    memcpy(record.owner.wire, name, sizeof(name));
    tell(telling, &record);
}

static void tell_whole(struct telling *telling, const struct records *records, uint32_t serial)
{
    tell_soa(telling, serial);
    for (size_t i = 0; i < records->count; i++) {
        if (telling->lie == LIE_FOREIGN && i == records->count / 2) {
            tell_foreign(telling, &records->at[i]);
        }
        tell(telling, &records->at[i]);
    }
    tell_soa(telling, telling->lie == LIE_OTHER_END ? serial + 1 : serial);
}

/* A record that the zone never had. */
static void tell_never(struct telling *telling)
{
    struct record record = {.owner = telling->zone->apex,
                            .type = DNS_TYPE_TXT,
                            .ttl = 300,
                            .length = 6,
                            .rdata = "\5never"};
    tell(telling, &record);
}

/* Those of `from` that are not in `in`. */
static void tell_missing(struct telling *telling, const struct records *from,
                         const struct records *in)
{
    struct records copy = {0};
    records_copy(in, &copy);
    for (size_t i = 0; i < from->count; i++) {
        if (!records_remove(&copy, &from->at[i], true)) {
            tell(telling, &from->at[i]);
        }
    }
    records_clear(&copy);
}

/* One difference after the other, or all in one. */
static void tell_differences(struct telling *telling, size_t from, size_t to)
{
    const struct primary *primary = telling->zone->primary;
    bool condensed = world_chance(telling->zone->world, 50);
    tell_soa(telling, primary->serials[to]);
    for (size_t next; from < to; from = next) {
        next = condensed ? to : from + 1;
        tell_soa(telling, primary->serials[from]);
        if (telling->lie == LIE_DELETES_WRONG) {
            tell_never(telling);
        }
        tell_missing(telling, &primary->versions[from], &primary->versions[next]);
        tell_soa(telling, primary->serials[next]);
        tell_missing(telling, &primary->versions[next], &primary->versions[from]);
    }
    tell_soa(telling,
             telling->lie == LIE_OTHER_END ? primary->serials[to] + 1 : primary->serials[to]);
}

/* Which version has the client, by the SOA in its request? SIZE_MAX: none that we know. */
static size_t version_of_client(const struct primary *primary, const struct dns_message *request)
{
    struct record soa;
    size_t after;
    if (request->counts[2] == 0 ||
        !record_parse(request->wire, request->section_offsets[1], &soa, &after)) {
        return SIZE_MAX;
    }
    for (size_t i = 0; i < primary->count; i++) {
        if (primary->serials[i] == record_serial(&soa)) {
            return i;
        }
    }
    return SIZE_MAX;
}

static void tell_answer(struct telling *telling)
{
    const struct primary *primary = telling->zone->primary;
    size_t shown = primary->shown;
    size_t client = version_of_client(primary, telling->request);
    if (telling->lie == LIE_SERVFAIL) {
        return;
    }
    if (telling->request->qtype == DNS_TYPE_SOA ||
        (telling->request->qtype == DNS_TYPE_IXFR && client != SIZE_MAX && client >= shown)) {
        tell_soa(telling, primary->serials[shown]);
    } else if (telling->request->qtype == DNS_TYPE_IXFR && client != SIZE_MAX &&
               world_chance(telling->zone->world, 80)) {
        tell_differences(telling, client, shown);
    } else {
        tell_whole(telling, &primary->versions[shown], primary->serials[shown]);
    }
}

void primary_answer(struct sim_zone *zone, const struct dns_message *request,
                    struct primary_answer *out_answer)
{
    struct world *world = zone->world;
    struct telling *telling = mem_alloc_zero(1, sizeof(*telling));
    *out_answer = (struct primary_answer){.count = 0};
    telling->zone = zone;
    telling->request = request;
    telling->answer = out_answer;
    telling->lie = zone->primary->lies ? (enum lie)world_draw(world, LIES) : LIE_NONE;
    enum lie lie = telling->lie;
    if (lie != LIE_NONE) {
        world_say(world, "the primary of %s lies: %d", zone->name, lie);
    }
    open_message(telling);
    tell_answer(telling);
    close_message(telling);
    out_answer->settled = lie != LIE_NOISE; /* TSIG alone can tell */
    if (lie == LIE_NO_END && request->qtype != DNS_TYPE_SOA) {
        buffer_free(&out_answer->messages[--out_answer->count]);
        out_answer->ends_badly = true;
    }
    mem_free(telling);
}

void primary_edit(struct sim_zone *zone, unsigned changes)
{
    struct primary *primary = zone->primary;
    if (primary->count == SIM_VERSIONS_MAX) {
        return;
    }
    size_t next = primary->count++;
    records_copy(&primary->versions[next - 1], &primary->versions[next]);
    sim_zone_edit(zone, &primary->versions[next], changes);
    primary->serials[next] =
        serial_next(primary->serials[next - 1] + world_draw(zone->world, 1000));
    if (world_chance(zone->world, 80)) {
        primary->shown = next;
    }
    world_say(zone->world, "primary of %s has serial %u (%zu records)%s", zone->name,
              primary->serials[next], primary->versions[next].count,
              primary->shown == next ? "" : ", and does not show it yet");
}

void primary_edit_above(struct sim_zone *zone, uint32_t serial)
{
    struct primary *primary = zone->primary;
    size_t before = primary->count;
    primary_edit(zone, 1);
    primary->shown = primary->count - 1;
    if (primary->count > before && serial_compare(primary->serials[primary->shown], serial) <= 0) {
        primary->serials[primary->shown] = serial_next(serial);
        world_say(zone->world, "primary of %s has serial %u after all", zone->name,
                  primary->serials[primary->shown]);
    }
}

void primary_free(struct primary *primary)
{
    for (size_t i = 0; primary != NULL && i < primary->count; i++) {
        records_clear(&primary->versions[i]);
    }
    mem_free(primary);
}
