/*
 * keeper/reign.h - did another signer have the zone since its last commit? (private to keeper/)
 *
 * A zone may go from Signet to another signer on the same key files and come back: the store has
 * what was signed before. Where keys have changed hands meanwhile, what caches and the parent know
 * does not fit it any more. What tells is the .state file of a key that was changed after the
 * commit, by more than a step that we may have planned for a commit that never was: such a step
 * withdraws no key whose signatures are left (the last of an algorithm with them), lets none sign
 * that is not published, and none be trusted by the parent.
 *
 * Pure.
 */
#pragma once

#include "dnssec/key.h"

/* What a key is in the version that was committed last. */
struct reign_place {
    bool is_published; /* its DNSKEY is there */
    bool has_signed;   /* there is a signature of its over anything but keys */
};

enum reign_trace {
    REIGN_NONE,
    REIGN_WITHDRAWN, /* caches may have a DNSKEY RRset without it, and it has signed */
    REIGN_SIGNS,     /* caches have signatures of its, and it has not signed, or is not published */
    REIGN_TRUSTED,   /* the parent has its DS, and it is not published */
};

/* What the key's files tell that the committed version cannot be served with. */
enum reign_trace reign_trace_of(const struct signing_key *key, const struct reign_place *place,
                                sg_time committed_at);
/* The newest change of any of its states; KEY_TIME_UNSET: none is known. */
sg_time reign_last_change(const struct signing_key *key);
/* What the key does or what became of it, behind its name: "was withdrawn". */
const char *reign_trace_text(enum reign_trace trace);
