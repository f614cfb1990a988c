#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "keeper/refresh_words.h"

#define FROM "192.0.2.1#53"

/* clang-format off */
static const struct words_case {
    struct refresh_failure failure;
    const char *begins; /* the text begins so */
    const char *advice; /* and has this in it */
} cases[] = {
    {{FROM, NULL, false, SG_OK, DNS_RCODE_REFUSED, false, true, false, 0, 0, 0},
     "REFUSED by 192.0.2.1#53: ", "permit queries from this address"},
    {{FROM, "x", false, SG_OK, DNS_RCODE_NOTAUTH, false, false, false, 0, 0, 0},
     "NOTAUTH by 192.0.2.1#53, TSIG key 'x': ", "does not know the key"},
    {{FROM, NULL, false, SG_OK, DNS_RCODE_NOTAUTH, false, false, false, 0, 0, 0},
     "NOTAUTH by 192.0.2.1#53: ", "wants a TSIG key"},
    {{FROM, NULL, false, SG_OK, DNS_RCODE_SERVFAIL, false, false, false, 0, 0, 0},
     "SERVFAIL by 192.0.2.1#53: ", "see its log"},
    {{FROM, NULL, false, SG_OK, 23, false, false, false, 0, 0, 0},
     "rcode 23 by 192.0.2.1#53: ", "see its log"},
    {{FROM, "x", true, SG_UNSUPPORTED, DNS_RCODE_REFUSED, false, false, false, 0, 0, 0},
     "REFUSED by 192.0.2.1#53, TSIG key 'x': ", "allow-transfer"},
    {{FROM, NULL, true, SG_UNSUPPORTED, DNS_RCODE_NOTIMP, false, false, false, 0, 0, 0},
     "NOTIMP by 192.0.2.1#53: ", "does not do such transfers"},
    {{FROM, NULL, false, SG_OK, DNS_RCODE_NOERROR, false, false, true, 0, 0, 0},
     "the answer of 192.0.2.1#53 is not authoritative", "does not serve the zone"},
    {{FROM, NULL, false, SG_OK, DNS_RCODE_NOERROR, false, true, false, 0, 0, 0},
     "the answer of 192.0.2.1#53 has no SOA", "does not serve the zone"},
    {{FROM, NULL, false, SG_OK, DNS_RCODE_NOERROR, true, true, true, 0, 0, 0},
     "the answer of 192.0.2.1#53 is truncated", "TCP"},
    {{FROM, NULL, false, SG_OK, DNS_RCODE_NOERROR, false, true, true, 5, 9, 0},
     "the answer of 192.0.2.1#53 has serial 5, which is older than ours, 9: ", "retransfer"},
    {{FROM, "x", false, SG_BAD_SIG, 0, false, false, false, 0, 0, 0},
     "192.0.2.1#53, TSIG key 'x': BADSIG: ", "secret"},
    {{FROM, "x", true, SG_BAD_KEY, 0, false, false, false, 0, 0, 0},
     "192.0.2.1#53, TSIG key 'x': BADKEY: ", "algorithm"},
    {{FROM, "x", false, SG_BAD_TIME, 0, false, false, false, 0, 0, 0},
     "192.0.2.1#53, TSIG key 'x': BADTIME: ", "clock"},
    {{FROM, NULL, false, SG_TIMEOUT, 0, false, false, false, 0, 0, 0},
     "192.0.2.1#53: no answer", "firewall"},
    {{FROM, NULL, false, SG_REFUSED, 0, false, false, false, 0, 0, 0},
     "192.0.2.1#53: connection refused", "address and port"},
    {{FROM, NULL, false, SG_DENIED, 0, false, false, false, 0, 0, 0},
     "192.0.2.1#53: it is not asked", "`server` statement"},
    {{FROM, NULL, true, SG_LIMIT, 0, false, false, false, 0, 0, 0},
     "192.0.2.1#53: the zone is larger", "max-records"},
    {{FROM, NULL, true, SG_IO, 0, false, false, false, 0, 0, 0},
     "192.0.2.1#53: it cannot be reached", "see its log"},
    {{FROM, NULL, true, SG_IO, 0, false, false, false, 0, 0, 7},
     "192.0.2.1#53: it closed the connection in the midst of the transfer, after 7 records", "log"},
    {{FROM, NULL, true, SG_TIMEOUT, 0, false, false, false, 0, 0, 1},
     "192.0.2.1#53: the transfer stopped after 1 record, ", "min-transfer-rate-in"},
};
/* clang-format on */

static void a_failure_names_who_and_why_and_what_to_do(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = refresh_failure_text(&cases[i].failure);
        assert_ptr_equal(strstr(text, cases[i].begins), text);
        assert_non_null(strstr(text, cases[i].advice));
        mem_free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_names_who_and_why_and_what_to_do),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
