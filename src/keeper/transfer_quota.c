#include "keeper/transfer_quota.h"

#include "base/mem.h"

struct transfer_lane {
    struct transfer_lane *next; /* servers in the order of their turns */
    struct remote server;
    unsigned running;
    struct transfer_place *first; /* who waits, oldest first */
    struct transfer_place **last;
};

struct transfer_quota {
    unsigned in_max, per_server_max;
    struct transfer_lane *lanes;
    struct transfer_lane **lanes_last;
    size_t running, waiting;
};

struct transfer_quota *transfer_quota_new(unsigned transfers_in, unsigned transfers_per_server)
{
    struct transfer_quota *quota = mem_alloc_zero(1, sizeof(*quota));

    quota->lanes_last = &quota->lanes;
    transfer_quota_set(quota, transfers_in, transfers_per_server);
    return quota;
}

void transfer_quota_free(struct transfer_quota *quota)
{
    ASSERT(quota->lanes == NULL);
    mem_free(quota);
}

void transfer_quota_set(struct transfer_quota *quota, unsigned transfers_in,
                        unsigned transfers_per_server)
{
    quota->in_max = transfers_in > 0 ? transfers_in : 1;
    quota->per_server_max = transfers_per_server > 0 ? transfers_per_server : 1;
}

static void lane_append(struct transfer_quota *quota, struct transfer_lane *lane)
{
    lane->next = NULL;
    *quota->lanes_last = lane;
    quota->lanes_last = &lane->next;
}

static void lane_take_out(struct transfer_quota *quota, struct transfer_lane *lane)
{
    struct transfer_lane **at = &quota->lanes;

    while (*at != lane) {
        at = &(*at)->next;
    }
    *at = lane->next;
    if (quota->lanes_last == &lane->next) {
        quota->lanes_last = at;
    }
}

static struct transfer_lane *lane_of(struct transfer_quota *quota, const struct remote *server)
{
    for (struct transfer_lane *lane = quota->lanes; lane != NULL; lane = lane->next) {
        if (remote_same_host(&lane->server, server)) {
            return lane;
        }
    }
    struct transfer_lane *lane = mem_alloc_zero(1, sizeof(*lane));
    lane->server = *server;
    lane->last = &lane->first;
    lane_append(quota, lane);
    return lane;
}

static void free_if_idle(struct transfer_quota *quota, struct transfer_lane *lane)
{
    if (lane->running == 0 && lane->first == NULL) {
        lane_take_out(quota, lane);
        mem_free(lane);
    }
}

static bool has_room(const struct transfer_quota *quota, const struct transfer_place *place)
{
    unsigned server_max = place->server_max > 0 ? place->server_max : quota->per_server_max;
    return quota->running < quota->in_max && place->lane->running < server_max;
}

static void run(struct transfer_quota *quota, struct transfer_place *place)
{
    place->running = true;
    place->lane->running++;
    quota->running++;
}

bool transfer_quota_take(struct transfer_quota *quota, struct transfer_place *place, void *owner,
                         const struct remote *server, unsigned server_max)
{
    ASSERT(place->lane == NULL);
    place->owner = owner;
    place->server_max = server_max;
    place->next = NULL;
    place->lane = lane_of(quota, server);
    if (place->lane->first == NULL && has_room(quota, place)) {
        run(quota, place);
        return true;
    }
    place->running = false;
    *place->lane->last = place;
    place->lane->last = &place->next;
    quota->waiting++;
    return false;
}

static void leave_line(struct transfer_quota *quota, struct transfer_place *place)
{
    struct transfer_place **at = &place->lane->first;

    while (*at != place) {
        at = &(*at)->next;
    }
    *at = place->next;
    if (place->lane->last == &place->next) {
        place->lane->last = at;
    }
    quota->waiting--;
}

void transfer_quota_give(struct transfer_quota *quota, struct transfer_place *place)
{
    struct transfer_lane *lane = place->lane;

    if (lane == NULL) {
        return;
    }
    if (place->running) {
        lane->running--;
        quota->running--;
    } else {
        leave_line(quota, place);
    }
    place->running = false;
    place->lane = NULL;
    free_if_idle(quota, lane);
}

void *transfer_quota_next(struct transfer_quota *quota)
{
    if (quota->waiting == 0 || quota->running >= quota->in_max) {
        return NULL;
    }
    struct transfer_lane *lane = quota->lanes;
    while (lane != NULL && (lane->first == NULL || !has_room(quota, lane->first))) {
        lane = lane->next;
    }
    if (lane == NULL) {
        return NULL;
    }
    struct transfer_place *place = lane->first;
    leave_line(quota, place);
    run(quota, place);
    lane_take_out(quota, lane); /* Others first, next time. */
    lane_append(quota, lane);
    return place->owner;
}

size_t transfer_quota_running(const struct transfer_quota *quota)
{
    return quota->running;
}

size_t transfer_quota_waiting(const struct transfer_quota *quota)
{
    return quota->waiting;
}
