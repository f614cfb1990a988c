#include "zone/lineage.h"

#include "base/mem.h"

static void free_version(struct zone_version *version)
{
    pieces_clear(&version->made);
    pieces_clear(&version->retired);
    arena_free_old_tables(version->retired_tables);
    mem_free(version);
}

static bool is_gone(const struct zone_version *version)
{
    return (__atomic_load_n(&version->state, __ATOMIC_ACQUIRE) & VERSION_GONE) != 0;
}

/* What the version retired is free, or in use again. */
static void keep_nothing(struct zone_version *version)
{
    version->lineage->kept_bytes -= version->kept_bytes;
    version->kept_bytes = 0;
}

struct zone_lineage *lineage_new(const struct dns_name *apex, uint16_t rrclass,
                                 const struct arena_sizes *sizes)
{
    struct zone_lineage *lineage = mem_alloc_zero(1, sizeof(*lineage));
    arena_init(&lineage->arena, sizes);
    lineage->holders = 1;
    lineage->rrclass = rrclass;
    lineage->apex = *apex;
    return lineage;
}

void lineage_unref(struct zone_lineage *lineage)
{
    if (__atomic_sub_fetch(&lineage->holders, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    for (struct zone_version *version = lineage->oldest, *next; version != NULL; version = next) {
        next = version->newer;
        free_version(version);
    }
    arena_clear(&lineage->arena);
    mem_free(lineage);
}

uint64_t lineage_bytes(const struct zone_lineage *lineage)
{
    return arena_bytes(&lineage->arena) + sizeof(*lineage) + sizeof(struct zone_version);
}

struct zone_version *lineage_draft(struct zone_lineage *lineage, const struct zone_version *base)
{
    struct zone_version *draft = mem_alloc_zero(1, sizeof(*draft));
    draft->lineage = lineage;
    if (base != NULL) {
        draft->names = base->names;
        draft->nsec3 = base->nsec3;
        draft->counts = base->counts;
        draft->facts = base->facts;
    }
    return draft;
}

void lineage_retire(struct zone_version *base, struct pieces *retired)
{
    ASSERT(base->retired.count == 0);
    base->retired = *retired;
    *retired = (struct pieces){0};
    base->kept_bytes =
        base->retired.bytes + base->retired.count * sizeof(struct piece) + sizeof(*base);
    base->lineage->kept_bytes += base->kept_bytes;
}

void lineage_append(struct zone_lineage *lineage, struct zone_version *version)
{
    version->state = 1;
    version->older = lineage->newest;
    *(lineage->newest != NULL ? &lineage->newest->newer : &lineage->oldest) = version;
    lineage->newest = version;
    __atomic_add_fetch(&lineage->holders, 1, __ATOMIC_RELAXED);
}

/*
 * Take a version that is gone out of the middle of the chain. The tables that the arena outgrew
 * since may be in use by older versions, and so are left to the one before it.
 */
static void drop_behind(struct zone_lineage *lineage, struct zone_version *version)
{
    struct zone_version *older = version->older;
    struct arena_old_table **end = &older->retired_tables;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    *end = version->retired_tables;
    version->retired_tables = NULL;
    older->newer = version->newer;
    *(version->newer != NULL ? &version->newer->older : &lineage->newest) = older;
    free_version(version);
}

/*
 * Versions behind `base` were never published: no reader knows what only they used, and what
 * their predecessor retired for them is in use again. They stay in the chain, empty, until they
 * are gone.
 */
static void undo_behind(struct zone_lineage *lineage, const struct zone_version *base)
{
    for (struct zone_version *version = lineage->newest, *older; version != base; version = older) {
        ASSERT(version != NULL); /* `base` is of this lineage. */
        ASSERT((__atomic_load_n(&version->state, __ATOMIC_ACQUIRE) & VERSION_REFS) == 0);
        older = version->older;
        pieces_release(&version->made, &lineage->arena);
        keep_nothing(older);
        pieces_clear(&older->retired);
        if (is_gone(version)) {
            drop_behind(lineage, version);
        }
    }
}

static void release_gone(struct zone_lineage *lineage)
{
    for (struct zone_version *oldest = lineage->oldest; is_gone(oldest); oldest = lineage->oldest) {
        ASSERT(oldest->newer != NULL); /* The caller holds a version. */
        keep_nothing(oldest);
        pieces_release(&oldest->retired, &lineage->arena);
        lineage->oldest = oldest->newer;
        lineage->oldest->older = NULL;
        free_version(oldest);
    }
    /* Nothing is left of its predecessors, so it can no longer be undone. */
    pieces_clear(&lineage->oldest->made);
    arena_trim(&lineage->arena);
}

static bool is_held(const struct zone_version *version)
{
    return (__atomic_load_n(&version->state, __ATOMIC_RELAXED) & VERSION_REFS) > 0;
}

static bool keeps_too_much(const struct zone_lineage *lineage)
{
    return lineage->kept_bytes > LINEAGE_KEPT_BYTES_MIN &&
           lineage->kept_bytes > arena_bytes(&lineage->arena) / LINEAGE_KEPT_FRACTION;
}

/*
 * The oldest that is held shall be let go; the next one, if that did not help. One more is no
 * reason to cut another, or so many slow transfers of a busy zone would cut each other for ever:
 * each has the time in which a part of the zone changes that is worth to be kept for it.
 */
static void limit_kept(struct zone_lineage *lineage, const struct zone_version *base)
{
    if (!keeps_too_much(lineage)) {
        return;
    }
    for (struct zone_version *at = lineage->oldest; at != base; at = at->newer) {
        if (is_held(at)) {
            __atomic_store_n(&at->unwanted, true, __ATOMIC_RELAXED);
            return;
        }
    }
}

void lineage_begin_edit(struct zone_lineage *lineage, const struct zone_version *base)
{
    undo_behind(lineage, base);
    release_gone(lineage);
    limit_kept(lineage, base);
    __atomic_add_fetch(&lineage->holders, 1, __ATOMIC_RELAXED);
}

/* A grace period after the last reference was dropped. */
static void leave(struct epoch_retired *leaving)
{
    struct zone_version *version =
        (struct zone_version *)(void *)((char *)leaving - offsetof(struct zone_version, leaving));
    struct zone_lineage *lineage = version->lineage;
    uint32_t state = __atomic_load_n(&version->state, __ATOMIC_RELAXED);
    uint32_t next;
    do {
        /* A reader that found it just before it was replaced may have taken a reference. */
        next = (state & VERSION_REFS) == 0 ? VERSION_GONE : state & ~(uint32_t)VERSION_LEAVING;
    } while (!__atomic_compare_exchange_n(&version->state, &state, next, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    if (next == VERSION_GONE) {
        lineage_unref(lineage);
    }
}

bool zone_version_is_unwanted(const struct zone_version *version)
{
    return __atomic_load_n(&version->unwanted, __ATOMIC_RELAXED);
}

const struct zone_version *zone_version_ref(const struct zone_version *version)
{
    struct zone_version *held = (struct zone_version *)(uintptr_t)version;
    uint32_t before = __atomic_fetch_add(&held->state, 1, __ATOMIC_RELAXED);
    ASSERT((before & VERSION_GONE) == 0 && (before & VERSION_REFS) < VERSION_REFS);
    return version;
}

void zone_version_unref(const struct zone_version *version)
{
    if (version == NULL) {
        return;
    }
    struct zone_version *held = (struct zone_version *)(uintptr_t)version;
    uint32_t state = __atomic_load_n(&held->state, __ATOMIC_RELAXED);
    uint32_t next;
    do {
        ASSERT((state & VERSION_REFS) > 0);
        next = state - 1;
        next |= (next & VERSION_REFS) == 0 ? VERSION_LEAVING : 0;
    } while (!__atomic_compare_exchange_n(&held->state, &state, next, false, __ATOMIC_ACQ_REL,
                                          __ATOMIC_RELAXED));
    if ((next & VERSION_REFS) == 0 && (state & VERSION_LEAVING) == 0) {
        epoch_retire(&held->leaving, leave);
    }
}
