#include "answer/stream.h"

enum {
    MESSAGE_BYTES = 16384, /* a message that has grown to this ends: pointers reach no further */
    UNSIGNED_MAX = 99,     /* RFC 8945 5.3.1: at least every hundredth message is signed */
    STREAM_SLOTS = 1024,   /* enough for the names of one message */
};

/* One message in the making. */
struct message {
    uint8_t *start, *at, *end;
    uint16_t count;
    uint16_t owner_pointer;      /* to the owner of the last record, if that is the next one's */
    const uint8_t *owner_labels; /* which owner that is */
    bool apex_known;
    struct compress compress;
    struct compress_slot slots[STREAM_SLOTS];
};

/* The apex stands uncompressed at `offset`: every owner name ends in a pointer there. */
static void set_apex(const struct stream *stream, struct message *message, size_t offset)
{
    message->apex_known = true;
    compress_set_apex(&message->compress, offset, stream->apex.length - 1u);
}

/* Returns what is behind the owner name, or NULL if it does not fit. */
static uint8_t *write_owner(const struct stream *stream, struct message *message)
{
    const struct dns_name *apex = &stream->apex;
    uint8_t name[DNS_NAME_BYTES_MAX];

    if (message->owner_pointer != 0 && message->owner_labels == stream->owner.bytes) {
        if (message->end - message->at < 2) {
            return NULL;
        }
        wire_put_u16(message->at, message->owner_pointer);
        return message->at + 2;
    }
    if (message->apex_known) {
        return compress_write_relative(&message->compress, stream->owner, message->at,
                                       message->end);
    }
    /* The first owner name of a message without question brings the apex. */
    if (stream->owner.length > 0) {
        memcpy(name, stream->owner.bytes, stream->owner.length);
    }
    memcpy(name + stream->owner.length, apex->wire, apex->length);
    uint8_t *after = compress_write(&message->compress,
                                    (struct span){name, stream->owner.length + apex->length - 1u},
                                    COMPRESS_CASE_IGNORED, message->at, message->end);
    set_apex(stream, message, (size_t)(message->at - message->start) + stream->owner.length);
    return after;
}

static void remember_owner(const struct stream *stream, struct message *message)
{
    size_t offset = (size_t)(message->at - message->start);

    if (message->owner_labels == stream->owner.bytes && message->owner_pointer != 0) {
        return;
    }
    message->owner_pointer = 0;
    message->owner_labels = stream->owner.bytes;
    if (*message->at >= 0xC0) {
        message->owner_pointer = wire_get_u16(message->at);
    } else if (*message->at != 0 && offset <= COMPRESS_OFFSET_MAX) {
        message->owner_pointer = (uint16_t)(0xC000 | offset);
    }
}

/* What is left of the present RRset. False: the message is full. */
static bool write_rrset(struct stream *stream, struct message *message)
{
    while (stream->rdatas_left > 0) {
        struct span rdata = {stream->rdata + RECORD_LENGTH_BYTES, wire_get_u16(stream->rdata)};
        if (message->at - message->start >= MESSAGE_BYTES) {
            return false;
        }
        uint8_t *at = write_owner(stream, message);
        if (at != NULL) {
            at = record_write(&stream->form, rdata, &message->compress, at, message->end);
        }
        if (at == NULL) {
            return false;
        }
        remember_owner(stream, message);
        message->at = at;
        message->count++;
        stream->rdata = rdata.bytes + rdata.length;
        stream->rdatas_left--;
    }
    return true;
}

static void write_opt(const struct stream *stream, struct message *message)
{
    struct writer w = writer_of(message->at, EDNS_OPT_BYTES);

    writer_u8(&w, 0);
    writer_u16(&w, DNS_TYPE_OPT);
    writer_u16(&w, EDNS_PAYLOAD_DEFAULT);
    writer_u32(&w, stream->dnssec_ok ? 0x8000 : 0);
    writer_u16(&w, 0);
    message->at = w.at;
}

static void write_header(const struct stream *stream, uint8_t *at, bool first, uint16_t count)
{
    wire_put_u16(at, stream->id);
    wire_put_u16(at + 2, stream->flags);
    wire_put_u16(at + 4, first ? 1 : 0);
    wire_put_u16(at + 6, count);
    wire_put_u16(at + 8, 0);
    wire_put_u16(at + 10, first && stream->edns ? 1 : 0);
}

static void begin_message(const struct stream *stream, bool first, struct message *out_message)
{
    out_message->at = out_message->start + DNS_HEADER_BYTES;
    out_message->count = 0;
    out_message->owner_pointer = 0;
    out_message->apex_known = false;
    compress_start(&out_message->compress, out_message->start, out_message->slots, STREAM_SLOTS);
    if (first) {
        memcpy(out_message->at, stream->question, stream->question_length);
        out_message->at += stream->question_length;
        set_apex(stream, out_message, DNS_HEADER_BYTES); /* It is what was asked for. */
    }
}

/* Whether there is room for OPT and TSIG behind what is written was seen to before. */
static size_t end_message(struct stream *stream, struct message *message, bool first)
{
    if (first && stream->edns) {
        write_opt(stream, message);
    }
    write_header(stream, message->start, first, message->count);
    stream->totals.messages++;
    stream->totals.records += message->count;
    return (size_t)(message->at - message->start);
}

static size_t sign(struct stream *stream, struct tsig_exchange *tsig, sg_time now, uint8_t *bytes,
                   size_t length)
{
    bool first = stream->totals.messages == 1;
    if (tsig == NULL) {
        return length;
    }
    if (first || stream->done || stream->unsigned_messages == UNSIGNED_MAX) {
        stream->unsigned_messages = 0;
        return tsig_sign(tsig, now, bytes, length, DNS_MESSAGE_BYTES_MAX);
    }
    tsig_skip(tsig, bytes, length);
    stream->unsigned_messages++;
    return length;
}

static size_t reserve(const struct stream *stream, const struct tsig_exchange *tsig)
{
    bool first = stream->totals.messages == 0;
    return (first && stream->edns ? EDNS_OPT_BYTES : 0) + (tsig != NULL ? tsig_reserve(tsig) : 0);
}

static void fill(struct stream *stream, const struct stream_source *source, struct message *message)
{
    while (!stream->done && write_rrset(stream, message)) {
        stream->done = !source->next(source->argument, stream);
    }
}

void stream_start(struct stream *stream, const struct zone_version *version,
                  const struct dns_message *question)
{
    ASSERT(question->has_question &&
           question->question_end <= DNS_HEADER_BYTES + STREAM_QUESTION_BYTES_MAX);
    stream->apex = *zone_version_apex(version);
    stream->rrclass = zone_version_class(version);
    stream->done = false;
    stream->totals = (struct axfr_totals){0};
    stream->unsigned_messages = 0;
    stream->id = question->id;
    stream->flags = DNS_FLAG_QR | DNS_FLAG_AA | (question->flags & DNS_FLAG_RD);
    stream->edns = question->edns.present;
    stream->dnssec_ok = question->edns.dnssec_ok;
    stream->question_length = (uint16_t)(question->question_end - DNS_HEADER_BYTES);
    memcpy(stream->question, question->wire.bytes + DNS_HEADER_BYTES, stream->question_length);
}

void stream_set(struct stream *stream, struct span owner, const struct dns_rrset *rrset)
{
    stream->owner = owner;
    stream->form = record_form_of(rrset, stream->rrclass);
    stream->rdata = rrset->packed;
    stream->rdatas_left = rrset->count;
}

size_t stream_next(struct stream *stream, const struct stream_source *source,
                   struct tsig_exchange *tsig, sg_time now, uint8_t *out_bytes)
{
    struct message message; /* Not cleared: large. */
    bool first = stream->totals.messages == 0;

    if (stream->done) {
        return 0;
    }
    message.start = out_bytes;
    message.end = out_bytes + DNS_MESSAGE_BYTES_MAX - reserve(stream, tsig);
    begin_message(stream, first, &message);
    fill(stream, source, &message);
    if (message.count == 0) {
        /* A record that fits no message. Without the last SOA, the secondary knows that the
         * transfer is not whole. */
        stream->done = true;
        stream->totals.broken = true;
        return 0;
    }
    size_t length = end_message(stream, &message, first);
    length = sign(stream, tsig, now, out_bytes, length);
    stream->totals.bytes += length;
    return length;
}

size_t stream_single(struct stream *stream, const struct stream_source *source,
                     struct tsig_exchange *tsig, sg_time now, uint8_t *out_bytes, size_t bytes_max)
{
    struct message message; /* Not cleared: large. */
    size_t reserved = reserve(stream, tsig);

    ASSERT(stream->totals.messages == 0);
    if (bytes_max < DNS_HEADER_BYTES + stream->question_length + reserved) {
        stream->done = true;
        return 0;
    }
    message.start = out_bytes;
    message.end = out_bytes + bytes_max - reserved;
    begin_message(stream, true, &message);
    fill(stream, source, &message);
    bool whole = stream->done;
    stream->done = true;
    if (!whole) {
        return 0;
    }
    size_t length = end_message(stream, &message, true);
    length = sign(stream, tsig, now, out_bytes, length);
    stream->totals.bytes += length;
    return length;
}
