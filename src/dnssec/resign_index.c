#include "dnssec/resign_index.h"

#include "base/mem.h"
#include "dnssec/rrsig.h"
#include "dnssec/touched.h"

enum { RANGES_FIRST = 8 };

static struct span begin_of(const struct resign_range *range)
{
    return (struct span){range->begin, range->length};
}

/* The last range that begins at or before the name. */
static size_t find(const struct resign_ranges *tree, struct span owner)
{
    size_t low = 0;
    size_t high = tree->count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (relative_compare(begin_of(tree->ranges[middle]), owner) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

struct resign_range *resign_index_range(const struct resign_index *index, bool nsec3,
                                        struct span owner)
{
    const struct resign_ranges *tree = &index->trees[nsec3];
    return tree->ranges[find(tree, owner)];
}

static struct resign_range *insert(struct resign_index *index, bool nsec3, size_t place,
                                   struct span begin)
{
    struct resign_ranges *tree = &index->trees[nsec3];
    if (tree->count == tree->max) {
        tree->max = tree->max == 0 ? RANGES_FIRST : 2 * tree->max;
        tree->ranges = mem_resize_array(tree->ranges, tree->max, sizeof(*tree->ranges));
    }
    size_t bytes = sizeof(struct resign_range) + begin.length;
    struct resign_range *range = mem_alloc_zero(1, bytes);
    range->nsec3 = nsec3;
    range->length = (uint8_t)begin.length;
    if (begin.length > 0) {
        memcpy(range->begin, begin.bytes, begin.length);
    }
    memmove(tree->ranges + place + 1, tree->ranges + place,
            (tree->count - place) * sizeof(struct resign_range *));
    tree->ranges[place] = range;
    tree->count++;
    index->range_bytes += bytes;
    return range;
}

/* An empty one; not the first. */
static void drop(struct resign_index *index, struct resign_range *range)
{
    struct resign_ranges *tree = &index->trees[range->nsec3];
    size_t place = find(tree, begin_of(range));
    ASSERT(place > 0 && tree->ranges[place] == range);
    heap_remove(&index->heap, &range->due);
    memmove(tree->ranges + place, tree->ranges + place + 1,
            (tree->count - place - 1) * sizeof(struct resign_range *));
    tree->count--;
    index->range_bytes -= sizeof(struct resign_range) + range->length;
    mem_free(range);
}

struct resign_range *resign_index_most_urgent(const struct resign_index *index)
{
    return (struct resign_range *)(void *)heap_first(&index->heap);
}

void resign_index_set(struct resign_index *index, struct resign_range *range, sg_time expiration)
{
    if (expiration == INT64_MAX) {
        heap_remove(&index->heap, &range->due);
    } else {
        heap_put(&index->heap, &range->due, expiration);
    }
}

static void lower(struct resign_index *index, struct resign_range *range, sg_time expiration)
{
    if (expiration != INT64_MAX && (range->due.place == 0 || expiration < range->due.key)) {
        heap_put(&index->heap, &range->due, expiration);
    }
}

void resign_index_mark(struct resign_index *index, struct resign_range *range)
{
    if (range->stale) {
        return;
    }
    if (index->stale_count == index->stale_max) {
        index->stale_max = index->stale_max == 0 ? RANGES_FIRST : 2 * index->stale_max;
        index->stale = mem_resize_array(index->stale, index->stale_max, sizeof(*index->stale));
    }
    index->stale[index->stale_count++] = range;
    range->stale = true;
}

void resign_walk_start(struct resign_walk *walk, const struct resign_index *index,
                       const struct resign_range *range, const struct zone_version *version)
{
    const struct resign_ranges *tree = &index->trees[range->nsec3];
    size_t place = find(tree, begin_of(range));
    walk->end = place + 1 < tree->count ? tree->ranges[place + 1] : NULL;
    if (range->nsec3) {
        zone_cursor_seek_nsec3(&walk->cursor, version, begin_of(range));
    } else {
        struct dns_name begin;
        relative_join(begin_of(range), zone_version_apex(version), &begin);
        zone_cursor_seek(&walk->cursor, version, &begin);
    }
}

bool resign_walk_next(struct resign_walk *walk)
{
    return zone_cursor_next(&walk->cursor) &&
           (walk->end == NULL ||
            relative_compare(zone_node_owner(&walk->cursor.node), begin_of(walk->end)) < 0);
}

static bool is_large(const struct resign_index *index, const struct resign_range *range)
{
    return range->names > 2 * index->range_names;
}

/* Walk the range in the version and learn the truth; in pieces, if it has grown too large. */
static void learn(struct resign_index *index, struct resign_range *range,
                  const struct zone_version *version)
{
    struct resign_walk walk;
    uint32_t pieces = range->names / index->range_names;
    uint32_t piece_names =
        is_large(index, range) ? (range->names + pieces - 1) / pieces : UINT32_MAX;
    struct resign_ranges *tree = &index->trees[range->nsec3];
    size_t place = find(tree, begin_of(range));
    sg_time first = INT64_MAX;
    uint32_t names = 0;
    resign_walk_start(&walk, index, range, version);
    while (resign_walk_next(&walk)) {
        if (names == piece_names) {
            range->names = names;
            resign_index_set(index, range, first);
            range = insert(index, range->nsec3, ++place, zone_node_owner(&walk.cursor.node));
            first = INT64_MAX;
            names = 0;
        }
        sg_time there = rrsig_first_expiration(&walk.cursor.node, range->nsec3, index->now);
        first = there < first ? there : first;
        names++;
    }
    range->names = names;
    resign_index_set(index, range, first);
    if (names == 0 && place > 0) {
        drop(index, range);
    }
}

struct resign_index *resign_index_new(const struct zone_version *version, sg_time now)
{
    return resign_index_new_cut(version, now, RESIGN_RANGE_NAMES);
}

struct resign_index *resign_index_new_cut(const struct zone_version *version, sg_time now,
                                          uint32_t range_names)
{
    struct resign_index *index = mem_alloc_zero(1, sizeof(*index));
    index->now = now;
    index->range_names = range_names;
    for (int nsec3 = 0; nsec3 < 2; nsec3++) {
        struct resign_range *all = insert(index, nsec3 == 1, 0, (struct span){NULL, 0});
        struct zone_cursor cursor;
        (nsec3 == 1 ? zone_cursor_start_nsec3 : zone_cursor_start)(&cursor, version);
        while (zone_cursor_next(&cursor)) {
            all->names++;
        }
        learn(index, all, version);
    }
    return index;
}

void resign_index_free(struct resign_index *index)
{
    if (index == NULL) {
        return;
    }
    for (int nsec3 = 0; nsec3 < 2; nsec3++) {
        struct resign_ranges *tree = &index->trees[nsec3];
        for (size_t i = 0; i < tree->count; i++) {
            mem_free(tree->ranges[i]);
        }
        mem_free(tree->ranges);
    }
    mem_free(index->stale);
    heap_free(&index->heap);
    mem_free(index);
}

static void note_tree(struct resign_index *index, const struct zone_version *old,
                      const struct zone_version *new, bool nsec3)
{
    struct zone_diff *diff = zone_diff_new(old, new, nsec3);
    struct zone_difference difference;
    while (zone_diff_next(diff, &difference)) {
        struct resign_range *range = resign_index_range(index, nsec3, difference.owner);
        bool was = difference.old.source != NULL;
        bool is = difference.new.source != NULL;
        range->names += is && !was;
        range->names -= was && !is && range->names > 0;
        if (is) {
            lower(index, range, rrsig_first_expiration(&difference.new, nsec3, index->now));
        }
        if (range->names == 0 || is_large(index, range)) {
            resign_index_mark(index, range);
        }
    }
    zone_diff_free(diff);
}

void resign_index_note(struct resign_index *index, const struct zone_version *old,
                       const struct zone_version *new, sg_time now)
{
    index->now = now;
    note_tree(index, old, new, false);
    note_tree(index, old, new, true);
    for (size_t i = 0; i < index->stale_count; i++) {
        index->stale[i]->stale = false;
        learn(index, index->stale[i], new);
    }
    index->stale_count = 0;
}

sg_time resign_index_first(const struct resign_index *index)
{
    const struct resign_range *range = resign_index_most_urgent(index);
    return range != NULL ? range->due.key : INT64_MAX;
}

bool resign_index_first_node(const struct resign_index *index, const struct zone_version *version,
                             struct dns_name *out_owner, uint16_t *out_type)
{
    const struct resign_range *range = resign_index_most_urgent(index);
    struct resign_walk walk;
    sg_time first = INT64_MAX;
    uint16_t type = 0;
    if (range == NULL) {
        return false;
    }
    resign_walk_start(&walk, index, range, version);
    while (resign_walk_next(&walk)) {
        sg_time there = rrsig_first_expiring(&walk.cursor.node, range->nsec3, index->now, &type);
        if (there < first) {
            first = there;
            *out_type = type;
            relative_join(zone_node_owner(&walk.cursor.node), zone_version_apex(version),
                          out_owner);
        }
    }
    return first != INT64_MAX;
}

size_t resign_index_bytes(const struct resign_index *index)
{
    return sizeof(*index) + index->range_bytes +
           (index->trees[0].max + index->trees[1].max + index->stale_max) *
               sizeof(struct resign_range *) +
           index->heap.capacity * sizeof(struct heap_node *);
}
