#include "tools/command_words.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"

enum { WORD_BYTES_MAX = 24, LONG_WORD = 5 };

/* First what works by itself, then rndc's commands. */
static const char *const words[] = {
    "checkconf",   "checkzone",    "dsfromkey",    "keygen",     "help",     "version",
    "backup",      "restore",      "journal",      "null",       "status",   "reload",
    "reconfig",    "zonestatus",   "showzone",     "stop",       "halt",     "querylog",
    "trace",       "notrace",      "scan",         "stats",      "loadkeys", "sign",
    "addzone",     "delzone",      "dnssec",       "dnstap",     "dumpdb",   "freeze",
    "memprof",     "modzone",      "notify",       "refresh",    "signing",  "reset-stats",
    "responselog", "retransfer",   "skr",          "sync",       "testgen",  "thaw",
    "tsig-delete", "tsig-list",    "tcp-timeouts", "fetchlimit", "flush",    "flushname",
    "flushtree",   "managed-keys", "nta",          "recursing",  "secroots", "serve-stale",
    "validation",  "clock",        "simulate",
};

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned char letter(const char *word, size_t at)
{
    return (unsigned char)tolower((unsigned char)word[at]);
}

/* edits[i][j]: from the first i letters of one word to the first j of the other. */
struct comparison {
    const char *from, *to;
    unsigned edits[WORD_BYTES_MAX + 1][WORD_BYTES_MAX + 1];
};

/* A letter more, less or another, or two neighbours exchanged; what is shorter is known already. */
static unsigned edits_of(const struct comparison *c, size_t i, size_t j)
{
    if (i == 0 || j == 0) {
        return (unsigned)(i + j);
    }
    unsigned another = letter(c->from, i - 1) != letter(c->to, j - 1);
    unsigned edits =
        least(c->edits[i - 1][j - 1] + another, least(c->edits[i - 1][j], c->edits[i][j - 1]) + 1);
    bool exchanged = i > 1 && j > 1 && letter(c->from, i - 1) == letter(c->to, j - 2) &&
                     letter(c->from, i - 2) == letter(c->to, j - 1);
    return exchanged ? least(edits, c->edits[i - 2][j - 2] + 1) : edits;
}

static unsigned distance(const char *from, const char *to)
{
    struct comparison c = {.from = from, .to = to};
    size_t from_length = strlen(from);
    size_t to_length = strlen(to);

    ASSERT(from_length <= WORD_BYTES_MAX && to_length <= WORD_BYTES_MAX);
    for (size_t i = 0; i <= from_length; i++) {
        for (size_t j = 0; j <= to_length; j++) {
            c.edits[i][j] = edits_of(&c, i, j);
        }
    }
    return c.edits[from_length][to_length];
}

bool command_word_is_known(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcasecmp(word, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

const char *command_word_meant(const char *word)
{
    size_t length = strlen(word);
    unsigned edits_max = length < LONG_WORD ? 1 : 2;
    const char *meant = NULL;

    if (length > WORD_BYTES_MAX || command_word_is_known(word)) {
        return NULL;
    }
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        unsigned edits = distance(word, words[i]);
        if (edits <= edits_max) {
            edits_max = edits - 1; /* From here on only a nearer one. */
            meant = words[i];
        }
    }
    return meant;
}
