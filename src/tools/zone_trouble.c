#include "tools/zone_trouble.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Does a line of the text begin with these words? */
static bool has_line(struct span text, const char *start)
{
    size_t length = strlen(start);

    for (size_t at = 0; at + length <= text.length; at++) {
        if ((at == 0 || text.bytes[at - 1] == '\n') &&
            memcmp(text.bytes + at, start, length) == 0) {
            return true;
        }
    }
    return false;
}

int zone_trouble(const char *command, struct span text)
{
    static const char word[] = "zonestatus";
    size_t length = sizeof(word) - 1;

    if (strncasecmp(command, word, length) != 0 ||
        (command[length] != '\0' && !isspace((unsigned char)command[length]))) {
        return 0;
    }
    if (has_line(text, "signatures: overdue") || has_line(text, "primaries: unheard")) {
        return ZONE_IS_OVERDUE;
    }
    return has_line(text, "problem: ") || has_line(text, "store: ") || has_line(text, "clock: ")
               ? ZONE_HAS_PROBLEM
               : 0;
}
