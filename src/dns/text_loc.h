/*
 * dns/text_loc.h - where things are: LOC as text (RFC 1876 3). Private to dns/.
 */
#pragma once

#include "dns/text_words.h"

/* Appends rdata of version 0. */
void text_loc_read(struct text_words *words, struct buffer *out_rdata);
/* `rdata` is well formed, of version 0. Appends. */
void text_loc_write(struct span rdata, struct buffer *out_text);
