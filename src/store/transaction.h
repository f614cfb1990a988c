/*
 * store/transaction.h - a write transaction that begins with its first write
 *
 * So that a batch of readings costs no sync. The first failure stays: everything after it fails the
 * same, and the caller looks once. Each transaction writes its number, which tells after a commit
 * in doubt whether it counts. Thread: store.
 */
#pragma once

#include "store/store_io.h"

struct store_transaction {
    const struct store_io *io;
    uint64_t number; /* of this transaction, if it comes to one */
    bool is_open;
    uint64_t writes;       /* done in it so far */
    bool wrote;            /* it came to one, and it counts */
    enum sg_result failed; /* set at the start: nothing may be written now, and why */
};

MUST_USE enum sg_result store_transaction_put(struct store_transaction *transaction,
                                              enum store_table table, struct span key,
                                              struct span value);
MUST_USE enum sg_result store_transaction_remove(struct store_transaction *transaction,
                                                 enum store_table table, struct span key);
/* SG_OK also when nothing was written. */
MUST_USE enum sg_result store_transaction_commit(struct store_transaction *transaction);
void store_transaction_abort(struct store_transaction *transaction);

/* Write nothing but the number: does writing work? Alone in its transaction. */
MUST_USE enum sg_result store_transaction_try(struct store_transaction *transaction);
/* The number of the last transaction that counts; 0: there was none. */
MUST_USE enum sg_result store_transaction_last(const struct store_io *io, uint64_t *out_number);

/* A 64-bit value of STORE_META. SG_NOT_FOUND, SG_MALFORMED. */
MUST_USE enum sg_result store_meta_get(const struct store_io *io, const char *key,
                                       uint64_t *out_value);
MUST_USE enum sg_result store_meta_put(struct store_transaction *transaction, const char *key,
                                       uint64_t value);
