#include "conf/schema.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"
#include "dns/name.h"

enum { NAME_BYTES_MAX = SCHEMA_WORD_BYTES - 1, DISTANCE_MAX = 3 };

/* The first row of that name, or the number of rows. */
static size_t first_row(const char *name)
{
    size_t low = 0, high = schema_rows_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcasecmp(schema_rows[middle].name, name) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < schema_rows_count && strcasecmp(schema_rows[low].name, name) == 0;
    return found ? low : schema_rows_count;
}

const struct schema_row *schema_find(const char *name, enum schema_place place)
{
    for (size_t i = first_row(name);
         i < schema_rows_count && strcasecmp(schema_rows[i].name, name) == 0; i++) {
        if ((schema_rows[i].places & place) != 0) {
            return &schema_rows[i];
        }
    }
    return NULL;
}

bool schema_is_known(const char *name)
{
    return first_row(name) < schema_rows_count;
}

unsigned schema_distance(const char *a, const char *b, unsigned most)
{
    unsigned rows[3][NAME_BYTES_MAX + 1]; /* of the table: two before, one before, this */
    size_t a_length = strlen(a), b_length = strlen(b);

    if (a_length > NAME_BYTES_MAX || b_length > NAME_BYTES_MAX) {
        return most + 1;
    }
    for (size_t j = 0; j <= b_length; j++) {
        rows[1][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= a_length; i++) {
        unsigned *before = rows[i % 3], *here = rows[(i + 1) % 3], *earlier = rows[(i + 2) % 3];
        here[0] = (unsigned)i;
        for (size_t j = 1; j <= b_length; j++) {
            unsigned differs = a[i - 1] != b[j - 1];
            unsigned least = before[j - 1] + differs;
            least = before[j] + 1 < least ? before[j] + 1 : least;
            least = here[j - 1] + 1 < least ? here[j - 1] + 1 : least;
            /* Two letters that changed places are one mistake of a typist. */
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            here[j] = swapped && earlier[j - 2] + 1 < least ? earlier[j - 2] + 1 : least;
        }
    }
    unsigned distance = rows[(a_length + 1) % 3][b_length];
    return distance > most ? most + 1 : distance;
}

/* In lower case; false: too long to be compared. */
static bool lower_into(const char *text, char out_lower[SCHEMA_WORD_BYTES])
{
    size_t length = strlen(text);

    if (length >= SCHEMA_WORD_BYTES) {
        return false;
    }
    for (size_t i = 0; i <= length; i++) {
        out_lower[i] = (char)dns_lower[(uint8_t)text[i]];
    }
    return true;
}

void schema_nearest_begin(struct schema_nearest *nearest, const char *wanted)
{
    *nearest = (struct schema_nearest){.distance = DISTANCE_MAX + 1};
    if (!lower_into(wanted, nearest->wanted)) {
        nearest->wanted[0] = '\0';
    }
}

void schema_nearest_try(struct schema_nearest *nearest, const char *word)
{
    char lower[SCHEMA_WORD_BYTES];
    size_t length = strlen(nearest->wanted);

    if (length < 3 || !lower_into(word, lower)) {
        return;
    }
    unsigned distance = schema_distance(nearest->wanted, lower, DISTANCE_MAX);
    bool nearer = distance < nearest->distance ||
                  (distance == nearest->distance && nearest->word != NULL &&
                   strcmp(word, nearest->word) < 0); /* so that the order does not matter */
    if (nearer && distance <= DISTANCE_MAX && (size_t)distance * 3 <= length) {
        nearest->distance = distance;
        nearest->word = word;
    }
}

const char *schema_nearest_hint(const struct schema_nearest *nearest, struct schema_hint *out_hint)
{
    out_hint->text[0] = '\0';
    if (nearest->word != NULL) {
        snprintf(out_hint->text, sizeof(out_hint->text), ", did you mean '%s'?", nearest->word);
    }
    return out_hint->text;
}

const char *schema_nearest(const char *name, enum schema_place place)
{
    struct schema_nearest nearest;

    schema_nearest_begin(&nearest, name);
    for (size_t i = 0; i < schema_rows_count; i++) {
        const struct schema_row *row = &schema_rows[i];
        if ((row->places & place) != 0 && row->status != STATUS_REMOVED) {
            schema_nearest_try(&nearest, row->name);
        }
    }
    return nearest.word;
}

const char *schema_place_text(enum schema_place place)
{
    switch (place) {
    case PLACE_TOP:
        return "the top level";
    case PLACE_OPTIONS:
        return "options";
    case PLACE_VIEW:
        return "a view";
    case PLACE_ZONE:
        return "a zone";
    case PLACE_POLICY:
        return "a dnssec-policy";
    case PLACE_KEY_STORE:
        return "a key-store";
    case PLACE_KEY:
        return "a key";
    case PLACE_LOGGING:
        return "logging";
    case PLACE_CHANNEL:
        return "a channel";
    case PLACE_CONTROLS:
        return "controls";
    case PLACE_SERVER:
        return "a server statement";
    case PLACE_TLS:
        return "tls";
    case PLACE_HTTP:
        return "http";
    case PLACE_RATE_LIMIT:
        return "rate-limit";
    case PLACE_DNS64:
        return "dns64";
    case PLACE_STATISTICS:
        return "statistics-channels";
    case PLACE_DLZ:
        return "dlz";
    }
    UNREACHABLE();
}
