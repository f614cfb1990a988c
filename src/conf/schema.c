#include "conf/schema.h"

#include <string.h>
#include <strings.h>

#include "base/assert.h"

enum { NAME_BYTES_MAX = 64, DISTANCE_MAX = 3 };

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

const char *schema_nearest(const char *name, enum schema_place place)
{
    const char *nearest = NULL;
    char lower[NAME_BYTES_MAX + 1];
    size_t length = strlen(name);
    unsigned best = DISTANCE_MAX + 1;

    if (length < 3 || length > NAME_BYTES_MAX) {
        return NULL;
    }
    for (size_t i = 0; i <= length; i++) {
        lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] | 0x20) : name[i];
    }
    for (size_t i = 0; i < schema_rows_count; i++) {
        const struct schema_row *row = &schema_rows[i];
        if ((row->places & place) == 0 || row->status == STATUS_REMOVED) {
            continue;
        }
        unsigned distance = schema_distance(lower, row->name, DISTANCE_MAX);
        if (distance < best && distance * 3 <= length) {
            best = distance;
            nearest = row->name;
        }
    }
    return nearest;
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
