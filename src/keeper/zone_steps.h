/*
 * keeper/zone_steps.h - the steps of a change, as the kinds of jobs share them (private to keeper/)
 *
 * Each returns SG_OK, or why not with job->problem set. Thread: worker.
 */
#pragma once

#include "keeper/zone_job.h"
#include "keeper/zone_label.h"
#include "zone/edit.h"

/* --- zone_stamps.c: what became of files ------------------------------------------------------ */

/* How the file is now, without its path. False: errno tells why it cannot be seen. */
bool zone_stamp(const char *path, struct file_stamp *out_stamp);
/* Is any of the files not as it was when it was read? True where nothing was read yet. */
bool zone_files_changed(const struct file_stamps *known);
/* The first of the files that is there and not as it was; NULL: none. */
const char *zone_file_edited(const struct file_stamps *known);
/* Of a zone that takes updates, when it was recovered or all are reloaded: an edited or missing
 * file does not count. */
void zone_say_ignored_file(const struct zone_job *job, const struct zone_state *state);

/* --- zone_read.c: files --------------------------------------------------------------------- */

/* How loud to be about work on this zone that takes its time. */
int zone_progress_severity(const struct zone_job *job);
/* Read the file into `edit` and check it; stamps go to job->made.state. */
MUST_USE enum sg_result zone_read_file(struct zone_job *job, struct zone_edit *edit);

/* --- zone_serial.c: which serial comes next ------------------------------------------------- */

/* The serial after `current`, which secondaries may have: always greater (RFC 1982). */
uint32_t zone_serial_raise(enum zone_serial_update method, uint32_t current, sg_time now);
/* Has it left what the clock gives by this method: is it past YYYYMMDD99 of today, or more than a
 * minute after now? Never, where the method does not look at the clock. */
bool zone_serial_is_ahead(enum zone_serial_update method, uint32_t serial, sg_time now);
/* Say so of job->made.version, where its serial is made by the clock. */
void zone_serial_warn_if_ahead(const struct zone_job *job);
/* What the signed zone gets, for a draft whose source has `source_serial`. */
uint32_t zone_serial_choose(const struct zone_job *job, uint32_t source_serial);
/* The job has made what it makes: did the serial go back, or does it pass what was served before?
 */
void zone_serial_note(struct zone_job *job);

/* --- zone_seal.c: SIGN and SEAL ------------------------------------------------------------- */

/* Bring the zone's keys in line with its policy, from their files. */
MUST_USE enum sg_result zone_look_at_keys(struct zone_job *job);
/* The keys as they were when they were last looked at; from the files where memory has them not. */
MUST_USE enum sg_result zone_have_keys(struct zone_job *job);

/* How much is to be signed. */
enum zone_sign_extent {
    ZONE_SIGN_CHANGE, /* what differs from the base; all of it where that is not possible */
    ZONE_SIGN_ALL,
};
/*
 * Sign the draft as the policy says, seal it into job->made.version, and write down how it differs
 * from the base: a changeset or, where there is no base to speak of or the difference is most of
 * the zone, an image. Takes the edit in every case.
 */
MUST_USE enum sg_result zone_sign_and_seal(struct zone_job *job, struct zone_edit *edit,
                                           enum zone_sign_extent extent);
/* The same for a draft whose signatures are as they shall be. */
MUST_USE enum sg_result zone_seal(struct zone_job *job, struct zone_edit *edit);
/* What is committed is the base itself: the store does not have it, or is to have nothing else. */
MUST_USE enum sg_result zone_write_base(struct zone_job *job);
/* What the index, which there is, knows of the version: the one that was made or, where none was,
 * the base. */
void zone_learn_expirations(struct zone_job *job, const struct zone_version *version);
/* Were the keys read, and found to be others than those that the base was signed with, or what it
 * says of their progress to be otherwise? Of what is begun aside it has nothing but the latter. */
bool zone_keys_changed(const struct zone_job *job);
/* Is this zone signed here, as its settings and keys are? */
bool zone_is_to_be_signed(const struct zone_job *job);
/* Does a key go, by a look at the keys that was just had, whose signatures may be left? */
bool zone_leaves_signatures(const struct zone_job *job);

/* --- zone_job.c ------------------------------------------------------------------------------- */

/* The zone goes unsigned, and these are its keys as they were: the operator who took its policy
 * away has the last word, and hears what it does. */
void zone_warn_of_ds(const struct zone_job *job, const struct zone_facts_of_keys *facts);

/* --- zone_own_keys.c ------------------------------------------------------------------------ */

/* Does a DNSKEY, CDS or CDNSKEY of the apex tell of a key that the job has, or that no DS is
 * wanted? Of a zone that is signed here. */
bool zone_is_own_key_record(const struct zone_job *job, uint16_t type, struct span rdata);
/* Take out of the source what tells of keys that the job has: they are published as their states
 * say. Of a zone that is signed here. */
MUST_USE enum sg_result zone_drop_own_keys(struct zone_job *job, struct zone_edit *edit);

/* --- zone_transferred.c ----------------------------------------------------------------------- */

/* Say what is odd in what a transfer brought into the draft: a CNAME beside other data and, where
 * the zone is signed here, DNSKEYs of others. */
void zone_warn_of_transferred(const struct zone_job *job, struct zone_edit *edit);

/* --- zone_request.c: how a zone is signed ----------------------------------------------------- */

/* All is borrowed. */
struct zone_signing {
    const struct kasp_policy *policy;
    const struct zone_keys *keys;
    const struct zone_version *before; /* its chain is kept where it fits; NULL: there is none */
    bool keeps_chain; /* whatever the policy says by now: another one comes with a look at keys */
    sg_time now;
};
struct zone_signing zone_signing_of(const struct zone_job *job);
/* Has `before` (NULL: nothing) an NSEC3 chain whose salt and iterations the policy is content with?
 */
bool zone_denial_is_kept(const struct kasp_policy *policy, const struct zone_version *before);
/* For as long as the keys are there. `policy` and `keys` are the room that the request points
 * into. */
void zone_sign_request(const struct zone_signing *signing, uint32_t serial,
                       struct sign_policy *policy, struct sign_keys *keys,
                       struct sign_request *out_request);

/* --- the kinds ------------------------------------------------------------------------------ */

MUST_USE enum sg_result zone_recover(struct zone_job *job); /* zone_recover.c */
/* Has another signer had the keys since job->asked.stored was committed, so that job->made.version,
 * which was recovered, must not be served as it is? The log says so, and the recovered state knows
 * which DS that signer has seen removed. zone_reign.c */
bool zone_was_signed_by_another(struct zone_job *job);
/* Put in its place the same source, signed whole with the keys as they are now, which is to be
 * committed. zone_reign.c */
MUST_USE enum sg_result zone_sign_recovered(struct zone_job *job);
MUST_USE enum sg_result zone_load(struct zone_job *job); /* zone_load.c */
/* Say so where an unsigned zone is to follow with a serial that is lower than the base's. */
void zone_warn_of_lower_serial(const struct zone_job *job, uint32_t serial);
MUST_USE enum sg_result zone_take_transfer(struct zone_job *job); /* zone_load.c */
MUST_USE enum sg_result zone_take_updates(struct zone_job *job);  /* zone_updates.c */
MUST_USE enum sg_result zone_resign(struct zone_job *job);        /* zone_resign.c */
MUST_USE enum sg_result zone_dump(struct zone_job *job);          /* zone_dump.c */
/* A zone that takes no updates any more goes on from its file: what they brought is put there
 * first. Fine for any other. zone_dump.c */
MUST_USE enum sg_result zone_save_updates(struct zone_job *job);
