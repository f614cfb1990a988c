/*
 * dns/text_wks.h - protocol and ports of WKS as text (RFC 1035 3.4.2). Private to dns/.
 *
 * Written as numbers, which every tool reads. Read as numbers or names; the names are a table here,
 * since a zone must not mean something else where /etc/services differs.
 */
#pragma once

#include "dns/text_words.h"

/* The words behind the address. Appends protocol and bitmap. */
void text_wks_read(struct text_words *words, struct buffer *out_rdata);
/* `services` is protocol and bitmap, well formed. Appends. */
void text_wks_write(struct span services, struct buffer *out_text);
