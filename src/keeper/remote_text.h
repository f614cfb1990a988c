/*
 * keeper/remote_text.h - a remote in the words of logs and status: "192.0.2.1#53"
 */
#pragma once

#include "keeper/remote.h"

enum { REMOTE_TEXT_BYTES = 64 };

void remote_text(const struct remote *remote, char out_text[REMOTE_TEXT_BYTES]);
