/*
 * keeper/foreign_journal.h - updates that named has acknowledged and not yet written to the file
 *
 * named keeps what a dynamic zone was told in FILE.jnl and writes the zone's file much later.
 * Whoever takes the zone over by its file alone would lose them. The journal itself is not read:
 * named, or whoever has its tools, writes the file.
 *
 *   0  16  ";BIND LOG V9\n" or ";BIND LOG V9.2\n", filled up with 0
 *  16   8  first serial, and where it begins
 *  24   8  last serial, and where it ends: there alone an empty one has it too
 *
 * Blocks on the disk. Thread: worker.
 */
#pragma once

#include <stdint.h>

/* Why the zone file, whose SOA has `serial`, must not be taken as it is; NULL: it has all that its
 * journal has. `journal` NULL: FILE.jnl. Owned. */
char *foreign_journal_problem(const char *file, const char *journal, uint32_t serial);
