/*
 * dns/name.h - domain names in wire format (RFC 1035 3.1), case kept unless said otherwise
 *
 * A `struct dns_name` is a value: 255 bytes and two counts, copied freely, never allocated. Where
 * names are only looked at, functions take the wire bytes themselves (uncompressed, ended by the
 * root label), since that is how zone data and messages hold them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/result.h"

enum {
    DNS_NAME_BYTES_MAX = 255,
    DNS_LABEL_BYTES_MAX = 63,
    DNS_LABELS_MAX = 127,       /* without the root label */
    DNS_NAME_TEXT_BYTES = 1025, /* each byte as \DDD, dots, a NUL */
};

struct dns_name {
    uint8_t length; /* bytes of `wire` in use, the root label included: 1 for the root */
    uint8_t labels; /* without the root label: 0 for the root */
    uint8_t wire[DNS_NAME_BYTES_MAX];
};

extern const struct dns_name dns_name_root;

/*
 * Parse presentation format: escapes \X and \DDD, relative names completed by `origin` (NULL: the
 * root). "@" is the origin. SG_MALFORMED for empty labels, bad escapes, names or labels too long.
 */
MUST_USE enum sg_result dns_name_from_text(const char *text, size_t length,
                                           const struct dns_name *origin,
                                           struct dns_name *out_name);
/* An uncompressed name at the start of `wire`; trailing bytes are allowed. */
MUST_USE enum sg_result dns_name_from_wire(struct span wire, struct dns_name *out_name);
/*
 * A possibly compressed name at `message[offset]` (RFC 1035 4.1.4): pointers must point back, at
 * most 127 of them. `out_after` is the offset behind the name where it stands.
 */
MUST_USE enum sg_result dns_name_from_message(struct span message, size_t offset,
                                              struct dns_name *out_name, size_t *out_after);

/* Presentation format with a final dot, "." for the root. `out_text` has DNS_NAME_TEXT_BYTES. */
const char *dns_name_to_text(const struct dns_name *name, char *out_text);
const char *dns_name_wire_to_text(const uint8_t *wire, char *out_text);
/* The same without the final dot (but "." for the root), as log lines and key status have it. */
const char *dns_name_to_text_short(const struct dns_name *name, char *out_text);

/* Bytes of the well-formed name at `wire`, root label included. */
size_t dns_name_wire_length(const uint8_t *wire);
/* The same for bytes from outside: 0 unless a whole name lies in `wire`. */
size_t dns_name_wire_check(struct span wire);
unsigned dns_name_wire_labels(const uint8_t *wire);

extern const uint8_t dns_lower[256]; /* ASCII letters to lower case, all else itself */
void dns_name_lower(struct dns_name *name);
void dns_name_wire_lower(uint8_t *out_wire, const uint8_t *wire, size_t length);

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b); /* ignores case */
bool dns_name_wire_equal(const uint8_t *a, const uint8_t *b);            /* ignores case */
/* Canonical order, RFC 4034 6.1: negative, 0, positive. Ignores case. */
int dns_name_compare(const struct dns_name *a, const struct dns_name *b);
/* Is `name` at or below `ancestor`? */
bool dns_name_is_at_or_below(const struct dns_name *name, const struct dns_name *ancestor);

/* `name` without its first `count` labels; count <= name->labels. */
struct dns_name dns_name_parent(const struct dns_name *name, unsigned count);
/* The wire bytes behind the first `count` labels. */
const uint8_t *dns_name_skip(const struct dns_name *name, unsigned count);
/* `*.` in front of `name`. SG_LIMIT when it grows too long. */
MUST_USE enum sg_result dns_name_wildcard(const struct dns_name *name, struct dns_name *out_name);
/* `prefix` (its root label dropped) in front of `suffix`. SG_LIMIT when too long. */
MUST_USE enum sg_result dns_name_join(const struct dns_name *prefix, const struct dns_name *suffix,
                                      struct dns_name *out_name);
static inline bool dns_name_is_wildcard(const struct dns_name *name)
{
    return name->wire[0] == 1 && name->wire[1] == '*';
}
