/*
 * dns/text_svcb.h - the service parameters of SVCB and HTTPS as text (RFC 9460 2.1, appendix A)
 *
 * Private to dns/.
 */
#pragma once

#include "dns/text_words.h"

/* All words that are left are parameters, in any order. Appends them as on the wire. */
void text_svcb_read(struct text_words *words, struct buffer *out_rdata);
/* `params` is well formed. Appends. */
void text_svcb_write(struct span params, struct buffer *out_text);
