#include "zone/rdata_list.h"

#include "base/mem.h"
#include "dns/rdata.h"

enum { ROOM_MIN = 4 }; /* most RRsets are small */

struct rdata_run {
    uint32_t count, capacity;
    const uint8_t *rdatas[];
};

static size_t bytes_of(uint32_t capacity)
{
    return sizeof(struct rdata_run) + capacity * sizeof(const uint8_t *);
}

static int compare(uint16_t type, struct span rdata, const uint8_t *packed)
{
    return dns_rdata_compare(type, rdata, (struct span){packed + 2, wire_get_u16(packed)});
}

static struct rdata_run *add_run(struct rdata_list *list, uint32_t place, uint32_t capacity)
{
    if (list->runs_count == list->runs_max) {
        list->runs_max = list->runs_max > 0 ? 2 * list->runs_max : 1;
        list->runs = mem_resize_array(list->runs, list->runs_max, sizeof(*list->runs));
    }
    struct rdata_run **at = list->runs + place;
    memmove(at + 1, at, (list->runs_count - place) * sizeof(*at));
    *at = mem_alloc(bytes_of(capacity));
    (*at)->count = 0;
    (*at)->capacity = capacity;
    list->runs_count++;
    return *at;
}

static void drop_run(struct rdata_list *list, uint32_t place)
{
    struct rdata_run **at = list->runs + place;
    mem_free(*at);
    list->runs_count--;
    memmove(at, at + 1, (list->runs_count - place) * sizeof(*at));
}

void rdata_list_fill(struct rdata_list *list, const struct dns_rrset *rrset)
{
    struct rdata_run *run = NULL;
    ASSERT(list->count == 0);
    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        if (run == NULL || run->count == RDATA_RUN_MAX) {
            uint32_t left = rrset->count - list->count + ROOM_MIN;
            run = add_run(list, list->runs_count, left < RDATA_RUN_MAX ? left : RDATA_RUN_MAX);
        }
        run->rdatas[run->count++] = c.rdata.bytes - 2;
        list->count++;
    }
}

void rdata_list_clear(struct rdata_list *list)
{
    for (uint32_t i = 0; i < list->runs_count; i++) {
        mem_free(list->runs[i]);
    }
    mem_free(list->runs);
    *list = (struct rdata_list){.count = 0};
}

/* The last run that begins at or before it. */
static uint32_t find_run(const struct rdata_list *list, uint16_t type, struct span rdata)
{
    uint32_t low = 0, high = list->runs_count;
    while (low + 1 < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(type, rdata, list->runs[middle]->rdatas[0]) < 0) {
            high = middle;
        } else {
            low = middle;
        }
    }
    return low;
}

bool rdata_list_find(const struct rdata_list *list, uint16_t type, struct span rdata,
                     struct rdata_place *out_place)
{
    *out_place = (struct rdata_place){0, 0};
    if (list->runs_count == 0) {
        return false;
    }
    out_place->run = find_run(list, type, rdata);
    const struct rdata_run *run = list->runs[out_place->run];
    uint32_t low = 0, high = run->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = compare(type, rdata, run->rdatas[middle]);
        if (order == 0) {
            out_place->at = middle;
            return true;
        }
        if (order > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    out_place->at = low;
    return false;
}

/* Its second half becomes a run of its own. */
static void split(struct rdata_list *list, struct rdata_place *place)
{
    enum { HALF = RDATA_RUN_MAX / 2 };
    struct rdata_run *behind = add_run(list, place->run + 1, RDATA_RUN_MAX);
    struct rdata_run *run = list->runs[place->run];
    behind->count = run->count - HALF;
    memcpy(behind->rdatas, run->rdatas + HALF, behind->count * sizeof(const uint8_t *));
    run->count = HALF;
    if (place->at > HALF) {
        place->run++;
        place->at -= HALF;
    }
}

static void grow(struct rdata_run **run)
{
    uint32_t capacity = 2 * (*run)->capacity;
    capacity = capacity < RDATA_RUN_MAX ? capacity : RDATA_RUN_MAX;
    *run = mem_resize(*run, bytes_of(capacity));
    (*run)->capacity = capacity;
}

void rdata_list_insert(struct rdata_list *list, struct rdata_place place, const uint8_t *packed)
{
    if (list->runs_count == 0) {
        add_run(list, 0, ROOM_MIN);
    } else if (list->runs[place.run]->count == RDATA_RUN_MAX) {
        split(list, &place);
    } else if (list->runs[place.run]->count == list->runs[place.run]->capacity) {
        grow(&list->runs[place.run]);
    }
    struct rdata_run *run = list->runs[place.run];
    ASSERT(place.at <= run->count);
    memmove(run->rdatas + place.at + 1, run->rdatas + place.at,
            (run->count - place.at) * sizeof(const uint8_t *));
    run->rdatas[place.at] = packed;
    run->count++;
    list->count++;
}

const uint8_t *rdata_list_remove(struct rdata_list *list, struct rdata_place place)
{
    struct rdata_run *run = list->runs[place.run];
    ASSERT(place.at < run->count);
    const uint8_t *packed = run->rdatas[place.at];
    run->count--;
    list->count--;
    memmove(run->rdatas + place.at, run->rdatas + place.at + 1,
            (run->count - place.at) * sizeof(const uint8_t *));
    if (run->count == 0) {
        drop_run(list, place.run);
    }
    return packed;
}

const uint8_t *rdata_list_at(const struct rdata_list *list, uint32_t index)
{
    uint32_t run = 0;
    ASSERT(index < list->count);
    while (index >= list->runs[run]->count) {
        index -= list->runs[run++]->count;
    }
    return list->runs[run]->rdatas[index];
}

const uint8_t *rdata_list_next(const struct rdata_list *list, struct rdata_place *place)
{
    if (place->run < list->runs_count && place->at == list->runs[place->run]->count) {
        *place = (struct rdata_place){place->run + 1, 0};
    }
    return place->run < list->runs_count ? list->runs[place->run]->rdatas[place->at++] : NULL;
}
