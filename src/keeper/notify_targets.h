/*
 * keeper/notify_targets.h - whom a change of a zone is told (RFC 1996 2.1, 3.3)
 *
 *   notify no            nobody
 *   notify explicit      also-notify
 *   notify yes           also-notify and the servers of the zone's NS RRset
 *   notify primary-only  the same, where the zone is a primary
 *
 * Of the NS RRset, the server that the SOA names as primary is left out (unless notify-to-soa), and
 * so is whatever address is our own, or bogus. Addresses come from the zone itself (in-zone names
 * and glue) or from another zone that is served here; nobody else is asked, so names elsewhere stay
 * unknown and belong into also-notify: the log says so. Who is listed twice is told once, with
 * also-notify's key.
 */
#pragma once

#include "keeper/remote.h"
#include "zone/version.h"

enum notify_mode { NOTIFY_NO, NOTIFY_YES, NOTIFY_EXPLICIT, NOTIFY_PRIMARY_ONLY };

enum { NOTIFY_TARGETS_MAX = 1024 };

struct notify_rules {
    enum notify_mode mode;
    bool is_primary;
    bool to_soa;
    uint16_t port; /* of name servers: 53 */
    const struct remote *also;
    size_t also_count;
    /* Is it one of the addresses that we serve? Is it bogus, so that nobody speaks to it? NULL:
     * none is. */
    bool (*is_ours)(void *argument, const struct remote *remote);
    bool (*is_bogus)(void *argument, const struct remote *remote);
    /* The deepest zone served here that a name (lower case) lies in, or NULL. May be NULL. Borrowed
     * until notify_targets_collect() returns. */
    const struct zone_version *(*zone_of)(void *argument, const struct dns_name *name);
    void *argument;
};

struct notify_targets {
    struct remote *remotes;
    size_t count;
    size_t unknown;               /* name servers whose address is found nowhere */
    struct dns_name unknown_name; /* the first of them */
    uint32_t unknown_mark;        /* others have another one */
    bool cut_short;               /* there were more than NOTIFY_TARGETS_MAX */
    bool some_bogus;              /* there were others, who may have the zone all the same */
};

/* Thread: keeper, holding `version`. O(name servers). */
void notify_targets_collect(const struct zone_version *version, const struct notify_rules *rules,
                            struct notify_targets *out_targets);
void notify_targets_clear(struct notify_targets *targets);
