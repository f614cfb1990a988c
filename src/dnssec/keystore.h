/*
 * dnssec/keystore.h - keys in a folder, as BIND's three files each (reference: key files)
 *
 * K<zone>+<alg>+<tag>.key, .private, .state: read with either spelling of the tags that BIND
 * confuses, written exactly as BIND writes them. Blocks on the disk: workers, start-up, tools.
 */
#pragma once

#include "dnssec/key.h"

struct key_list {
    struct signing_key **keys; /* sorted by algorithm, then tag */
    size_t count;
};
void key_list_clear(struct key_list *list);

/* A problem with one file, in operators' words, e.g. for the log. */
typedef void keystore_report(void *argument, const char *path, const char *problem);

/*
 * All keys of `zone` in `folder`. A key whose files are broken is reported and makes the result
 * SG_BAD_KEY (`out_list` still holds the good ones, so that nobody takes a broken key for an
 * absent one); SG_NOT_FOUND, SG_DENIED for the folder.
 */
MUST_USE enum sg_result keystore_list(const char *folder, const struct dns_name *zone,
                                      keystore_report *report, void *argument,
                                      struct key_list *out_list);
/*
 * One key by its base name or path, with or without suffix: for tools. Without a .private file
 * the key has no secret. SG_NOT_FOUND (no .key file, not reported), SG_UNSUPPORTED ...
 */
MUST_USE enum sg_result keystore_read(const char *path, keystore_report *report, void *argument,
                                      struct signing_key **out_key);
/* The same, never looking at the .private file, which the reader may not be allowed to see. */
MUST_USE enum sg_result keystore_read_public(const char *path, keystore_report *report,
                                             void *argument, struct signing_key **out_key);

/* Tags that a new key must not have: its own nor its revoked one. */
struct key_tag_set {
    const uint16_t *tags;
    size_t count;
    uint16_t tag_min, tag_max; /* both tags lie within; 0, 65535: any */
};

/*
 * Make a key pair and write its files, durably, before anyone learns of it. `metadata`, which was
 * signing_key_init()ed, gives times, state and ttl as the caller wants them in the files. `taken`
 * NULL: any tag. The .private file has mode 0600 from the start. SG_UNSUPPORTED for an algorithm
 * that is not made any more, SG_LIMIT for a size out of range or no free tag.
 */
MUST_USE enum sg_result keystore_generate(const char *folder, const struct dns_name *zone,
                                          uint8_t algorithm, unsigned bits, uint16_t flags,
                                          const struct key_tag_set *taken,
                                          const struct signing_key *metadata,
                                          struct signing_key **out_key);
/* Rewrite the files of a key after its times or states changed (.state last, and only if
 * `state.present`). */
MUST_USE enum sg_result keystore_write(const struct signing_key *key);
