/*
 * store/lmdb_result.h - what LMDB's codes mean to the store (private to store/)
 */
#pragma once

#include "base/result.h"

/* SG_LIMIT: the map is full. Codes of the system are SG_NO_SPACE, SG_DENIED or SG_IO. */
enum sg_result lmdb_result(int code);
