#include "zone/history.h"

#include <stddef.h>

#include "base/mem.h"
#include "dns/name.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "zone/changeset.h"

/*
 * The chain holds one reference to each of its links. It gives that up a grace period after the
 * link has left the chain: a reader that found it inside an epoch can take one of its own.
 */
struct zone_history_link {
    struct zone_history_link *older; /* epoch_publish() */
    struct zone_history_link *newer; /* for the keeper alone */
    uint32_t references;             /* atomic */
    struct zone_history_commit commit;
    struct zone_changeset_header header;
    bool has_header;
    bool is_sound; /* to its end, and it has the SOAs that its header tells of */
    struct buffer changeset;
    struct dns_rrset soa_from, soa_to; /* borrowed from it */
    struct epoch_retired leaving;
};

static size_t bytes_of(const struct zone_history_link *link)
{
    return sizeof(*link) + link->changeset.capacity;
}

static uint64_t records_of(const struct zone_history_link *link)
{
    return link->header.deleted + link->header.added;
}

static void leave(struct epoch_retired *leaving)
{
    zone_history_unref(
        (struct zone_history_link *)(void *)((char *)leaving -
                                             offsetof(struct zone_history_link, leaving)));
}

void zone_history_drop_oldest(struct zone_history *history)
{
    struct zone_history_link *link = history->oldest;
    history->oldest = link->newer;
    history->bytes -= bytes_of(link);
    history->records -= records_of(link);
    history->links--;
    if (link->newer != NULL) {
        epoch_publish(&link->newer->older, (struct zone_history_link *)NULL);
    } else {
        epoch_publish(&history->newest, (struct zone_history_link *)NULL);
    }
    epoch_retire(&link->leaving, leave);
}

uint32_t zone_history_serial_from(const struct zone_history_link *link)
{
    return link->header.serial_from;
}

uint32_t zone_history_serial_to(const struct zone_history_link *link)
{
    return link->header.serial_to;
}

struct span zone_history_changeset(const struct zone_history_link *link)
{
    return buffer_span(&link->changeset);
}

uint64_t zone_history_oldest_commit(const struct zone_history *history)
{
    return history->oldest == NULL ? UINT64_MAX : history->oldest->commit.number;
}

sg_time zone_history_oldest_at(const struct zone_history *history)
{
    return history->oldest == NULL ? INT64_MAX : history->oldest->commit.at;
}

const struct dns_rrset *zone_history_soa_from(const struct zone_history_link *link)
{
    return &link->soa_from;
}

const struct dns_rrset *zone_history_soa_to(const struct zone_history_link *link)
{
    return &link->soa_to;
}

static bool has_serial(const struct dns_rrset *soa, uint32_t serial)
{
    enum { SERIAL_FROM_END = 20 }; /* RFC 1035 3.3.13: five numbers end the rdata */
    return soa->count == 1 && wire_get_u32(soa->packed + soa->bytes - SERIAL_FROM_END) == serial;
}

/* Look at it from end to end. */
static bool check(struct zone_history_link *link, const struct dns_name *apex)
{
    struct zone_changeset_walk walk = zone_changeset_walk(zone_history_changeset(link));
    while (zone_changeset_next(&walk)) {
        const struct zone_change *change = &walk.change;
        if (change->owner.length + apex->length > DNS_NAME_BYTES_MAX) {
            return false;
        }
        if ((change->flags & ZONE_CHANGE_PUBLIC) != 0 && change->owner.length == 0 &&
            change->added.type == DNS_TYPE_SOA) {
            link->soa_from = change->deleted;
            link->soa_to = change->added;
        }
    }
    return !walk.failed && has_serial(&link->soa_from, link->header.serial_from) &&
           has_serial(&link->soa_to, link->header.serial_to);
}

struct zone_history_link *zone_history_link_new(const struct dns_name *apex,
                                                struct buffer *changeset)
{
    struct zone_history_link *link = mem_alloc_zero(1, sizeof(*link));
    link->references = 1;
    link->changeset = *changeset;
    *changeset = BUFFER_EMPTY;
    if (link->changeset.length > 0) {
        link->changeset.bytes = mem_resize(link->changeset.bytes, link->changeset.length);
        link->changeset.capacity = link->changeset.length;
    }
    link->has_header = zone_changeset_header(buffer_span(&link->changeset), &link->header) == SG_OK;
    link->is_sound = link->has_header && check(link, apex);
    return link;
}

/* Of the newest link that is no link only what it breaks is left. */
static bool is_link(struct zone_history *history, const struct zone_history_link *link)
{
    const struct zone_changeset_header *header = &link->header;
    if (!link->has_header) {
        return false;
    }
    if (serial_compare(header->serial_to, header->serial_from) <= 0) {
        if (records_of(link) > 0) {
            zone_history_be_ambiguous(history);
        } /* else key states alone, say: no secondary has anything to learn */
        return false;
    }
    if (history->ambiguous) { /* It begins at the serial that had two contents. */
        history->ambiguous = false;
        return false;
    }
    if (!link->is_sound) {
        zone_history_clear(history);
    }
    return link->is_sound;
}

void zone_history_add(struct zone_history *history, struct zone_history_link *link, bool breaks,
                      const struct zone_history_commit *commit)
{
    const struct zone_history_link *newest = history->newest;
    bool ambiguous = history->ambiguous;
    if (breaks || !link->has_header ||
        (newest != NULL && newest->header.serial_to != link->header.serial_from)) {
        zone_history_clear(history);
        history->ambiguous = ambiguous;
    }
    if (!is_link(history, link)) {
        zone_history_unref(link);
        return;
    }
    link->commit = *commit;
    link->older = history->newest;
    if (history->newest != NULL) {
        history->newest->newer = link;
    } else {
        history->oldest = link;
    }
    history->bytes += bytes_of(link);
    history->records += records_of(link);
    history->links++;
    epoch_publish(&history->newest, link);
    if (history->links > ZONE_HISTORY_LINKS_MAX) {
        zone_history_drop_oldest(history);
    }
}

void zone_history_trim(struct zone_history *history, const struct zone_history_limits *limits)
{
    while (history->bytes > limits->bytes_max || history->records > limits->records_max ||
           zone_history_oldest_at(history) < limits->at_min) {
        zone_history_drop_oldest(history);
    }
}

void zone_history_clear(struct zone_history *history)
{
    while (history->oldest != NULL) {
        zone_history_drop_oldest(history);
    }
    history->ambiguous = false;
}

void zone_history_be_ambiguous(struct zone_history *history)
{
    zone_history_clear(history);
    history->ambiguous = true;
}

size_t zone_history_collect(const struct zone_history *history, uint32_t serial, uint32_t serial_to,
                            const struct zone_history_link **out_links, size_t links_max)
{
    const struct zone_history_link *link = epoch_read(&history->newest);
    while (link != NULL && link->header.serial_to != serial_to) {
        link = epoch_read(&link->older); /* newer than the version that is answered from */
    }
    size_t count = 0;
    bool found = false;
    for (; link != NULL && !found && count < links_max; link = epoch_read(&link->older)) {
        out_links[count++] = link;
        found = link->header.serial_from == serial;
    }
    if (!found) {
        return 0;
    }
    for (size_t i = 0; i < count; i++) {
        struct zone_history_link *held = (struct zone_history_link *)(uintptr_t)out_links[i];
        __atomic_add_fetch(&held->references, 1, __ATOMIC_RELAXED);
    }
    for (size_t i = 0; i < count / 2; i++) { /* the oldest first */
        const struct zone_history_link *swap = out_links[i];
        out_links[i] = out_links[count - 1 - i];
        out_links[count - 1 - i] = swap;
    }
    return count;
}

void zone_history_unref(const struct zone_history_link *link)
{
    struct zone_history_link *held = (struct zone_history_link *)(uintptr_t)link;
    if (held == NULL) {
        return;
    }
    if (__atomic_sub_fetch(&held->references, 1, __ATOMIC_ACQ_REL) == 0) {
        buffer_free(&held->changeset);
        mem_free(held);
    }
}
