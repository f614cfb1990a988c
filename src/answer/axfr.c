#include "answer/axfr.h"

#include "answer/record.h"
#include "base/mem.h"

enum {
    MESSAGE_BYTES = 16384, /* a message that has grown to this ends: pointers reach no further */
    UNSIGNED_MAX = 99,     /* RFC 8945 5.3.1: at least every hundredth message is signed */
    AXFR_SLOTS = 1024,     /* enough for the names of one message */
    QUESTION_BYTES_MAX = DNS_NAME_BYTES_MAX + 4,
};

/* What is sent now; the SOA goes first and last (RFC 5936 2.2). */
enum phase { PHASE_FIRST_SOA, PHASE_NAMES, PHASE_NSEC3, PHASE_LAST_SOA, PHASE_DONE };

/* Where the transfer stands: three cursors, one inside the other. */
struct axfr {
    const struct zone_version *version;
    enum phase phase;
    struct zone_cursor cursor;   /* which name */
    struct zone_rrset_walk walk; /* which of its RRsets */
    struct record_form form;
    const uint8_t *rdata; /* which RR of that comes next: packed, its length first */
    unsigned rdatas_left;
    struct span owner; /* relative */
    uint16_t rrclass;
    struct axfr_totals totals;
    unsigned unsigned_messages; /* since the last signed one */
    uint16_t id, flags;
    bool edns, dnssec_ok;
    uint16_t question_length; /* name, type and class */
    uint8_t question[QUESTION_BYTES_MAX];
};

/* One message in the making. */
struct message {
    uint8_t *start, *at, *end;
    uint16_t count;
    uint16_t owner_pointer;      /* to the owner of the last record, if that is the next one's */
    const uint8_t *owner_labels; /* which owner that is */
    bool apex_known;
    struct compress compress;
    struct compress_slot slots[AXFR_SLOTS];
};

static void set_rrset(struct axfr *axfr, const struct dns_rrset *rrset)
{
    axfr->form = record_form_of(rrset, axfr->rrclass);
    axfr->rdata = rrset->packed;
    axfr->rdatas_left = rrset->count;
}

static void set_soa(struct axfr *axfr)
{
    struct dns_rrset soa;

    axfr->owner = (struct span){NULL, 0};
    if (!zone_node_rrset(zone_version_apex_node(axfr->version), ZONE_VIEW_SIGNED, DNS_TYPE_SOA,
                         &soa)) {
        UNREACHABLE(); /* invariant (1) of a version */
    }
    set_rrset(axfr, &soa);
}

/* The next RRset of the present name. The SOA has its own places in the stream. */
static bool next_of_name(struct axfr *axfr)
{
    while (zone_node_walk_next(&axfr->walk)) {
        if (axfr->walk.rrset.type != DNS_TYPE_SOA) {
            set_rrset(axfr, &axfr->walk.rrset);
            return true;
        }
    }
    return false;
}

/* The next RRset of the present name or of a later one. False: the walk is over. */
static bool next_of_walk(struct axfr *axfr)
{
    while (!next_of_name(axfr)) {
        if (!zone_cursor_next(&axfr->cursor)) {
            return false;
        }
        axfr->walk = zone_node_walk(&axfr->cursor.node, ZONE_VIEW_SIGNED);
        axfr->owner = zone_node_owner(&axfr->cursor.node);
    }
    return true;
}

/* Step to the next RRset, through the phases. False: there is none. */
static bool next_rrset(struct axfr *axfr)
{
    switch (axfr->phase) {
    case PHASE_FIRST_SOA:
        axfr->phase = PHASE_NAMES;
        zone_cursor_start(&axfr->cursor, axfr->version);
        /* fall through */
    case PHASE_NAMES:
        if (next_of_walk(axfr)) {
            return true;
        }
        axfr->phase = PHASE_NSEC3;
        zone_cursor_start_nsec3(&axfr->cursor, axfr->version);
        /* fall through */
    case PHASE_NSEC3:
        if (next_of_walk(axfr)) {
            return true;
        }
        axfr->phase = PHASE_LAST_SOA;
        set_soa(axfr);
        return true;
    case PHASE_LAST_SOA:
    case PHASE_DONE:
        break;
    }
    axfr->phase = PHASE_DONE;
    return false;
}

/* The apex stands uncompressed at `offset`: every owner name ends in a pointer there. */
static void set_apex(const struct axfr *axfr, struct message *message, size_t offset)
{
    message->apex_known = true;
    compress_set_apex(&message->compress, offset, zone_version_apex(axfr->version)->length - 1u);
}

/* Returns what is behind the owner name, or NULL if it does not fit. */
static uint8_t *write_owner(const struct axfr *axfr, struct message *message)
{
    const struct dns_name *apex = zone_version_apex(axfr->version);
    uint8_t name[DNS_NAME_BYTES_MAX];

    if (message->owner_pointer != 0 && message->owner_labels == axfr->owner.bytes) {
        if (message->end - message->at < 2) {
            return NULL;
        }
        wire_put_u16(message->at, message->owner_pointer);
        return message->at + 2;
    }
    if (message->apex_known) {
        return compress_write_relative(&message->compress, axfr->owner, message->at, message->end);
    }
    /* The first owner name of a message without question brings the apex. */
    if (axfr->owner.length > 0) {
        memcpy(name, axfr->owner.bytes, axfr->owner.length);
    }
    memcpy(name + axfr->owner.length, apex->wire, apex->length);
    uint8_t *after = compress_write(&message->compress,
                                    (struct span){name, axfr->owner.length + apex->length - 1u},
                                    COMPRESS_CASE_IGNORED, message->at, message->end);
    set_apex(axfr, message, (size_t)(message->at - message->start) + axfr->owner.length);
    return after;
}

static void remember_owner(const struct axfr *axfr, struct message *message)
{
    size_t offset = (size_t)(message->at - message->start);

    if (message->owner_labels == axfr->owner.bytes && message->owner_pointer != 0) {
        return;
    }
    message->owner_pointer = 0;
    message->owner_labels = axfr->owner.bytes;
    if (*message->at >= 0xC0) {
        message->owner_pointer = wire_get_u16(message->at);
    } else if (*message->at != 0 && offset <= COMPRESS_OFFSET_MAX) {
        message->owner_pointer = (uint16_t)(0xC000 | offset);
    }
}

/* What is left of the present RRset. False: the message is full. */
static bool write_rrset(struct axfr *axfr, struct message *message)
{
    while (axfr->rdatas_left > 0) {
        struct span rdata = {axfr->rdata + RECORD_LENGTH_BYTES, wire_get_u16(axfr->rdata)};
        if (message->at - message->start >= MESSAGE_BYTES) {
            return false;
        }
        uint8_t *at = write_owner(axfr, message);
        if (at != NULL) {
            at = record_write(&axfr->form, rdata, &message->compress, at, message->end);
        }
        if (at == NULL) {
            return false;
        }
        remember_owner(axfr, message);
        message->at = at;
        message->count++;
        axfr->rdata = rdata.bytes + rdata.length;
        axfr->rdatas_left--;
    }
    return true;
}

static void write_opt(const struct axfr *axfr, struct message *message)
{
    struct writer w = writer_of(message->at, EDNS_OPT_BYTES);

    writer_u8(&w, 0);
    writer_u16(&w, DNS_TYPE_OPT);
    writer_u16(&w, EDNS_PAYLOAD_DEFAULT);
    writer_u32(&w, axfr->dnssec_ok ? 0x8000 : 0);
    writer_u16(&w, 0);
    message->at = w.at;
}

static void write_header(const struct axfr *axfr, uint8_t *at, bool first, uint16_t count)
{
    wire_put_u16(at, axfr->id);
    wire_put_u16(at + 2, axfr->flags);
    wire_put_u16(at + 4, first ? 1 : 0);
    wire_put_u16(at + 6, count);
    wire_put_u16(at + 8, 0);
    wire_put_u16(at + 10, first && axfr->edns ? 1 : 0);
}

static void begin_message(const struct axfr *axfr, bool first, struct message *out_message)
{
    out_message->at = out_message->start + DNS_HEADER_BYTES;
    out_message->count = 0;
    out_message->owner_pointer = 0;
    out_message->apex_known = false;
    compress_start(&out_message->compress, out_message->start, out_message->slots, AXFR_SLOTS);
    if (first) {
        memcpy(out_message->at, axfr->question, axfr->question_length);
        out_message->at += axfr->question_length;
        set_apex(axfr, out_message, DNS_HEADER_BYTES); /* It is what was asked for. */
    }
}

struct axfr *axfr_new(const struct zone_version *version, const struct dns_message *question)
{
    struct axfr *axfr = mem_alloc_zero(1, sizeof(*axfr));

    ASSERT(question->has_question &&
           question->question_end <= DNS_HEADER_BYTES + QUESTION_BYTES_MAX);
    axfr->version = zone_version_ref(version);
    axfr->rrclass = zone_version_class(version);
    axfr->id = question->id;
    axfr->flags = DNS_FLAG_QR | DNS_FLAG_AA | (question->flags & DNS_FLAG_RD);
    axfr->edns = question->edns.present;
    axfr->dnssec_ok = question->edns.dnssec_ok;
    axfr->question_length = (uint16_t)(question->question_end - DNS_HEADER_BYTES);
    memcpy(axfr->question, question->wire.bytes + DNS_HEADER_BYTES, axfr->question_length);
    axfr->phase = PHASE_FIRST_SOA;
    set_soa(axfr);
    return axfr;
}

void axfr_free(struct axfr *axfr)
{
    if (axfr != NULL) {
        zone_version_unref(axfr->version);
        mem_free(axfr);
    }
}

size_t axfr_next(struct axfr *axfr, struct tsig_exchange *tsig, sg_time now, uint8_t *out_bytes)
{
    struct message message; /* Not cleared: large. */
    bool first = axfr->totals.messages == 0;
    size_t opt_bytes = first && axfr->edns ? EDNS_OPT_BYTES : 0;
    size_t reserved = opt_bytes + (tsig != NULL ? tsig_reserve(tsig) : 0);

    if (axfr->phase == PHASE_DONE) {
        return 0;
    }
    message.start = out_bytes;
    message.end = out_bytes + DNS_MESSAGE_BYTES_MAX - reserved;
    begin_message(axfr, first, &message);
    while (write_rrset(axfr, &message) && next_rrset(axfr)) {
    }
    if (message.count == 0) {
        /* A record that fits no message. Without the last SOA, the secondary knows that the
         * transfer is not whole. */
        axfr->phase = PHASE_DONE;
        axfr->totals.broken = true;
        return 0;
    }
    if (opt_bytes > 0) {
        write_opt(axfr, &message);
    }
    write_header(axfr, out_bytes, first, message.count);
    size_t length = (size_t)(message.at - out_bytes);
    axfr->totals.messages++;
    axfr->totals.records += message.count;
    if (tsig != NULL) {
        bool last = axfr->phase == PHASE_DONE;
        if (first || last || axfr->unsigned_messages == UNSIGNED_MAX) {
            length = tsig_sign(tsig, now, out_bytes, length, DNS_MESSAGE_BYTES_MAX);
            axfr->unsigned_messages = 0;
        } else {
            tsig_skip(tsig, out_bytes, length);
            axfr->unsigned_messages++;
        }
    }
    axfr->totals.bytes += length;
    return length;
}

struct axfr_totals axfr_totals(const struct axfr *axfr)
{
    return axfr->totals;
}
