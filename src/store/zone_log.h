/*
 * store/zone_log.h - a zone's commits in the tables: open, append, trim, forget
 *
 * The rules of one zone, without threads or faults: those are store.c's. Each function looks before
 * it writes, so that one that refuses has written nothing and the transaction may go on with the
 * next zone; a write that fails is told by transaction->failed.
 *
 * What holds between any two transactions:
 *   (1) the numbers of a zone's records have no gap; the last one is the zone's present state;
 *   (2) a zone has at most one image, and the record of its number is there;
 *   (3) without an image the records begin with 1, else at its number or below.
 */
#pragma once

#include "store/store.h"
#include "store/transaction.h"

/* An image file that nothing names once the transaction is durable. */
struct zone_log_image {
    uint64_t zone, number; /* number 0: none */
};

/*
 * SG_NOT_FOUND (`only_known`, and it is not), SG_LIMIT (identity too long), SG_MALFORMED (damage
 * that recovery cannot do without; damaged records that only IXFR wanted are left out and logged),
 * SG_UNSUPPORTED. `out_problem` (the caller frees) then says what and where. With SG_MALFORMED
 * `out_zone` may be set: see store.h.
 */
MUST_USE enum sg_result zone_log_open(struct store_transaction *transaction, struct span identity,
                                      bool only_known, struct store_zone **out_zone,
                                      char **out_problem);
/*
 * SG_CONFLICT (not the next number), SG_NOT_FOUND (the image file is not there), SG_LIMIT (record
 * or small image too large).
 */
MUST_USE enum sg_result zone_log_append(struct store_transaction *transaction, uint64_t zone,
                                        const struct store_commit_record *record, struct span image,
                                        struct zone_log_image *out_gone);
/*
 * An image of what the zone was at commit `number`. SG_CONFLICT: it has one as new already;
 * SG_NOT_FOUND: neither that record nor the image file may be missing; SG_LIMIT.
 */
MUST_USE enum sg_result zone_log_put_image(struct store_transaction *transaction, uint64_t zone,
                                           uint64_t number, struct span image,
                                           struct zone_log_image *out_gone);
/* Is there a manifest of that number? True also where that cannot be told. */
bool zone_log_may_name_image(const struct store_io *io, uint64_t zone, uint64_t number);
/* Records below the image and below `number`. */
MUST_USE enum sg_result zone_log_trim(struct store_transaction *transaction, uint64_t zone,
                                      uint64_t number);
/* SG_OK also for a zone that is not there; SG_CONFLICT: the identity belongs to another id. */
MUST_USE enum sg_result zone_log_forget(struct store_transaction *transaction, uint64_t zone,
                                        struct span identity, struct zone_log_image *out_gone);

/* Check the format of the tables, or say which one it is in those that are new. SG_UNSUPPORTED. */
MUST_USE enum sg_result zone_log_check_format(struct store_transaction *transaction);
