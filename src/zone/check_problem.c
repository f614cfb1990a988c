#include "zone/check_problem.h"

#include <stdio.h>

#include "dns/rrtype.h"

enum { WORDS_BYTES = 200 };

const char *check_owner_text(const struct zone_check *check, char out_text[DNS_NAME_TEXT_BYTES])
{
    struct dns_name owner;
    zone_version_owner(check->draft, check->node, &owner);
    return dns_name_to_text_short(&owner, out_text);
}

void check_problem(const struct zone_check *check, enum check_mode mode, const char *text)
{
    if (mode != CHECK_IGNORE) {
        zonefile_report_add(check->report, mode == CHECK_FAIL ? ZONEFILE_ERROR : ZONEFILE_WARNING,
                            NULL, 0, "%s", text);
    }
}

void check_owner_problem(const struct zone_check *check, enum check_mode mode, const char *what)
{
    char owner[DNS_NAME_TEXT_BYTES];
    char text[DNS_NAME_TEXT_BYTES + WORDS_BYTES];
    if (mode != CHECK_IGNORE) {
        snprintf(text, sizeof(text), "%s%s", check_owner_text(check, owner), what);
        check_problem(check, mode, text);
    }
}

void check_target_problem(const struct zone_check *check, enum check_mode mode, uint16_t type,
                          const struct dns_name *target, const char *what)
{
    char owner[DNS_NAME_TEXT_BYTES];
    char name[DNS_NAME_TEXT_BYTES];
    char type_text[DNS_TYPE_TEXT_BYTES];
    char text[2 * DNS_NAME_TEXT_BYTES + WORDS_BYTES];
    if (mode == CHECK_IGNORE) {
        return;
    }
    bool at_apex = type == DNS_TYPE_NS && check_is_at_apex(check);
    snprintf(text, sizeof(text), "%s%s%s '%s' %s", at_apex ? "" : check_owner_text(check, owner),
             at_apex ? "" : "/", dns_type_to_text(type, type_text),
             dns_name_to_text_short(target, name), what);
    check_problem(check, mode, text);
}
