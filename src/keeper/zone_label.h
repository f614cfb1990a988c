/*
 * keeper/zone_label.h - how log lines name a zone: name, class, and its view where there are views
 *
 * Two views may have a zone of the same name: without the view a line would not say which.
 */
#pragma once

#include "keeper/keeper.h"

/* The longest name in presentation format, a class and a view; a longer one is cut. */
enum { ZONE_LABEL_BYTES = 1280 };

/* `example.org/IN`, or `example.org/IN/internal`. Writes to `out_text` and returns it. Any thread.
 */
const char *zone_label(const struct zone_settings *settings, char out_text[ZONE_LABEL_BYTES]);
