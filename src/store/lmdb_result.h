/*
 * store/lmdb_result.h - what LMDB's codes mean to the store, and what an operator can do then
 * (private to store/)
 */
#pragma once

#include "base/result.h"

/* Codes of our own beside LMDB's and the system's: see lmdb_damage.h. */
enum {
    LMDB_LOST = -30700,
    LMDB_CUT,
};

/* SG_LIMIT: the map is full. Codes of the system are SG_NO_SPACE, SG_DENIED or SG_IO. */
enum sg_result lmdb_result(int code);
/* What happened, as mdb_strerror() says it, of our own codes too. */
const char *lmdb_text(int code);
/* What whoever started us can do; it begins with "; ", or is empty. */
const char *lmdb_advice(int code);
