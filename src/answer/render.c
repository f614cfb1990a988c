#include "answer/answer.h"
#include "answer/record.h"

enum {
    POINTER_TO_QUESTION = 0xC000 | DNS_HEADER_BYTES,
    OPTION_HEADER_BYTES = 4,
    EDNS_FLAG_DO = 0x8000,
};

/* A response in the making. */
struct renderer {
    uint8_t *start, *at, *end; /* `end` leaves room for OPT and TSIG */
    const struct dns_message *question;
    const struct zone_version *version; /* of the first item: its apex ends the question's name */
    uint16_t apex_offset;               /* where it stands there */
    uint16_t apex_length;               /* without the root label; 0: it is the root */
    uint16_t rrclass;
    uint16_t owner; /* pointer to the present item's owner name, once that is written; or 0 */
    bool learned;   /* the table below is in use */
    struct compress compress;
    struct compress_slot slots[COMPRESS_SLOTS];
};

/* The table costs its clearing, which most answers can do without. */
static struct compress *learn(struct renderer *renderer)
{
    if (!renderer->learned) {
        renderer->learned = true;
        compress_start(&renderer->compress, renderer->start, renderer->slots, COMPRESS_SLOTS);
        compress_set_apex(&renderer->compress, renderer->apex_offset, renderer->apex_length);
        compress_learn(&renderer->compress, DNS_HEADER_BYTES);
    }
    return &renderer->compress;
}

static uint8_t *write_pointer(const struct renderer *renderer, uint16_t pointer)
{
    if (renderer->end - renderer->at < 2) {
        return NULL;
    }
    wire_put_u16(renderer->at, pointer);
    return renderer->at + 2;
}

static uint8_t *write_name(struct renderer *renderer, struct span labels)
{
    return compress_write(learn(renderer), labels, COMPRESS_CASE_IGNORED, renderer->at,
                          renderer->end);
}

static uint8_t *write_relative(struct renderer *renderer, const struct answer_item *item)
{
    struct span labels = {item->owner.labels, item->owner.length};

    if (item->version == renderer->version) {
        if (labels.length == 0 && renderer->apex_length > 0) {
            return write_pointer(renderer, 0xC000 | renderer->apex_offset);
        }
        return compress_write_relative(learn(renderer), labels, renderer->at, renderer->end);
    }
    /* A chain led into another zone, whose apex the question does not show. */
    const struct dns_name *apex = zone_version_apex(item->version);
    uint8_t name[DNS_NAME_BYTES_MAX];
    if (labels.length > 0) {
        memcpy(name, labels.bytes, labels.length);
    }
    memcpy(name + labels.length, apex->wire, apex->length);
    return write_name(renderer, (struct span){name, labels.length + apex->length - 1u});
}

static uint8_t *write_owner(struct renderer *renderer, const struct answer_item *item)
{
    if (renderer->owner != 0) {
        return write_pointer(renderer, renderer->owner);
    }
    switch (item->owner.kind) {
    case ANSWER_OWNER_QUESTION:
        if (renderer->question->qname.length > 1) {
            return write_pointer(renderer, POINTER_TO_QUESTION);
        }
        return write_name(renderer, (struct span){NULL, 0});
    case ANSWER_OWNER_RELATIVE:
        return write_relative(renderer, item);
    default:
        return write_name(renderer, (struct span){item->owner.labels, item->owner.length});
    }
}

/* What points at the owner name that was just written at `renderer->at`; 0 if nothing can. */
static uint16_t pointer_to_owner(const struct renderer *renderer)
{
    size_t offset = (size_t)(renderer->at - renderer->start);

    if (*renderer->at >= 0xC0) {
        return wire_get_u16(renderer->at);
    }
    return *renderer->at != 0 && offset <= COMPRESS_OFFSET_MAX ? (uint16_t)(0xC000 | offset) : 0;
}

/* All RRs of the RRset, or false with the renderer where it was. */
static bool write_rrset(struct renderer *renderer, const struct answer_item *item,
                        const struct dns_rrset *rrset)
{
    uint8_t *before = renderer->at;
    struct record_form form = record_form_of(rrset, renderer->rrclass);
    struct compress *compress = form.compressible ? learn(renderer) : NULL;

    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        uint8_t *at = write_owner(renderer, item);
        if (at != NULL) {
            at = record_write(&form, c.rdata, compress, at, renderer->end);
        }
        if (at == NULL) {
            renderer->at = before;
            return false;
        }
        if (renderer->owner == 0) {
            renderer->owner = pointer_to_owner(renderer);
        }
        renderer->at = at;
    }
    return true;
}

/* An RRset and its signatures, or false with nothing written. */
static bool write_item(struct renderer *renderer, const struct answer_item *item)
{
    uint8_t *before = renderer->at;

    renderer->owner = 0;
    if (!write_rrset(renderer, item, &item->rrset)) {
        return false;
    }
    if (item->signatures.packed != NULL && !write_rrset(renderer, item, &item->signatures)) {
        renderer->at = before;
        return false;
    }
    return true;
}

/*
 * One section. False: something that must be there did not fit, so TC is to be set. Once an
 * RRset did not fit nothing follows it: the table may know names that were taken back.
 */
static bool write_section(struct renderer *renderer, const struct answer *answer,
                          enum answer_section section, unsigned *out_count)
{
    unsigned count = 0;
    bool fits = true;
    bool whole = true;

    for (unsigned i = 0; i < answer->count; i++) {
        const struct answer_item *item = &answer->items[i];
        if (item->section != section) {
            continue;
        }
        fits = fits && write_item(renderer, item);
        if (fits) {
            count += (unsigned)item->rrset.count +
                     (item->signatures.packed != NULL ? item->signatures.count : 0);
        } else if (section != ANSWER_SECTION_ADDITIONAL || item->required) {
            whole = false;
        }
    }
    *out_count = count;
    return whole;
}

/* Returns whether the answer is whole. `out_counts` are those of the header. */
static bool write_sections(struct renderer *renderer, const struct answer *answer,
                           unsigned out_counts[ANSWER_SECTIONS])
{
    const struct answer_item *first = &answer->items[0];

    if (answer->count == 0) {
        return true;
    }
    const struct dns_name *apex = zone_version_apex(first->version);
    renderer->version = first->version;
    renderer->rrclass = zone_version_class(first->version);
    renderer->apex_length = (uint16_t)(apex->length - 1);
    renderer->apex_offset =
        (uint16_t)(DNS_HEADER_BYTES + renderer->question->qname.length - apex->length);

    for (unsigned section = 0; section < ANSWER_SECTIONS; section++) {
        if (!write_section(renderer, answer, section, &out_counts[section])) {
            return false;
        }
    }
    return true;
}

/* What the response ends with. */
struct tail {
    size_t opt_bytes; /* 0: no OPT */
    size_t options_bytes;
    size_t tsig_bytes;
};

static struct tail plan_tail(const struct dns_message *question,
                             const struct answer_envelope *envelope, size_t space)
{
    struct tail tail = {0};

    tail.tsig_bytes = envelope->tsig != NULL ? tsig_reserve(envelope->tsig) : 0;
    if (question->edns.present && EDNS_OPT_BYTES + tail.tsig_bytes <= space) {
        tail.opt_bytes = EDNS_OPT_BYTES;
        tail.options_bytes = envelope->extra_options.length;
        if (question->edns.wants_nsid && envelope->nsid.length > 0) {
            tail.options_bytes += OPTION_HEADER_BYTES + envelope->nsid.length;
        }
    }
    /* Options are a courtesy: a TSIG with long names goes first. */
    if (tail.opt_bytes + tail.options_bytes + tail.tsig_bytes > space) {
        tail.options_bytes = 0;
    }
    return tail;
}

/* The OPT RR; its room was reserved. */
static void write_opt(struct renderer *renderer, uint16_t rcode,
                      const struct answer_envelope *envelope, size_t options)
{
    const struct dns_edns *edns = &renderer->question->edns;
    struct writer w = writer_of(renderer->at, EDNS_OPT_BYTES + options);

    writer_u8(&w, 0);
    writer_u16(&w, DNS_TYPE_OPT);
    writer_u16(&w, envelope->edns_payload);
    writer_u8(&w, (uint8_t)(rcode >> 4));
    writer_u8(&w, 0);
    writer_u16(&w, edns->dnssec_ok ? EDNS_FLAG_DO : 0);
    writer_u16(&w, (uint16_t)options);
    if (options > envelope->extra_options.length) {
        writer_u16(&w, EDNS_OPTION_NSID);
        writer_u16(&w, (uint16_t)envelope->nsid.length);
        writer_bytes(&w, envelope->nsid.bytes, envelope->nsid.length);
    }
    if (options > 0) {
        writer_bytes(&w, envelope->extra_options.bytes, envelope->extra_options.length);
    }
    ASSERT(!w.failed);
    renderer->at = w.at;
}

/* Header and question are always there; 12 + 255 + 4 bytes fit any limit. */
static void write_question(struct renderer *renderer)
{
    const struct dns_message *question = renderer->question;
    size_t bytes = question->has_question ? question->question_end : DNS_HEADER_BYTES;

    memcpy(renderer->start + DNS_HEADER_BYTES, question->wire.bytes + DNS_HEADER_BYTES,
           bytes - DNS_HEADER_BYTES);
    renderer->at = renderer->start + bytes;
}

static void write_header(const struct renderer *renderer, uint16_t flags, uint16_t rcode,
                         const unsigned counts[ANSWER_SECTIONS])
{
    const struct dns_message *question = renderer->question;
    uint8_t *at = renderer->start;

    /* RFC 4035 3.1.6: AD and CD are clear in an authoritative answer. */
    flags |= DNS_FLAG_QR | (question->flags & DNS_FLAG_RD);
    flags |= (uint16_t)(question->opcode << 11 | (rcode & 0xF));
    wire_put_u16(at, question->id);
    wire_put_u16(at + 2, flags);
    wire_put_u16(at + 4, question->has_question ? 1 : 0);
    wire_put_u16(at + 6, (uint16_t)counts[ANSWER_SECTION_ANSWER]);
    wire_put_u16(at + 8, (uint16_t)counts[ANSWER_SECTION_AUTHORITY]);
    wire_put_u16(at + 10, (uint16_t)counts[ANSWER_SECTION_ADDITIONAL]);
}

size_t answer_render(const struct dns_message *question, const struct answer *answer,
                     uint16_t rcode, const struct answer_envelope *envelope, uint8_t *out_bytes)
{
    struct renderer renderer; /* Not cleared: the table is large and seldom used. */
    unsigned counts[ANSWER_SECTIONS] = {0};
    uint16_t flags = envelope->recursion_available ? DNS_FLAG_RA : 0;

    renderer.start = out_bytes;
    renderer.question = question;
    renderer.learned = false;
    write_question(&renderer);

    size_t space = envelope->bytes_max - (size_t)(renderer.at - out_bytes);
    struct tail tail = plan_tail(question, envelope, space);
    size_t reserved = tail.opt_bytes + tail.options_bytes + tail.tsig_bytes;
    renderer.end = renderer.at + (reserved < space ? space - reserved : 0);

    if (answer != NULL) {
        rcode = answer->rcode;
        flags |= answer->authoritative ? DNS_FLAG_AA : 0;
        flags |= write_sections(&renderer, answer, counts) ? 0 : DNS_FLAG_TC;
    }
    if (tail.opt_bytes > 0) {
        write_opt(&renderer, rcode, envelope, tail.options_bytes);
        counts[ANSWER_SECTION_ADDITIONAL]++;
    }
    write_header(&renderer, flags, rcode, counts);
    size_t length = (size_t)(renderer.at - out_bytes);
    if (tail.tsig_bytes == 0) {
        return length;
    }
    /* Only a key name that fills the datagram by itself does not fit: unsigned then, and useless
     * to the client, but it learns of it sooner than by a timeout. */
    size_t whole = tsig_sign(envelope->tsig, envelope->now, out_bytes, length, envelope->bytes_max);
    return whole > 0 ? whole : length;
}
