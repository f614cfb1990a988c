#include "keeper/refresh_settings.h"

#include <string.h>

static bool same_key(const struct tsig_key *a, const struct tsig_key *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    return dns_name_equal(&a->name, &b->name) && a->algorithm == b->algorithm &&
           a->mac_bits == b->mac_bits && a->secret_length == b->secret_length &&
           memcmp(a->secret, b->secret, a->secret_length) == 0;
}

bool refresh_same_primaries(const struct refresh_settings *a, const struct refresh_settings *b)
{
    if (a->primaries_count != b->primaries_count) {
        return false;
    }
    for (size_t i = 0; i < a->primaries_count; i++) {
        const struct remote *remote = &a->primaries[i].remote;
        const struct remote *other = &b->primaries[i].remote;
        if (!remote_equal(remote, other) || !same_key(remote->key, other->key) ||
            a->primaries[i].bogus != b->primaries[i].bogus) {
            return false;
        }
    }
    return true;
}
