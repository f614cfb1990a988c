/*
 * server/front.h - the immutable snapshot that every query reads: views, zones, keys, texts
 *
 * Made by the keeper's thread from a conf and the keeper's slots, published with
 * dispatch_publish() (server/dispatch.h), retired by epoch when the next one is published. It
 * borrows the conf and the slots: both must live until a grace period after the next front was
 * published. A slot's `options` point to the `access` member of its `struct conf_zone`.
 */
#pragma once

#include "conf/conf.h"
#include "zone/table.h"

enum { FRONT_TEXT_BYTES_MAX = 255 };

/* One view's zones, in the order of conf->views. The array itself is only read by front_new(). */
struct front_zones {
    struct zone_slot *const *slots;
    size_t count;
};

struct front_view {
    const struct conf_view *conf;
    struct zone_table *table;
};

/* A text that a CH TXT query or NSID asks for; length 0: not told. */
struct front_text {
    uint8_t length;
    char bytes[FRONT_TEXT_BYTES_MAX];
};

struct front {
    struct epoch_retired retired;
    const struct conf *conf;
    struct front_view *views;
    size_t views_count;
    bool shows_view;   /* there are view statements: log lines name the view */
    bool plain_choice; /* one view that takes every client: nothing to match */
    struct front_text version, hostname, server_id;
};

/*
 * `zones` has conf->views_count elements. SG_EXISTS when a view has two zones of the same name:
 * nothing is made. Thread: keeper.
 */
MUST_USE enum sg_result front_new(const struct conf *conf, const struct front_zones *zones,
                                  struct front **out_front);
/* For a front that was never published. NULL is fine. */
void front_free(struct front *front);

/* The configuration of a slot's zone. Thread: any, inside an epoch. */
const struct conf_zone *front_zone(const struct zone_slot *slot);

/*
 * The first view of `rrclass` (CH has none unless configured) that takes this client, or NULL.
 * `key`: of the request's verified TSIG, or NULL. Thread: any, inside an epoch.
 */
const struct front_view *front_view_find(const struct front *front, uint16_t rrclass,
                                         const struct net_address *client,
                                         const struct net_address *local,
                                         const struct tsig_key *key, bool recursion_desired);
