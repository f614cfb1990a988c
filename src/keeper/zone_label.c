#include "keeper/zone_label.h"

#include <stdio.h>
#include <string.h>

#include "dns/rrtype.h"

const char *zone_label(const struct zone_settings *settings, char out_text[ZONE_LABEL_BYTES])
{
    char rrclass[DNS_TYPE_TEXT_BYTES];
    bool has_view = strcmp(settings->view, "_default") != 0;

    (void)snprintf(out_text, ZONE_LABEL_BYTES, "%s/%s%s%s", settings->name,
                   dns_class_to_text(settings->rrclass, rrclass), has_view ? "/" : "",
                   has_view ? settings->view : "");
    return out_text;
}
