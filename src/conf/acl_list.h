/*
 * conf/acl_list.h - what an address match list is inside; private to conf/
 *
 * Elements stand in the order of the file, flattened where that changes nothing. A run of many
 * addresses and prefixes also has its ranges: sorted, disjoint, each with the verdict of the
 * first element that covers it. A list that is inside another is a list of its own only when it
 * has elements that refuse.
 */
#pragma once

#include "conf/acl.h"
#include "conf/memory.h"

enum {
    ACL_ELEMENTS_MAX = 1 << 20,
    ACL_DEPTH_MAX = 16,       /* lists within lists, names followed */
    ACL_RUN_ELEMENTS_MIN = 8, /* fewer are compared one by one */
};

enum acl_element_kind { ACL_PREFIX4, ACL_PREFIX6, ACL_ANY, ACL_KEY, ACL_LIST };

/* Two 64-bit halves, the high one first, so that an IPv6 address compares in two steps. */
struct acl_address {
    uint64_t high, low;
};

struct acl_element {
    uint8_t kind;
    bool negated;
    uint8_t prefix_length;
    union {
        struct acl_address prefix; /* IPv4: in `low` */
        const struct dns_name *key;
        const struct conf_acl *list;
    };
};

enum acl_verdict { ACL_NO_MATCH, ACL_YES, ACL_NO };

/* From `first` up to before the next range's `first`. */
struct acl_range {
    struct acl_address first;
    enum acl_verdict verdict;
};

struct acl_run {
    uint32_t first, elements; /* where it begins, and how many it stands for */
    uint32_t ranges4_count, ranges6_count;
    const struct acl_range *ranges4, *ranges6;
};

struct conf_acl {
    bool any, none; /* decided without looking */
    bool has_keys;
    bool has_negated; /* some element refuses */
    uint8_t depth;    /* of lists in it */
    const char *name; /* "localhost", "localnets": printed so; or NULL */
    const struct acl_element *elements;
    uint32_t count;
    uint32_t runs_count;
    const struct acl_run *runs;
};

/* The list of these elements; equal lists are the same pointer. Copies the
 * elements, whose padding must be cleared; `name` is interned, or NULL. */
const struct conf_acl *acl_list_new(struct conf_memory *memory, const struct acl_element *elements,
                                    size_t count, const char *name);
/* The prefix as an element. */
struct acl_element acl_element_of_bytes(bool ipv6, const uint8_t *bytes, unsigned prefix_length);
/* The 4 or 16 bytes of an element's prefix. */
void acl_element_bytes(const struct acl_element *element, uint8_t out_bytes[16]);
