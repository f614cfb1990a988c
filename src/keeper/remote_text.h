/*
 * keeper/remote_text.h - a remote in the words of logs and status: "192.0.2.1#53", and why it gave
 * no answer that counts
 */
#pragma once

#include "base/result.h"
#include "keeper/remote.h"

enum { REMOTE_TEXT_BYTES = 64 };

void remote_text(const struct remote *remote, char out_text[REMOTE_TEXT_BYTES]);
/* Of a question that failed: what it met, and what to look at. Never NULL. Thread: any. */
const char *remote_failure_text(enum sg_result result);
