/*
 * conf/schema.h - every statement and option of signet.conf: where it may stand, how it is
 * written, and what becomes of it
 *
 * The table is BIND 9.18's and 9.20's grammar and our own extensions. `signet.conf`(5) is the
 * same list in prose; tests/unit/conf/test_schema.c holds the two together.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_place {
    PLACE_TOP = 1,
    PLACE_OPTIONS = 1 << 1,
    PLACE_VIEW = 1 << 2,
    PLACE_ZONE = 1 << 3,
    PLACE_POLICY = 1 << 4,
    PLACE_KEY_STORE = 1 << 5,
    PLACE_KEY = 1 << 6,
    PLACE_LOGGING = 1 << 7,
    PLACE_CHANNEL = 1 << 8,
    PLACE_CONTROLS = 1 << 9,
    PLACE_SERVER = 1 << 10,
    PLACE_TLS = 1 << 11,
    PLACE_HTTP = 1 << 12,
    PLACE_RATE_LIMIT = 1 << 13,
    PLACE_DNS64 = 1 << 14,
    PLACE_STATISTICS = 1 << 15,
    PLACE_DLZ = 1 << 16,
};

/* In which zones an option of PLACE_ZONE may stand. */
enum schema_zone_type {
    ZONE_TYPE_PRIMARY = 1,
    ZONE_TYPE_SECONDARY = 1 << 1,
    ZONE_TYPE_MIRROR = 1 << 2,
    ZONE_TYPE_HINT = 1 << 3,
    ZONE_TYPE_STUB = 1 << 4,
    ZONE_TYPE_STATIC_STUB = 1 << 5,
    ZONE_TYPE_FORWARD = 1 << 6,
    ZONE_TYPE_REDIRECT = 1 << 7,
    ZONE_TYPE_DELEGATION_ONLY = 1 << 8,
    ZONE_TYPE_IN_VIEW = 1 << 9,
};

enum schema_status {
    STATUS_USED,
    STATUS_PENDING,  /* read, checked and carried, for later work: one warning names them all */
    STATUS_RESOLVER, /* only a resolver needs it: one warning names them all */
    STATUS_IDLE,     /* accepted, without effect here: a warning each */
    STATUS_OBSOLETE, /* gone from BIND or on its way out: a warning each */
    STATUS_REMOVED,  /* an error; `note` says what to do */
};

struct schema_row {
    const char *name;
    uint32_t places;
    uint16_t zone_types; /* with PLACE_ZONE */
    uint8_t status;
    bool repeats;        /* may stand more than once in its block */
    const char *grammar; /* see conf/grammar.h */
    uint32_t body;       /* place of the statements in its block, where the grammar has {} */
    const char *note;    /* for OBSOLETE, IDLE and REMOVED, behind a colon; or NULL */
};

/* Sorted by name; rows of the same name differ in their places. */
extern const struct schema_row schema_rows[];
extern const size_t schema_rows_count;

/* The row of that name (case ignored) in that place, or NULL. */
const struct schema_row *schema_find(const char *name, enum schema_place place);
/* Is the name known in some other place? */
bool schema_is_known(const char *name);
/* The name in that place that is spelled most alike, or NULL when none is near. */
const char *schema_nearest(const char *name, enum schema_place place);

/* Which of some words is spelled most like a wanted one? Case is ignored, words are borrowed. */
enum { SCHEMA_WORD_BYTES = 65 };
struct schema_nearest {
    char wanted[SCHEMA_WORD_BYTES];
    const char *word; /* NULL: none is near */
    unsigned distance;
};
struct schema_hint {
    char text[SCHEMA_WORD_BYTES + 24];
};
void schema_nearest_begin(struct schema_nearest *nearest, const char *wanted);
void schema_nearest_try(struct schema_nearest *nearest, const char *word);
/* ", did you mean 'x'?" or "", for the end of an error. Gives the text. */
const char *schema_nearest_hint(const struct schema_nearest *nearest, struct schema_hint *out_hint);

/* "options", "zone", ...: for errors. */
const char *schema_place_text(enum schema_place place);

/* How many letters must change to make one word of the other; at most `most` + 1. */
unsigned schema_distance(const char *a, const char *b, unsigned most);
