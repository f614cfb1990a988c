/*
 * store/store_reader.h - look into a store from another process, also while a server works on it
 *
 * For tools alone: LMDB allows one environment a process, which in the server is the store
 * thread's. Nothing is written but our place in LMDB's table of readers. Each look is a transaction
 * of its own that ends before anything else is done, since the server cannot use pages again that a
 * reader still sees.
 */
#pragma once

#include "store/commit.h"

struct store_reader;

/* SG_NOT_FOUND, SG_DENIED, SG_MALFORMED, SG_IO; `out_problem` (the caller frees) tells why. */
MUST_USE enum sg_result store_reader_open(const char *folder, struct store_reader **out_reader,
                                          char **out_problem);
void store_reader_close(struct store_reader *reader); /* NULL is fine */
/* The zone's id. SG_NOT_FOUND, SG_MALFORMED, SG_IO. */
MUST_USE enum sg_result store_reader_find(struct store_reader *reader, struct span identity,
                                          uint64_t *out_zone);
/*
 * The next record of the zone at or after `number`, copied into `out_bytes` and decoded from there.
 * SG_NOT_FOUND: no more; SG_MALFORMED, SG_UNSUPPORTED (of that record; `out_record->number` is
 * set), SG_IO.
 */
MUST_USE enum sg_result store_reader_commit(struct store_reader *reader, uint64_t zone,
                                            uint64_t number, struct buffer *out_bytes,
                                            struct store_commit_record *out_record);
