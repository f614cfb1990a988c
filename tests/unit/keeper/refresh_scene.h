/* A secondary with up to three primaries, as refresh.h sees it. */
#pragma once

#include "keeper/refresh.h"
#include "support/table.h"

enum {
    T0 = 1700000000,
    REFRESH = 3600,
    RETRY = 600,
    EXPIRE = 86400,
    PRIMARIES = 3,
};

struct scene {
    struct refresh_shared shared;
    struct refresh_primary primaries[PRIMARIES];
    struct refresh_settings settings;
    struct refresh *refresh;
    struct refresh_order order;
    sg_time now;
    int verdict;
    uint32_t serial;
};

static inline struct dns_soa soa_of(uint32_t serial)
{
    return (struct dns_soa){serial, REFRESH, RETRY, EXPIRE, 60};
}

static inline void scene_init(struct scene *scene, size_t primaries)
{
    memset(scene, 0, sizeof(*scene));
    scene->now = T0;
    scene->shared.quota = transfer_quota_new(10, 2);
    for (size_t i = 0; i < PRIMARIES; i++) {
        scene->primaries[i] = (struct refresh_primary){
            .remote = {.address = {192, 0, 2, (uint8_t)(i + 1)}, .address_length = 4, .port = 53},
            .request_ixfr = true,
            .request_expire = true,
            .edns = true,
        };
    }
    scene->settings = (struct refresh_settings){
        .primaries = scene->primaries,
        .primaries_count = primaries,
        .bounds = {300, 2419200, 300, 1209600},
        .try_tcp = true,
    };
    scene->refresh = refresh_new(&scene->shared, &scene->settings, scene, T0);
    scene->serial = 10;
}

static inline void scene_clear(struct scene *scene)
{
    refresh_free(scene->refresh);
    assert_int_equal(transfer_quota_running(scene->shared.quota), 0);
    transfer_quota_free(scene->shared.quota);
}
