#include "tools/command_words.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

#include "base/assert.h"

enum { WORD_BYTES_MAX = 24, LONG_WORD = 5 };

/* First what works by itself, then rndc's commands. */
static const char *const words[] = {
    "checkconf",  "checkzone", "dsfromkey",   "keygen",      "help",         "version",
    "null",       "status",    "reload",      "reconfig",    "zonestatus",   "showzone",
    "stop",       "halt",      "querylog",    "trace",       "notrace",      "scan",
    "stats",      "loadkeys",  "sign",        "addzone",     "delzone",      "dnssec",
    "dnstap",     "dumpdb",    "freeze",      "memprof",     "modzone",      "notify",
    "refresh",    "signing",   "reset-stats", "responselog", "retransfer",   "skr",
    "sync",       "testgen",   "thaw",        "tsig-delete", "tsig-list",    "tcp-timeouts",
    "fetchlimit", "flush",     "flushname",   "flushtree",   "managed-keys", "nta",
    "recursing",  "secroots",  "serve-stale", "validation",
};

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

static unsigned char letter(const char *word, size_t at)
{
    return (unsigned char)tolower((unsigned char)word[at]);
}

/* Edits from `from` to `to`: a letter more, less or another, or two neighbours exchanged. */
static unsigned distance(const char *from, const char *to)
{
    unsigned rows[WORD_BYTES_MAX + 1][WORD_BYTES_MAX + 1];
    size_t from_length = strlen(from);
    size_t to_length = strlen(to);

    ASSERT(from_length <= WORD_BYTES_MAX && to_length <= WORD_BYTES_MAX);
    for (size_t i = 0; i <= from_length; i++) {
        for (size_t j = 0; j <= to_length; j++) {
            if (i == 0 || j == 0) {
                rows[i][j] = (unsigned)(i + j);
                continue;
            }
            unsigned other = letter(from, i - 1) != letter(to, j - 1);
            rows[i][j] =
                least(rows[i - 1][j - 1] + other, least(rows[i - 1][j], rows[i][j - 1]) + 1);
            bool exchanged = i > 1 && j > 1 && letter(from, i - 1) == letter(to, j - 2) &&
                             letter(from, i - 2) == letter(to, j - 1);
            if (exchanged) {
                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
            }
        }
    }
    return rows[from_length][to_length];
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
