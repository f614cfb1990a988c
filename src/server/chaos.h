/*
 * server/chaos.h - what the server tells of itself, in class CH (RFC 4892)
 *
 * version.bind, version.server, hostname.bind, id.server and authors.bind are small zones like
 * any other, each with a SOA, an NS and a TXT record at its apex. So they answer as BIND's do,
 * denials and ANY included, and dispatch knows nothing of them.
 */
#pragma once

#include "zone/table.h"

struct chaos;

/* A text that is NULL or empty is not told: its names are refused. */
struct chaos_texts {
    const char *version, *hostname, *server_id;
};

/* `options` is put into the slots; borrowed. */
struct chaos *chaos_new(const struct chaos_texts *texts, const void *options);
void chaos_free(struct chaos *chaos);
struct zone_table *chaos_table(const struct chaos *chaos);
