/*
 * dnssec/keyfile.h - the text of BIND's three key files: .key, .private, .state
 *
 * Readers take text from the disk that anybody may have edited, fill in what it says and tell what
 * is wrong in operators' words; writers append exactly what BIND would write. A problem never
 * quotes the file, since that could be a secret. Private to dnssec/.
 */
#pragma once

#include "dnssec/key.h"

enum { KEYFILE_BYTES_MAX = 65536, KEYFILE_LINES_MAX = 256, KEYFILE_PROBLEM_BYTES = 96 };

struct keyfile_problem {
    char text[KEYFILE_PROBLEM_BYTES];
};
/* Say what is wrong; returns `result`. Line 0: the file as a whole. */
MUST_USE enum sg_result keyfile_fail(struct keyfile_problem *problem, enum sg_result result,
                                     unsigned line, const char *what);

/* Lines "Tag: value", borrowed from the text. */
struct keyfile_line {
    struct span rest; /* of the text */
    unsigned number;
    struct span tag; /* without its colon */
    struct span value;
};
struct keyfile_line keyfile_lines(struct span text);
/* The next line that is not blank; false at the end. A line without colon has an empty tag. */
bool keyfile_line_next(struct keyfile_line *line);
bool keyfile_line_is(const struct keyfile_line *line, const char *tag); /* ignores case */
/* Values; trailing words are allowed behind number and time. SG_MALFORMED. */
MUST_USE enum sg_result keyfile_number(struct span value, uint32_t max, uint32_t *out_number);
MUST_USE enum sg_result keyfile_time(struct span value, sg_time *out_when);
/* "20261122031356 (Sun Nov 22 03:13:56 2026)", the second one in local time. */
void keyfile_append_time(struct buffer *out_text, const char *tag, sg_time when);

/*
 * The record of a .key file: sets zone, ttl, flags, algorithm, dnskey (owned), tag, bits of `key`,
 * which was signing_key_init()ed. SG_MALFORMED, SG_UNSUPPORTED.
 */
MUST_USE enum sg_result keyfile_public_read(struct span text, struct signing_key *key,
                                            struct keyfile_problem *problem);
/*
 * The times in the comments of a .key file, which nobody looks at as long as there is a .private
 * file. A time that is not one stays unset. Always SG_OK.
 */
MUST_USE enum sg_result keyfile_public_read_times(struct span text, struct signing_key *key,
                                                  struct keyfile_problem *problem);
void keyfile_public_write(const struct signing_key *key, struct buffer *out_text);

/*
 * Secret, times and links from a .private file into a key whose public half is known.
 * SG_MALFORMED, SG_UNSUPPORTED (in a token, or a newer format), SG_BAD_KEY (another algorithm).
 */
MUST_USE enum sg_result keyfile_private_read(struct span text, struct signing_key *key,
                                             struct keyfile_problem *problem);
/* The key has its secret. The caller wipes the buffer. */
void keyfile_private_write(const struct signing_key *key, struct buffer *out_text);

/* States and times, over those that are known from the .private file. SG_MALFORMED, SG_BAD_KEY. */
MUST_USE enum sg_result keyfile_state_read(struct span text, struct signing_key *key,
                                           struct keyfile_problem *problem);
void keyfile_state_write(const struct signing_key *key, struct buffer *out_text);
