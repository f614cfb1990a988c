#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "dnssec/keystore.h"

enum { KEY_NUMBERS_BYTES = 10, STATE_SUFFIX_BYTES = 6 }; /* "+013+05915", ".state" */

/* "Kexample.test.": what every file of the zone's keys begins with. */
static char *file_prefix(const struct dns_name *zone)
{
    const struct signing_key nameless = {.zone = *zone};
    char *name = signing_key_file_name(&nameless);
    name[strlen(name) - KEY_NUMBERS_BYTES] = 0;
    return name;
}

static bool is_state_of(const char *file, const char *prefix)
{
    size_t length = strlen(file);
    size_t before = strlen(prefix);
    return length == before + KEY_NUMBERS_BYTES + STATE_SUFFIX_BYTES &&
           strncmp(file, prefix, before) == 0 && file[before] == '+' &&
           strcmp(file + length - STATE_SUFFIX_BYTES, ".state") == 0;
}

static bool has_private(const char *folder, const char *state_file)
{
    int base = (int)(strlen(state_file) - STATE_SUFFIX_BYTES);
    char *path = mem_format("%s/%.*s.private", folder, base, state_file);
    bool there = access(path, F_OK) == 0;
    mem_free(path);
    return there;
}

char *keystore_find_orphan(const char *folder, const struct dns_name *zone)
{
    DIR *stream = opendir(folder);
    if (stream == NULL) {
        return NULL; /* keystore_list() says why */
    }
    char *prefix = file_prefix(zone);
    char *found = NULL;
    for (const struct dirent *entry; found == NULL && (entry = readdir(stream)) != NULL;) {
        if (is_state_of(entry->d_name, prefix) && !has_private(folder, entry->d_name)) {
            found = mem_copy_text(entry->d_name);
            found[strlen(found) - STATE_SUFFIX_BYTES] = 0;
        }
    }
    mem_free(prefix);
    closedir(stream);
    return found;
}
