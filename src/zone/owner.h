/*
 * zone/owner.h - relative owner names: labels below an apex, without the root label (private to
 * zone/)
 */
#pragma once

#include "dns/name.h"

/* Where the last `length` bytes of `name` begin, if a label begins there; else NULL. `length` is
 * at most `name_length`. */
static inline const uint8_t *owner_tail(const uint8_t *name, size_t name_length, size_t length)
{
    const uint8_t *tail = name + (name_length - length);
    while (name < tail) { /* a label may step over the place */
        name += 1 + *name;
    }
    return name == tail ? name : NULL;
}

static inline bool owner_is_at_or_below(struct span owner, struct span ancestor)
{
    if (owner.length < ancestor.length) {
        return false;
    }
    if (ancestor.length == 0) {
        return true;
    }
    const uint8_t *tail = owner.bytes + (owner.length - ancestor.length);
    return memcmp(tail, ancestor.bytes, ancestor.length) == 0 &&
           owner_tail(owner.bytes, owner.length, ancestor.length) != NULL;
}

static inline bool owner_is_below(struct span owner, struct span ancestor)
{
    return owner.length > ancestor.length && owner_is_at_or_below(owner, ancestor);
}

static inline bool owner_equal(struct span a, struct span b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.bytes, b.bytes, a.length) == 0);
}

static inline unsigned owner_labels(struct span owner)
{
    unsigned labels = 0;
    for (size_t at = 0; at < owner.length; at += 1U + owner.bytes[at]) {
        labels++;
    }
    return labels;
}

/* Labels of 1 to 63 bytes, lower case, no root label: could it be a relative owner name? */
static inline bool owner_is_valid(struct span owner)
{
    if (owner.length > DNS_NAME_BYTES_MAX - 1) {
        return false;
    }
    for (size_t at = 0; at < owner.length;) {
        size_t length = owner.bytes[at];
        if (length == 0 || length > DNS_LABEL_BYTES_MAX || length >= owner.length - at) {
            return false;
        }
        for (size_t end = at + length; at < end; at++) {
            if (dns_lower[owner.bytes[at + 1]] != owner.bytes[at + 1]) {
                return false;
            }
        }
        at++;
    }
    return true;
}

/* The part of `name` below `apex`, both lower case and absolute. False: it is not in the zone. */
static inline bool owner_of(const struct dns_name *name, const struct dns_name *apex,
                            struct span *out_owner)
{
    if (name->labels < apex->labels || name->length < apex->length) {
        return false;
    }
    size_t length = (size_t)name->length - apex->length;
    if (memcmp(name->wire + length, apex->wire, apex->length) != 0 ||
        owner_tail(name->wire, length, 0) != name->wire + length) {
        return false;
    }
    *out_owner = (struct span){name->wire, length};
    return true;
}
