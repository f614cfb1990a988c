#include "store/transaction.h"

#include "store/commit.h"

static const char number_key[] = "transaction";

static enum sg_result begin(struct store_transaction *transaction)
{
    if (transaction->failed == SG_OK && !transaction->is_open) {
        transaction->failed = transaction->io->begin(transaction->io->argument);
        transaction->is_open = transaction->failed == SG_OK;
    }
    return transaction->failed;
}

/* A failed write has ended the transaction below. */
static enum sg_result note(struct store_transaction *transaction, enum sg_result result)
{
    transaction->writes++;
    if (result != SG_OK) {
        transaction->failed = result;
        transaction->is_open = false;
    }
    return result;
}

enum sg_result store_transaction_put(struct store_transaction *transaction, enum store_table table,
                                     struct span key, struct span value)
{
    if (begin(transaction) != SG_OK) {
        return transaction->failed;
    }
    return note(transaction, transaction->io->put(transaction->io->argument, table, key, value));
}

enum sg_result store_transaction_remove(struct store_transaction *transaction,
                                        enum store_table table, struct span key)
{
    if (begin(transaction) != SG_OK) {
        return transaction->failed;
    }
    return note(transaction, transaction->io->remove(transaction->io->argument, table, key));
}

enum sg_result store_transaction_commit(struct store_transaction *transaction)
{
    if (!transaction->is_open) {
        return transaction->failed;
    }
    if (store_meta_put(transaction, number_key, transaction->number) != SG_OK) {
        return transaction->failed;
    }
    transaction->is_open = false;
    transaction->wrote =
        note(transaction, transaction->io->commit(transaction->io->argument)) == SG_OK;
    return transaction->failed;
}

void store_transaction_abort(struct store_transaction *transaction)
{
    if (transaction->is_open) {
        transaction->is_open = false;
        transaction->io->abort(transaction->io->argument);
    }
}

enum sg_result store_transaction_try(struct store_transaction *transaction)
{
    ASSERT(!transaction->is_open);
    if (begin(transaction) != SG_OK) {
        return transaction->failed;
    }
    return store_transaction_commit(transaction);
}

enum sg_result store_transaction_last(const struct store_io *io, uint64_t *out_number)
{
    enum sg_result result = store_meta_get(io, number_key, out_number);
    if (result == SG_NOT_FOUND) {
        *out_number = 0;
        return SG_OK;
    }
    return result;
}

enum sg_result store_meta_get(const struct store_io *io, const char *key, uint64_t *out_value)
{
    struct span value;
    enum sg_result result = io->get(io->argument, STORE_META, span_of_text(key), &value);
    if (result != SG_OK) {
        return result;
    }
    if (value.length != 8) {
        return SG_MALFORMED;
    }
    *out_value = store_get_u64(value.bytes);
    return SG_OK;
}

enum sg_result store_meta_put(struct store_transaction *transaction, const char *key,
                              uint64_t value)
{
    uint8_t bytes[8];
    store_put_u64(bytes, value);
    return store_transaction_put(transaction, STORE_META, span_of_text(key),
                                 (struct span){bytes, sizeof(bytes)});
}
