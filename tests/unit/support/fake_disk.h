/*
 * support/fake_disk.h - a disk in memory that fails when it is told to
 *
 * It outlives the stores that are opened on it, one at a time. Committed state and the transaction
 * in progress are kept apart: what was not committed, or not finished as an image, is gone after
 * fake_disk_crash(). One thread at a time; deterministic.
 */
#pragma once

#include "store/store_io.h"

struct fake_disk;

struct fake_disk *fake_disk_new(void);
void fake_disk_free(struct fake_disk *disk); /* no store may have it open */

/* For store_new(), which closes it. */
struct store_io fake_disk_io(struct fake_disk *disk);

/* What happens at one write: a put, remove, commit, or append or finish of an image. */
struct fake_disk_fault {
    uint64_t at;           /* 1: the next write */
    enum sg_result result; /* SG_IO, SG_NO_SPACE, SG_LIMIT; SG_IN_DOUBT for a commit (else SG_IO) */
    bool goes_on;          /* all later writes too, until fake_disk_heal() */
    bool loses_power;      /* nothing at all works until fake_disk_crash() */
    bool counts;           /* a commit in doubt, or at power loss: it is durable all the same */
    bool haunts;           /* a commit in doubt: it is not seen, but a power loss before the next
                              commit brings it: the meta page in memory is not the disk's */
};
/* Takes the place of the fault that was set before. */
void fake_disk_set_fault(struct fake_disk *disk, const struct fake_disk_fault *fault);
/* `see` comes before each write, and may set a fault for it. `lasts`: it is a commit, or finishes
 * an image; what the others write is nothing without it. NULL: nobody looks. */
void fake_disk_watch(struct fake_disk *disk, void (*see)(void *argument, bool lasts),
                     void *argument);
/* At once: nothing works until fake_disk_crash(). */
void fake_disk_cut_power(struct fake_disk *disk);
void fake_disk_heal(struct fake_disk *disk);
/* Neither can the tables be opened again, until fake_disk_heal(). */
void fake_disk_refuse_reopen(struct fake_disk *disk);

/* Power off and on: what is not durable is lost. The store above is to be freed and made anew. */
void fake_disk_crash(struct fake_disk *disk);

/* Was the power lost, and not come back yet? */
bool fake_disk_is_without_power(const struct fake_disk *disk);

uint64_t fake_disk_writes(const struct fake_disk *disk);  /* so far, failed ones too */
uint64_t fake_disk_commits(const struct fake_disk *disk); /* that succeeded */
size_t fake_disk_largest(const struct fake_disk *disk);   /* bytes of a value, ever put */
size_t fake_disk_images(const struct fake_disk *disk);    /* finished ones */
size_t fake_disk_count(const struct fake_disk *disk, enum store_table table);
/* Flip a bit in the value of the `index`-th key. */
void fake_disk_damage(struct fake_disk *disk, enum store_table table, size_t index, size_t byte);
/* What STORE_COPY made, or NULL; the original's. */
struct fake_disk *fake_disk_copied(struct fake_disk *disk, const char *folder);
/* The same, and it is the caller's; the folder is gone. */
struct fake_disk *fake_disk_take_copied(struct fake_disk *disk, const char *folder);
