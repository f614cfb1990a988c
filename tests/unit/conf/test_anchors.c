/* trust-anchors, and the zone that needs one: each mistake is told once. */
#include "conf/load.h"
#include "support/table.h"

#define DIGEST_16 "000102030405060708090A0B0C0D0E0F"
#define DIGEST_20 DIGEST_16 "10111213"
#define DIGEST_32 DIGEST_16 "101112131415161718191A1B1C1D1E1F"
#define DIGEST_48 DIGEST_32 DIGEST_16
#define BYTES_32  "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
/* exponent 65537, then the modulus: 64 bytes (512 bits), or 8 */
#define RSA_512                                                                                    \
    "AwEAAf////////////////////////////////////////////////////////////////////////////////////8="
#define RSA_64 "AwEAAf//////////"

#define ANCHOR(text) "trust-anchors { . " text "; };"
#define ANCHORED(text)                                                                             \
    ANCHOR(text) " zone \"a\" { " PRIMARY "dnssec-policy default; checkds-validate yes; };"

/* clang-format off */
static const struct text_case taken[] = {
    {"SHA-256", ANCHORED("static-ds 1 8 2 \"" DIGEST_32 "\""), false, NULL},
    {"SHA-384", ANCHORED("static-ds 1 8 4 \"" DIGEST_48 "\""), false, NULL},
    {"Ed25519", ANCHORED("static-key 257 3 15 \"" BYTES_32 "\""), false, NULL},
    {"RSA", ANCHORED("static-key 257 3 8 \"" RSA_512 "\""), false, NULL},
    {"without SEP", ANCHORED("static-key 256 3 15 \"" BYTES_32 "\""), false, NULL},
    {"a digest in pieces",
     ANCHOR("static-ds 1 8 2 \"0001020304050607 08090A0B0C0D0E0F\n\t" "101112131415161718191A1B1C1D1E1F\""),
     false, NULL},
    {"one that is followed no more", ANCHOR("initial-ds 1 8 2 \"" DIGEST_32 "\""), false,
     "'initial-ds' is taken as 'static-ds': keys are not followed as RFC 5011 has it"},
    {"a digest of SHA-1", ANCHOR("static-ds 1 8 1 \"" DIGEST_20 "\""), false,
     "t:1:33: warning: a SHA-1 digest proves nothing"},
    {"a DS of a key for SHA-1", ANCHOR("static-ds 1 5 2 \"" DIGEST_32 "\""), false,
     "t:1:31: warning: signatures of SHA-1 prove nothing"},
    {"a key for SHA-1", ANCHOR("static-key 257 3 7 \"" RSA_512 "\""), false,
     "t:1:36: warning: signatures of SHA-1 prove nothing"},
    {"GOST", ANCHOR("static-ds 1 8 3 \"" DIGEST_32 "\""), false,
     "t:1:33: warning: unknown digest type 3: this trust anchor is left out; give the DS of type 2 "
     "(SHA-256) or 4 (SHA-384)"},
    {"no digest type", ANCHOR("static-ds 1 8 0 \"" DIGEST_32 "\""), false, "unknown digest type 0"},
    {"an unknown digest type", ANCHOR("static-ds 1 8 255 \"" DIGEST_32 "\""), false, "unknown digest type 255"},
    {"a DS of an unknown algorithm", ANCHOR("static-ds 1 12 2 \"" DIGEST_32 "\""), false,
     "t:1:31: warning: no key of algorithm 12 can be verified: this trust anchor is left out; known are "
     "8, 10, 13, 14, 15 and 16"},
    {"a key of an unknown algorithm", ANCHOR("static-key 257 3 252 \"" BYTES_32 "\""), false,
     "t:1:36: warning: no key of algorithm 252 can be verified"},
    {"a revoked key", ANCHOR("static-key 385 3 15 \"" BYTES_32 "\""), false,
     "flags 385 are those of a key that is revoked: this trust anchor is left out"},
};

/* The zone does not complain that it has none. */
static const struct text_case refused[] = {
    {"a digest that is none", ANCHORED("static-ds 1 8 2 \"xyz\""), true,
     "t:1:35: this is not the digest, in hexadecimal, of a DS"},
    {"no digest", ANCHORED("static-ds 1 8 2 \"\""), true, "this is not the digest"},
    {"a short digest", ANCHORED("static-ds 1 8 2 \"00\""), true,
     "t:1:35: a digest of type 2 has 32 bytes, this one 1: copy it anew"},
    {"SHA-256 that is said to be SHA-1", ANCHORED("static-ds 1 8 1 \"" DIGEST_32 "\""), true,
     "a digest of type 1 has 20 bytes, this one 32"},
    {"SHA-256 that is said to be SHA-384", ANCHORED("static-ds 1 8 4 \"" DIGEST_32 "\""), true,
     "a digest of type 4 has 48 bytes, this one 32"},
    {"a number", ANCHORED("static-ds 1 256 2 \"" DIGEST_32 "\""), true, "256 is too large"},
    {"a key that is none", ANCHORED("static-key 257 3 13 \"!\""), true,
     "t:1:39: this is not the key, in base64, of a DNSKEY"},
    {"a key of another length", ANCHORED("static-key 257 3 13 \"" BYTES_32 "\""), true,
     "t:1:39: these 32 bytes are no key of algorithm 13 (ECDSAP256SHA256): copy it anew"},
    {"a key of RSA that is no longer than a name", ANCHORED("static-key 257 3 8 \"" RSA_64 "\""), true,
     "these 12 bytes are no key of algorithm 8 (RSASHA256)"},
    {"a key of no zone", ANCHORED("static-key 1 3 15 \"" BYTES_32 "\""), true,
     "t:1:30: flags 1 are those of a key that is no zone's: a zone's key has 257 or 256"},
    {"another protocol", ANCHORED("static-key 257 2 15 \"" BYTES_32 "\""), true,
     "t:1:34: the protocol of a DNSKEY is 3, not 2"},
    {"another kind", ANCHORED("ds 1 8 2 \"" DIGEST_32 "\""), true, "found 'ds'"},
};
/* clang-format on */

static void is_refused_with_one_error(void **state)
{
    const struct text_case *c = *state;
    struct conf_report report = {0};
    struct conf *conf = NULL;

    assert_int_equal(conf_load_text("t", span_of_text(c->text), &conf, &report), SG_MALFORMED);
    print_report(&report);
    assert_int_equal(report.count, 1);
    assert_true(report_says(&report, c->says));
    conf_report_clear(&report);
}

int main(void)
{
    return RUN_TABLE(taken, says_what_it_should) | RUN_TABLE(refused, is_refused_with_one_error);
}
