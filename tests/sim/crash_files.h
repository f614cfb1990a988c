/*
 * sim/crash_files.h - key files on a disk that keeps what was synced, and a process that dies
 *
 * The system calls by which the code under test changes files are wrapped at link time. Those on
 * the folder `keys`, and the writes of the fake disk of the store, are one sequence: at a chosen
 * one the process dies. From then on nothing is written any more, until crash_files_recover(),
 * which leaves of the key files what the kind of death leaves. One thread; one world at a time.
 */
#pragma once

#include "support/fake_disk.h"

enum crash_kind {
    CRASH_LOST, /* the power goes before the operation; what was not synced is lost */
    CRASH_DONE, /* ... after it; names are there that were not synced, but not their contents */
    CRASH_PART, /* ... before it; the first of the names that were not synced are there */
    CRASH_KILL, /* kill -9 before it: what the page cache has is there */
    CRASH_KINDS
};

/* Count the operations from here on, and die at the `at`-th; 0: never. */
void crash_files_arm(struct fake_disk *disk, enum crash_kind kind, uint64_t at);
/* So far. */
uint64_t crash_files_count(void);
/* Which kinds of death, a bit each, leave something else behind at the operation than another one
 * would, there or at a later operation. */
enum { CRASH_OPERATIONS_MAX = 8192 };
uint8_t crash_files_kinds(uint64_t at);
/* What the last operation before the death was to be; "": nobody has died. */
const char *crash_files_last(void);
/* The machine is there again; nobody dies any more. */
void crash_files_recover(void);
