#include "conf/load.h"
#include "support/table.h"

#define QUERY(list) "options { allow-query { " list " }; };"

static const struct text_case cases[] = {
    {"an ACL may be defined after its use", "options { allow-query { a; }; }; acl a { any; };",
     false, NULL},
    {"names of ACLs ignore case", "acl Abc { any; }; " QUERY("aBC;"), false, NULL},
    {"names of ACLs may be quoted", "acl \"a b\" { any; }; " QUERY("\"a b\";"), false, NULL},
    {"an unknown name is an error", QUERY("10/8; nosuch;"), true, "t:1:31: undefined ACL 'nosuch'"},
    {"a circle is an error", "acl a { b; }; acl b { a; }; " QUERY("a;"), true, "acl loop detected"},
    {"an ACL in itself is an error", "acl a { a; }; " QUERY("a;"), true, "acl loop detected"},
    {"two of one name are an error", "acl a { any; }; acl A { none; };", true,
     "t:1:21: acl 'A' is defined twice"},
    {"built-in names stay", "acl localhost { any; };", true,
     "attempt to redefine builtin acl 'localhost'"},
    {"what nobody uses is only a warning", "acl a { nosuch; };", false,
     "t:1:9: warning: undefined ACL 'nosuch'"},
    {"a key that is not defined is a signer's", QUERY("key nosuch;"), false,
     "t:1:29: warning: key 'nosuch' is not defined: only SIG(0) signers of that name match"},
    {"but a negated one would refuse nobody", QUERY("!key nosuch; any;"), true,
     "t:1:30: key 'nosuch' is not defined: behind '!' it would refuse nobody"},
    {"nor would one in a negated list", QUERY("!{ 10/8; key nosuch; }; any;"), true,
     "t:1:38: key 'nosuch' is not defined: behind '!' it would refuse nobody"},
    {"nor one in a negated list by name", "acl a { key nosuch; }; " QUERY("!a; any;"), true,
     "t:1:13: key 'nosuch' is not defined: behind '!' it would refuse nobody"},
    {"nor where the list was used before", "acl a { key nosuch; }; " QUERY("a; !a; any;"), true,
     "key 'nosuch' is not defined: behind '!' it would refuse nobody"},
    {"a key with a slip",
     KEY_K
     "key transfer-key { algorithm hmac-sha256; secret \"MTIzNDU2Nzg5MDEyMzQ1Njc4OTA=\"; };" QUERY(
         "key tranfser-key;"),
     false, "key 'tranfser-key' is not defined, did you mean 'transfer-key'?"},
    {"a name with a slip", "acl customers { 10/8; };" QUERY("costumers;"), true,
     "undefined ACL 'costumers', did you mean 'customers'?"},
    {"a list of itself is an error, used or not", "acl a { a; };", true,
     "t:1:9: acl loop detected: 'a' is part of itself"},
    {"a circle too", "acl a { b; }; acl b { a; };", true, "acl loop detected"},
    {"the session key needs no definition", QUERY("key local-ddns;"), false, NULL},
    {"a renamed session key neither",
     "options { session-keyname mine; allow-update { key mine; }; };", false, NULL},
    {"an incomplete address is one", QUERY("10.1;"), true,
     "t:1:25: '10.1' is an incomplete IPv4 address or prefix"},
    {"bits behind the prefix are an error", QUERY("10.1.1.1/8;"), true,
     "'10.1.1.1/8' is an address that has bits behind its prefix length"},
    {"a prefix length has a limit", QUERY("10/33;"), true, "an invalid prefix length"},
    {"a semicolon is missing", QUERY("10/8 192.0.2.1;"), true,
     "t:1:30: expected ';', found '192.0.2.1'"},
    {"one not is enough", QUERY("!!any;"), true, "t:1:26: expected an address"},
    {"a not negates something", QUERY("!;"), true, "expected an address"},
    {"a key has a name", QUERY("key { a; };"), true, "expected the name of a key, found '{'"},
    {"geoip is refused, not passed over", QUERY("geoip country US;"), true,
     "'geoip' is not supported"},
    {"a list of a resolver's is looked at too", "options { allow-recursion { 10/33; }; };", true,
     "an invalid prefix length"},
};

static void nesting_has_a_limit_by_names_too(void **state)
{
    (void)state;
    struct buffer text = BUFFER_EMPTY;

    buffer_append_text(&text, "acl a0 { !10/8; any; };");
    for (int i = 1; i < 20; i++) {
        buffer_format(&text, "acl a%d { !a%d; any; };", i, i - 1);
    }
    buffer_append_text(&text, "options { allow-query { a19; }; };");
    refuse(buffer_text(&text), "address match lists are nested too deeply");
    buffer_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nesting_has_a_limit_by_names_too),
    };
    return RUN_TABLE(cases, says_what_it_should) | cmocka_run_group_tests(tests, NULL, NULL);
}
