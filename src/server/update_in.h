/*
 * server/update_in.h - dynamic updates (RFC 2136): which are heard at all
 */
#pragma once

#include "server/request.h"

size_t update_in_answer(const struct request *request, uint8_t *out_bytes, size_t bytes_max);
