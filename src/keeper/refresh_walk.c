#include "keeper/refresh_walk.h"

const struct refresh_primary *refresh_walk_present(const struct refresh_walk *walk,
                                                   const struct refresh_settings *settings)
{
    return &settings->primaries[(walk->first + walk->tried) % settings->primaries_count];
}

void refresh_walk_meet(struct refresh_walk *walk, const struct refresh_settings *settings)
{
    const struct refresh_primary *primary = refresh_walk_present(walk, settings);
    walk->tcp = primary->tcp_only;
    walk->no_edns = !primary->edns;
    walk->no_ixfr = false;
    walk->has_expire = false;
}

bool refresh_walk_another_way(struct refresh_walk *walk, const struct refresh_settings *settings,
                              const struct refresh_reply *reply)
{
    bool unheard =
        reply->result == SG_TIMEOUT || reply->result == SG_REFUSED || reply->result == SG_IO;

    if (!walk->tcp &&
        ((unheard && settings->try_tcp) || (reply->result == SG_OK && reply->truncated))) {
        walk->tcp = true;
        return true;
    }
    /* RFC 6891 7: what a server does that does not know EDNS, or no version of it */
    if (!walk->no_edns && reply->result == SG_OK &&
        (reply->rcode == DNS_RCODE_FORMERR || reply->rcode == DNS_RCODE_NOTIMP ||
         reply->rcode == DNS_RCODE_BADVERS)) {
        walk->no_edns = true;
        return true;
    }
    return false;
}

bool refresh_walk_has_ixfr(const struct refresh_walk *walk, const struct refresh_settings *settings)
{
    return refresh_walk_present(walk, settings)->request_ixfr && !walk->no_ixfr && !walk->whole;
}

/* Whoever hangs up at an IXFR may not know it; silence and false signatures would be the same for
 * AXFR. */
bool refresh_walk_axfr_instead(struct refresh_walk *walk, const struct refresh_settings *settings,
                               enum sg_result result)
{
    if (!refresh_walk_has_ixfr(walk, settings) || result == SG_TIMEOUT || result == SG_REFUSED ||
        result == SG_BAD_KEY || result == SG_BAD_SIG || result == SG_BAD_TIME ||
        result == SG_CANCELLED) {
        return false;
    }
    walk->no_ixfr = true;
    return true;
}

size_t refresh_walk_place_of(const struct refresh_settings *settings, const struct remote *from)
{
    for (size_t i = 0; from != NULL && i < settings->primaries_count; i++) {
        if (remote_same_host(&settings->primaries[i].remote, from)) {
            return i;
        }
    }
    return 0;
}
