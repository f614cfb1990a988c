#include "dns/rrtype.h"
#include "keeper/key_preparation.h"

/*
 * With `purge-keys 0`, or a long one and short lifetimes, the files of all keys that ever were pile
 * up. A key that is gone is of no matter to the plan, but for being purged, and would take the
 * place of one that is to be made: beyond a number they are left out of the look, never removed.
 */
enum { KEYS_SEEN_MAX = ZONE_KEYS_MAX / 2 };

static sg_time gone_since(const struct signing_key *key)
{
    sg_time newest = key->times[KEY_DELETE];
    for (int record = 0; record < KEY_RECORDS; record++) {
        sg_time change = key->state.changes[record];
        newest = change != KEY_TIME_UNSET && change > newest ? change : newest;
    }
    return newest;
}

static bool may_be_left_out(const struct preparation *p, const struct dns_rrset *served,
                            const struct signing_key *key)
{
    return kasp_key_is_gone(key, p->now) && zone_facts_has_nothing_of(p->facts, p->twins, key) &&
           (served == NULL || !key_search_rrset_has(served, key->dnskey));
}

/* Of those the one that is to be seen least: where keys are purged, it is purged last; else it has
 * been gone for the longest time. SIZE_MAX: there is none. */
static size_t least_of(const struct preparation *p, const struct dns_rrset *served)
{
    size_t least = SIZE_MAX;
    sg_time least_since = 0;
    for (size_t i = 0; i < p->list->count; i++) {
        const struct signing_key *key = p->list->keys[i];
        sg_time since = gone_since(key);
        bool is_less = p->policy->purge_keys > 0 ? since > least_since : since < least_since;
        if (may_be_left_out(p, served, key) && (least == SIZE_MAX || is_less)) {
            least = i;
            least_since = since;
        }
    }
    return least;
}

void key_archive_leave_out(struct preparation *p)
{
    struct dns_rrset rrset;
    bool some = p->served != NULL && p->list->count > KEYS_SEEN_MAX &&
                zone_node_rrset(zone_version_apex_node(p->served), ZONE_VIEW_SIGNED,
                                DNS_TYPE_DNSKEY, &rrset);
    const struct dns_rrset *served = some ? &rrset : NULL;
    while (p->list->count > KEYS_SEEN_MAX) {
        size_t least = least_of(p, served);
        if (least == SIZE_MAX) {
            return;
        }
        signing_key_free(p->list->keys[least]);
        p->list->count--;
        for (size_t i = least; i < p->list->count; i++) {
            p->list->keys[i] = p->list->keys[i + 1]; /* in their order */
        }
    }
}
