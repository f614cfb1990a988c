/*
 * store/identity.h - a zone's key in the store: view, class, name
 */
#pragma once

#include <string.h>

#include "base/buffer.h"
#include "dns/name.h"

/* `apex` is lower case. Appends; longer than STORE_KEY_BYTES_MAX where the view's name is. */
static inline void store_identity(const char *view, uint16_t rrclass, const struct dns_name *apex,
                                  struct buffer *out_identity)
{
    buffer_append(out_identity, view, strlen(view) + 1);
    buffer_append_u16(out_identity, rrclass);
    buffer_append(out_identity, apex->wire, apex->length);
}
