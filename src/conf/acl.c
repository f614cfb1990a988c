#include "conf/acl.h"

#include "conf/acl_list.h"

/* A list that is being matched, and what its match means for the one around it. */
struct acl_frame {
    const struct conf_acl *list;
    uint32_t next;
    uint32_t next_run;
};

static struct acl_address address_of(const struct net_address *client, bool *out_ipv6)
{
    unsigned length;
    const uint8_t *bytes = net_address_bytes(client, &length);

    *out_ipv6 = length == 16;
    if (length == 4) {
        return (struct acl_address){0, wire_get_u32(bytes)};
    }
    return (struct acl_address){(uint64_t)wire_get_u32(bytes) << 32 | wire_get_u32(bytes + 4),
                                (uint64_t)wire_get_u32(bytes + 8) << 32 | wire_get_u32(bytes + 12)};
}

static bool is_before(struct acl_address a, struct acl_address b)
{
    return a.high != b.high ? a.high < b.high : a.low < b.low;
}

static enum acl_verdict run_verdict(const struct acl_range *ranges, uint32_t count,
                                    struct acl_address address)
{
    uint32_t low = 0, high = count; /* The range before `high` may cover it. */

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (is_before(address, ranges[middle].first)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low == 0 ? ACL_NO_MATCH : ranges[low - 1].verdict;
}

static inline bool prefix_covers(const struct acl_element *element, struct acl_address address)
{
    struct acl_address differs = {element->prefix.high ^ address.high,
                                  element->prefix.low ^ address.low};
    unsigned length = element->prefix_length;

    if (element->kind == ACL_PREFIX4) {
        return length == 0 || differs.low >> (32 - length) == 0;
    }
    if (length <= 64) {
        return length == 0 || differs.high >> (64 - length) == 0;
    }
    return differs.high == 0 && differs.low >> (128 - length) == 0;
}

static bool element_matches(const struct acl_element *element, struct acl_address address,
                            bool ipv6, const struct tsig_key *key)
{
    switch ((enum acl_element_kind)element->kind) {
    case ACL_PREFIX4:
        return !ipv6 && prefix_covers(element, address);
    case ACL_PREFIX6:
        return ipv6 && prefix_covers(element, address);
    case ACL_ANY:
        return true;
    case ACL_KEY:
        return key != NULL && dns_name_equal(&key->name, element->key);
    case ACL_LIST:
        break;
    }
    UNREACHABLE();
}

/* The verdict of the run of prefixes that the frame stands on; the frame moves on behind it. */
static enum acl_verdict pass_run(struct acl_frame *frame, struct acl_address address, bool ipv6)
{
    const struct acl_run *run = &frame->list->runs[frame->next_run++];

    frame->next += run->elements;
    return ipv6 ? run_verdict(run->ranges6, run->ranges6_count, address)
                : run_verdict(run->ranges4, run->ranges4_count, address);
}

/*
 * The list's verdict so far: moves the frame on to the first element that decides, or to a list
 * inside it, which is left to the caller with the frame standing on it.
 */
static enum acl_verdict list_verdict(struct acl_frame *frame, struct acl_address address, bool ipv6,
                                     const struct tsig_key *key)
{
    const struct conf_acl *list = frame->list;

    while (frame->next < list->count) {
        const struct acl_element *element = &list->elements[frame->next];
        if (element->kind == ACL_LIST) {
            return ACL_NO_MATCH;
        }
        bool at_run =
            frame->next_run < list->runs_count && list->runs[frame->next_run].first == frame->next;
        if (!at_run && element_matches(element, address, ipv6, key)) {
            return element->negated ? ACL_NO : ACL_YES;
        }
        if (!at_run) {
            frame->next++;
            continue;
        }
        enum acl_verdict verdict = pass_run(frame, address, ipv6);
        if (verdict != ACL_NO_MATCH) {
            return verdict;
        }
    }
    return ACL_NO_MATCH;
}

bool conf_acl_matches(const struct conf_acl *acl, const struct net_address *client,
                      const struct net_address *local, const struct tsig_key *key)
{
    (void)local; /* `localhost` is every address of ours, whichever one was asked. */
    if (acl->any || acl->none) {
        return acl->any;
    }

    struct acl_frame frames[ACL_DEPTH_MAX + 1]; /* not cleared: most lists need one */
    unsigned depth = 0;
    bool ipv6;
    struct acl_address address = address_of(client, &ipv6);

    frames[0] = (struct acl_frame){acl, 0, 0};
    /* Each turn moves a frame on: bounded by the elements of all lists inside. */
    for (;;) {
        struct acl_frame *frame = &frames[depth];
        enum acl_verdict verdict = list_verdict(frame, address, ipv6, key);
        if (verdict == ACL_NO_MATCH && frame->next < frame->list->count) {
            ASSERT(depth < ACL_DEPTH_MAX);
            frames[++depth] = (struct acl_frame){frame->list->elements[frame->next].list, 0, 0};
            continue;
        }
        /* An inner list that accepts decides by the sign of the element that it is; one that
         * refuses, or does not match, decides nothing. */
        while (depth > 0 && verdict == ACL_YES) {
            frame = &frames[--depth];
            verdict = frame->list->elements[frame->next].negated ? ACL_NO : ACL_YES;
        }
        if (depth == 0) {
            return verdict == ACL_YES;
        }
        frames[--depth].next++;
    }
}

bool conf_acl_is_any(const struct conf_acl *acl)
{
    return acl->any;
}

bool conf_acl_is_none(const struct conf_acl *acl)
{
    return acl->none;
}

bool conf_acl_has_keys(const struct conf_acl *acl)
{
    return acl->has_keys;
}
