#include "zone/history.h"

#include <stddef.h>

#include "base/mem.h"
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
    uint64_t commit;
    struct zone_changeset_header header;
    struct buffer changeset;
    struct epoch_retired leaving;
};

static size_t bytes_of(const struct zone_history_link *link)
{
    return sizeof(*link) + link->changeset.capacity;
}

static void leave(struct epoch_retired *leaving)
{
    zone_history_unref(
        (struct zone_history_link *)(void *)((char *)leaving -
                                             offsetof(struct zone_history_link, leaving)));
}

static void drop_oldest(struct zone_history *history)
{
    struct zone_history_link *link = history->oldest;
    history->oldest = link->newer;
    history->bytes -= bytes_of(link);
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
    return history->oldest == NULL ? UINT64_MAX : history->oldest->commit;
}

void zone_history_add(struct zone_history *history, struct buffer *changeset, bool breaks,
                      uint64_t commit)
{
    struct zone_changeset_header header;
    bool sound = zone_changeset_header(buffer_span(changeset), &header) == SG_OK;
    const struct zone_history_link *newest = history->newest;
    bool begins_at_two = history->ambiguous;
    if (breaks || !sound || (newest != NULL && newest->header.serial_to != header.serial_from)) {
        zone_history_clear(history);
    }
    bool rises = sound && serial_compare(header.serial_to, header.serial_from) > 0;
    if (!rises || begins_at_two) {
        if (rises) {
            history->ambiguous = false;
        } else if (sound && header.deleted + header.added > 0) {
            zone_history_be_ambiguous(history);
        } /* else key states alone, say: no secondary has anything to learn */
        buffer_free(changeset);
        return;
    }
    struct zone_history_link *link = mem_alloc_zero(1, sizeof(*link));
    link->references = 1;
    link->commit = commit;
    link->header = header;
    link->changeset = *changeset;
    link->changeset.bytes = mem_resize(link->changeset.bytes, link->changeset.length);
    link->changeset.capacity = link->changeset.length;
    *changeset = BUFFER_EMPTY;
    link->older = history->newest;
    if (history->newest != NULL) {
        history->newest->newer = link;
    } else {
        history->oldest = link;
    }
    history->bytes += bytes_of(link);
    history->links++;
    epoch_publish(&history->newest, link);
    if (history->links > ZONE_HISTORY_LINKS_MAX) {
        drop_oldest(history);
    }
}

void zone_history_trim(struct zone_history *history, size_t bytes_max)
{
    while (history->bytes > bytes_max) {
        drop_oldest(history);
    }
}

void zone_history_clear(struct zone_history *history)
{
    while (history->oldest != NULL) {
        drop_oldest(history);
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
    if (__atomic_sub_fetch(&held->references, 1, __ATOMIC_ACQ_REL) == 0) {
        buffer_free(&held->changeset);
        mem_free(held);
    }
}
