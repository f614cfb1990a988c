/*
 * server/signing_text.h - records of the private type in BIND's words: rndc signing -list
 */
#pragma once

#include "base/buffer.h"

/* One record, in a line of its own behind what is there. False: it is of neither form, and nothing
 * is told. */
bool signing_text_append(struct span rdata, struct buffer *out_text);
