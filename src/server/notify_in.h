/*
 * server/notify_in.h - a primary tells that a zone changed (RFC 1996)
 */
#pragma once

#include "server/request.h"

size_t notify_in_answer(const struct request *request, uint8_t *out_bytes, size_t bytes_max);
