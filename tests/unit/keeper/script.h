/*
 * Tests as scripts: a row is a line of words, each a deed or an expectation, with a fake clock.
 *
 *   "+5" five seconds pass; "word:1:2" a word with numbers. Each file has a table of its words.
 */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "support/table.h"

enum { SCRIPT_NUMBERS_MAX = 4, SCRIPT_WORD_BYTES = 40 };

struct script_word {
    char name[SCRIPT_WORD_BYTES];
    long numbers[SCRIPT_NUMBERS_MAX];
    unsigned count;
};

/* The next word of the script, or false at its end. */
static inline int script_next(const char **at, struct script_word *out_word)
{
    size_t length = 0;

    memset(out_word, 0, sizeof(*out_word));
    while (**at == ' ') {
        (*at)++;
    }
    if (**at == '\0') {
        return 0;
    }
    while (**at != '\0' && **at != ' ' && **at != ':') {
        assert_true(length + 1 < sizeof(out_word->name));
        out_word->name[length++] = *(*at)++;
    }
    while (**at == ':') {
        char *after;
        assert_true(out_word->count < SCRIPT_NUMBERS_MAX);
        out_word->numbers[out_word->count++] = strtol(*at + 1, &after, 10);
        *at = after;
    }
    assert_true(**at == '\0' || **at == ' ');
    return 1;
}

struct script_deed {
    const char *name;
    void (*run)(void *scene, const struct script_word *word);
};

/* Run all words; `words` ends with a NULL name. What failed is told with its place. */
static inline void script_run(const char *script, const struct script_deed *words, void *scene)
{
    struct script_word word;
    const char *at = script;

    while (script_next(&at, &word)) {
        const struct script_deed *deed = words;
        while (deed->name != NULL && strcmp(deed->name, word.name) != 0) {
            deed++;
        }
        if (deed->name == NULL) {
            fail_msg("no such word: %s", word.name);
        }
        char *place = malloc((size_t)(at - script) + 1);
        memcpy(place, script, (size_t)(at - script));
        place[at - script] = '\0';
        setenv("SCRIPT_PLACE", place, 1);
        free(place);
        deed->run(scene, &word);
    }
}

#define script_expect(what, wanted)                                                                \
    do {                                                                                           \
        long long is_ = (long long)(what);                                                         \
        long long wanted_ = (long long)(wanted);                                                   \
        if (is_ != wanted_) {                                                                      \
            fail_msg("%s is %lld, not %lld, after: %s", #what, is_, wanted_,                       \
                     getenv("SCRIPT_PLACE"));                                                      \
        }                                                                                          \
    } while (0)
