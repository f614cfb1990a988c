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

static void add_problem(const struct zone_check *check, enum check_mode mode,
                        enum zonefile_which which, uint16_t type, struct span rdata,
                        const char *text)
{
    struct dns_name owner;
    zone_version_owner(check->draft, check->node, &owner);
    struct zonefile_subject subject = {&owner, type, which, rdata};
    zonefile_report_add_about(check->report, mode == CHECK_FAIL ? ZONEFILE_ERROR : ZONEFILE_WARNING,
                              &subject, text);
}

void check_record_problem(const struct zone_check *check, enum check_mode mode, uint16_t type,
                          struct span rdata, const char *text)
{
    if (mode != CHECK_IGNORE) {
        add_problem(check, mode, ZONEFILE_FIRST, type, rdata, text);
    }
}

static void add_owner_problem(const struct zone_check *check, enum check_mode mode,
                              enum zonefile_which which, uint16_t type, const char *what)
{
    char owner[DNS_NAME_TEXT_BYTES];
    char text[DNS_NAME_TEXT_BYTES + WORDS_BYTES];
    snprintf(text, sizeof(text), "%s%s", check_owner_text(check, owner), what);
    add_problem(check, mode, which, type, (struct span){NULL, 0}, text);
}

void check_owner_problem(const struct zone_check *check, enum check_mode mode, uint16_t type,
                         const char *what)
{
    if (mode != CHECK_IGNORE) {
        add_owner_problem(check, mode, ZONEFILE_FIRST, type, what);
    }
}

void check_conflict(const struct zone_check *check, enum zonefile_which which, uint16_t type,
                    const char *what)
{
    add_owner_problem(check, CHECK_FAIL, which, type, what);
}

void check_target_problem(const struct zone_check *check, enum check_mode mode, uint16_t type,
                          struct span rdata, const struct dns_name *target, const char *what)
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
    add_problem(check, mode, ZONEFILE_FIRST, type, rdata, text);
}
