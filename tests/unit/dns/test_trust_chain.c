#include <ldns/ldns.h>
#include <stdlib.h>

#include "base/buffer.h"
#include "dns/nodata_proof.h"
#include "dns/rrtype.h"
#include "dns/trust_chain.h"
#include "support/table.h"

/*
 * A root, `test.` and its delegation `example.test.`, whose DS is asked for. Signed by ldns, so
 * that each row can spoil one thing. All times are seconds since T0.
 */
enum { T0 = 1700000000, VALID = 3600, DS_TTL = 300 };

enum fault {
    FAULT_NONE,
    FAULT_EXPIRED,
    FAULT_EARLY,
    FAULT_UNSIGNED,
    FAULT_FORGED,      /* signed, then changed */
    FAULT_WRONG_KEY,   /* signed by a key that is not in the zone */
    FAULT_WRONG_NAME,  /* signed by the child itself */
    FAULT_NO_DNSKEY,   /* the parent's keys are not answered */
    FAULT_OTHER_KEYS,  /* the parent's keys are others than its DS says */
    FAULT_KEYS_FORGED, /* the DNSKEY RRset has one more, unsigned */
    FAULT_REVOKED,     /* the parent's key is revoked */
    FAULT_INSECURE,    /* the parent has no DS itself */
    FAULT_MANY_KEYS,   /* many wrong keys with the tag of the signature */
    FAULT_OTHER_DS,    /* the DS of another name */
    FAULT_WILDCARD,    /* the DS is made of that of a wildcard */
    FAULT_NSEC_HAS_DS, /* the NSEC says that there is one */
    FAULT_NSEC_APEX,   /* the NSEC is that of the child's apex */
    FAULT_NSEC_OTHER,  /* the NSEC is that of another name */
    FAULT_NO_OPT_OUT,  /* the covering NSEC3 leaves nothing out */
    FAULT_NO_ENCLOSER, /* nothing says where the name would be */
    FAULT_ITERATIONS,
};

enum denial { PRESENT, BY_NSEC, BY_NSEC3, BY_OPT_OUT };

struct zone {
    char *name;
    ldns_key *key;
    ldns_key_list *keys; /* `key` alone */
    ldns_rr *dnskey;
};

struct world {
    struct zone root, test, child, stranger;
};

static struct world world;

static void make_zone(struct zone *zone, const char *name)
{
    zone->name = strdup(name);
    zone->key = ldns_key_new_frm_algorithm(LDNS_SIGN_ECDSAP256SHA256, 256);
    assert_non_null(zone->key);
    ldns_key_set_pubkey_owner(zone->key, ldns_dname_new_frm_str(name));
    ldns_key_set_flags(zone->key, 257);
    zone->dnskey = ldns_key2rr(zone->key);
    ldns_rr_set_ttl(zone->dnskey, 100);
    ldns_key_set_keytag(zone->key, ldns_calc_keytag(zone->dnskey));
    zone->keys = ldns_key_list_new();
    ldns_key_list_push_key(zone->keys, zone->key);
}

static int make_world(void **state)
{
    (void)state;
    make_zone(&world.root, ".");
    make_zone(&world.test, "test.");
    make_zone(&world.child, "example.test.");
    make_zone(&world.stranger, "test.");
    return 0;
}

/* --- records and messages ------------------------------------------------------------------- */

static ldns_rr *rr_of(const char *text)
{
    ldns_rr *rr = NULL;
    assert_int_equal(ldns_rr_new_frm_str(&rr, text, 0, NULL, NULL), LDNS_STATUS_OK);
    return rr;
}

static ldns_rr_list *list_of(ldns_rr *rr)
{
    ldns_rr_list *list = ldns_rr_list_new();
    ldns_rr_list_push_rr(list, rr);
    return list;
}

/* Signs what is in `set`, which goes into `section` with its signature. */
static void add(ldns_pkt *packet, ldns_pkt_section section, ldns_rr_list *set,
                const struct zone *signer, enum fault fault)
{
    if (signer != NULL && fault != FAULT_UNSIGNED) {
        uint32_t begin = fault == FAULT_EARLY ? T0 + 10 : T0 - VALID;
        uint32_t end = fault == FAULT_EXPIRED ? T0 - 1 : T0 + VALID;
        ldns_key_set_inception(signer->key, begin);
        ldns_key_set_expiration(signer->key, end);
        ldns_key_set_origttl(signer->key, ldns_rr_ttl(ldns_rr_list_rr(set, 0)));
        ldns_rr_list *signatures = ldns_sign_public(set, signer->keys);
        assert_int_equal(ldns_rr_list_rr_count(signatures), 1);
        ldns_pkt_push_rr_list(packet, section, signatures);
        ldns_rr_list_free(signatures);
    }
    if (fault == FAULT_FORGED || fault == FAULT_MANY_KEYS) {
        ldns_rdf *last =
            ldns_rr_rdf(ldns_rr_list_rr(set, 0), ldns_rr_rd_count(ldns_rr_list_rr(set, 0)) - 1);
        ldns_rdf_data(last)[ldns_rdf_size(last) - 1] ^= 1;
    }
    ldns_pkt_push_rr_list(packet, section, set);
    ldns_rr_list_free(set);
}

static ldns_pkt *packet_of(const char *name, uint16_t type)
{
    ldns_pkt *packet = ldns_pkt_new();
    ldns_rr *question = ldns_rr_new();
    ldns_rr_set_owner(question, ldns_dname_new_frm_str(name));
    ldns_rr_set_type(question, (ldns_rr_type)type);
    ldns_rr_set_class(question, LDNS_RR_CLASS_IN);
    ldns_rr_set_question(question, true);
    ldns_pkt_push_rr(packet, LDNS_SECTION_QUESTION, question);
    ldns_pkt_set_qr(packet, true);
    ldns_pkt_set_aa(packet, true);
    return packet;
}

static ldns_rr *ds_of(const struct zone *zone)
{
    ldns_rr *ds = ldns_key_rr2ds(zone->dnskey, LDNS_SHA256);
    ldns_rr_set_ttl(ds, DS_TTL);
    return ds;
}

/* --- what says that there is no DS ---------------------------------------------------------- */

/* An NSEC3 of `name`'s hash, or beginning one before it and ending one behind. */
static ldns_rr *nsec3_of(const char *name, bool covers, unsigned flags, unsigned iterations,
                         const char *types)
{
    char text[512];
    ldns_rdf *dname = ldns_dname_new_frm_str(name);
    ldns_rdf *hashed =
        ldns_nsec3_hash_name(dname, LDNS_SHA1, (uint16_t)iterations, 2, (uint8_t *)"\xab\xcd");
    char *hash = ldns_rdf2str(hashed);
    char next[64];
    hash[strcspn(hash, ".")] = '\0';
    /* Begins at, or before, the hash; ends behind it. */
    memcpy(next, hash, strlen(hash) + 1);
    memset(next + 1, 'v', strlen(hash) - 1);
    if (covers) {
        memset(hash + 1, '0', strlen(hash) - 1);
    }
    snprintf(text, sizeof(text), "%s.test. 60 IN NSEC3 1 %u %u abcd %s %s", hash, flags, iterations,
             next, types);
    free(hash);
    ldns_rdf_deep_free(hashed);
    ldns_rdf_deep_free(dname);
    return rr_of(text);
}

static void deny_by_nsec(ldns_pkt *packet, const struct zone *signer, enum fault fault)
{
    const char *text = fault == FAULT_NSEC_HAS_DS ? "example.test. 60 IN NSEC x.test. NS DS RRSIG"
                       : fault == FAULT_NSEC_APEX
                           ? "example.test. 60 IN NSEC x.test. NS SOA RRSIG DNSKEY"
                       : fault == FAULT_NSEC_OTHER ? "a.test. 60 IN NSEC x.test. NS RRSIG"
                                                   : "example.test. 60 IN NSEC x.test. NS RRSIG";
    add(packet, LDNS_SECTION_AUTHORITY, list_of(rr_of(text)), signer, fault);
}

static void deny(ldns_pkt *packet, enum denial denial, const struct zone *signer, enum fault fault)
{
    unsigned iterations = fault == FAULT_ITERATIONS ? NODATA_PROOF_ITERATIONS_MAX + 1 : 3;
    const char *types = fault == FAULT_NSEC_HAS_DS ? "NS DS RRSIG"
                        : fault == FAULT_NSEC_APEX ? "NS SOA RRSIG"
                                                   : "NS";
    add(packet, LDNS_SECTION_AUTHORITY,
        list_of(rr_of("test. 60 IN SOA ns.test. h.test. 1 2 3 4 5")), signer, FAULT_NONE);
    if (denial == BY_NSEC) {
        deny_by_nsec(packet, signer, fault);
        return;
    }
    if (denial == BY_NSEC3) {
        const char *name = fault == FAULT_NSEC_OTHER ? "a.test." : "example.test.";
        add(packet, LDNS_SECTION_AUTHORITY, list_of(nsec3_of(name, false, 0, iterations, types)),
            signer, fault);
        return;
    }
    unsigned flags = fault == FAULT_NO_OPT_OUT ? 0 : 1;
    if (fault != FAULT_NO_ENCLOSER) {
        add(packet, LDNS_SECTION_AUTHORITY,
            list_of(nsec3_of("test.", false, flags, iterations, "NS SOA RRSIG DNSKEY")), signer,
            fault);
    }
    add(packet, LDNS_SECTION_AUTHORITY,
        list_of(nsec3_of("example.test.", true, flags, iterations, "A")), signer, FAULT_NONE);
}

/* --- answers -------------------------------------------------------------------------------- */

struct row {
    const char *name;
    enum denial denial;
    enum fault fault;
    const char *problem; /* a part of it; NULL: it is proven */
    bool at_root;        /* the anchor; else `test.` has one */
    bool by_key;         /* it is a DNSKEY */
};

/* The tag is a sum of words of two bytes: with two of them changed places it is the same. */
static ldns_rr *twin_of(const ldns_rr *dnskey, size_t word)
{
    ldns_rr *twin = ldns_rr_clone(dnskey);
    uint8_t *bytes = ldns_rdf_data(ldns_rr_rdf(twin, 3));
    for (size_t i = 0; i < 2; i++) {
        uint8_t byte = bytes[i];
        bytes[i] = bytes[2 * word + i];
        bytes[2 * word + i] = byte;
    }
    assert_int_equal(ldns_calc_keytag(twin), ldns_calc_keytag(dnskey));
    return twin;
}

static void add_keys(ldns_pkt *packet, const struct zone *zone, enum fault fault)
{
    ldns_rr_list *keys = list_of(ldns_rr_clone(zone->dnskey));
    if (fault == FAULT_OTHER_KEYS) {
        ldns_rr_list_deep_free(keys);
        add(packet, LDNS_SECTION_ANSWER, list_of(ldns_rr_clone(world.stranger.dnskey)),
            &world.stranger, FAULT_NONE);
        return;
    }
    for (size_t i = 1; fault == FAULT_MANY_KEYS && i <= SIGNED_RRSET_TRIES_MAX; i++) {
        ldns_rr_list_push_rr(keys, twin_of(zone->dnskey, i));
    }
    ldns_rr_list_sort(keys);
    add(packet, LDNS_SECTION_ANSWER, keys, zone, FAULT_NONE);
    if (fault == FAULT_KEYS_FORGED) {
        ldns_pkt_push_rr(packet, LDNS_SECTION_ANSWER, ldns_rr_clone(world.stranger.dnskey));
    }
}

static void rename_to(ldns_rr *rr, const char *name)
{
    ldns_rdf_deep_free(ldns_rr_owner(rr));
    ldns_rr_set_owner(rr, ldns_dname_new_frm_str(name));
}

static ldns_pkt *answer_ds(const struct row *row)
{
    ldns_pkt *packet = packet_of("example.test.", DNS_TYPE_DS);
    const struct zone *signer = row->fault == FAULT_WRONG_KEY    ? &world.stranger
                                : row->fault == FAULT_WRONG_NAME ? &world.child
                                                                 : &world.test;
    if (row->denial != PRESENT) {
        deny(packet, row->denial, signer, row->fault);
        return packet;
    }
    ldns_rr *ds = ds_of(&world.child);
    if (row->fault == FAULT_OTHER_DS || row->fault == FAULT_WILDCARD) {
        rename_to(ds, row->fault == FAULT_OTHER_DS ? "other.test." : "*.test.");
    }
    add(packet, LDNS_SECTION_ANSWER, list_of(ds), signer, row->fault);
    for (size_t i = 0; row->fault == FAULT_WILDCARD && i < 2; i++) {
        rename_to(ldns_rr_list_rr(ldns_pkt_answer(packet), i), "example.test.");
    }
    return packet;
}

static ldns_pkt *answer(const struct row *row, const char *name, uint16_t type)
{
    bool is_root = strcmp(name, ".") == 0;
    if (strcmp(name, "example.test.") == 0) {
        assert_int_equal(type, DNS_TYPE_DS);
        return answer_ds(row);
    }
    ldns_pkt *packet = packet_of(name, type);
    assert_true(is_root || strcmp(name, "test.") == 0);
    if (type == DNS_TYPE_DNSKEY && row->fault == FAULT_NO_DNSKEY) {
        ldns_pkt_set_rcode(packet, LDNS_RCODE_SERVFAIL);
    } else if (type == DNS_TYPE_DNSKEY) {
        add_keys(packet, is_root ? &world.root : &world.test, is_root ? FAULT_NONE : row->fault);
    } else if (row->fault != FAULT_INSECURE) {
        add(packet, LDNS_SECTION_ANSWER, list_of(ds_of(&world.test)), &world.root, FAULT_NONE);
    }
    return packet;
}

static void tell(struct trust_chain *chain, ldns_pkt *packet)
{
    struct dns_message message;
    uint8_t *wire;
    size_t length;
    assert_int_equal(ldns_pkt2wire(&wire, packet, &length), LDNS_STATUS_OK);
    /* On the heap, to the byte, so that a look beyond the end is seen. */
    uint8_t *bytes = malloc(length);
    memcpy(bytes, wire, length);
    assert_int_equal(dns_message_parse((struct span){bytes, length}, &message), SG_OK);
    trust_chain_heard(chain, SG_OK, &message);
    free(bytes);
    free(wire);
    ldns_pkt_free(packet);
}

static struct trust_anchor anchor_of(const struct zone *zone, bool by_key, struct buffer *rdata)
{
    ldns_rr *rr = by_key ? ldns_rr_clone(zone->dnskey) : ds_of(zone);
    ldns_buffer *wire = ldns_buffer_new(512);
    struct trust_anchor anchor = {.type = by_key ? DNS_TYPE_DNSKEY : DNS_TYPE_DS};
    assert_int_equal(ldns_rr_rdata2buffer_wire(wire, rr), LDNS_STATUS_OK);
    buffer_append(rdata, ldns_buffer_begin(wire), ldns_buffer_position(wire));
    anchor.rdata = buffer_span(rdata);
    assert_int_equal(dns_name_from_text(zone->name, strlen(zone->name), NULL, &anchor.zone), SG_OK);
    ldns_buffer_free(wire);
    ldns_rr_free(rr);
    return anchor;
}

static void spoil_keys(const struct row *row, bool spoil)
{
    /* The tag changes with the bit, but then it is not the key of the anchor any more. */
    if (row->fault == FAULT_REVOKED) {
        ldns_rr_dnskey_set_flags(
            world.test.dnskey, ldns_native2rdf_int16(LDNS_RDF_TYPE_INT16, spoil ? 257 | 128 : 257));
    }
}

static struct trust_chain *collect(const struct row *row, unsigned *out_questions)
{
    struct buffer rdata = BUFFER_EMPTY;
    struct dns_name zone;
    const struct trust_anchor anchor =
        anchor_of(row->at_root ? &world.root : &world.test, row->by_key, &rdata);
    const struct trust_anchors anchors = {&anchor, 1};
    assert_int_equal(dns_name_from_text("EXAMPLE.test.", 13, NULL, &zone), SG_OK);
    assert_true(trust_anchors_reach(&anchors, &zone));
    struct trust_chain *chain = trust_chain_new(&zone, &anchors);
    buffer_free(&rdata);
    const struct dns_name *name;
    uint16_t type;
    for (*out_questions = 0; trust_chain_next(chain, &name, &type); ++*out_questions) {
        char text[DNS_NAME_TEXT_BYTES];
        assert_true(*out_questions < 8);
        tell(chain, answer(row, dns_name_to_text(name, text), type));
    }
    return chain;
}

/* clang-format off */
static const struct row rows[] = {
    {"a DS, the parent's DS is the anchor", PRESENT, FAULT_NONE, NULL, false, false},
    {"a DS, the parent's key is the anchor", PRESENT, FAULT_NONE, NULL, false, true},
    {"a DS, the root's DS is the anchor", PRESENT, FAULT_NONE, NULL, true, false},
    {"a DS, the root's key is the anchor", PRESENT, FAULT_NONE, NULL, true, true},
    {"none, by NSEC", BY_NSEC, FAULT_NONE, NULL, false, false},
    {"none, by NSEC, from the root", BY_NSEC, FAULT_NONE, NULL, true, false},
    {"none, by NSEC3", BY_NSEC3, FAULT_NONE, NULL, false, false},
    {"none, left out by opt-out", BY_OPT_OUT, FAULT_NONE, NULL, true, false},

    {"expired", PRESENT, FAULT_EXPIRED, "has expired", false, false},
    {"not valid yet", PRESENT, FAULT_EARLY, "not valid yet", false, false},
    {"no signature", PRESENT, FAULT_UNSIGNED, "is not signed", false, false},
    {"changed", PRESENT, FAULT_FORGED, "is wrong", false, false},
    {"signed by a key that the zone has not", PRESENT, FAULT_WRONG_KEY, "no key that is trusted", false, false},
    {"signed by the child", PRESENT, FAULT_WRONG_NAME, "no zone above it", false, false},
    {"the DS of another", PRESENT, FAULT_OTHER_DS, "is not signed", false, false},
    {"the DS of a wildcard", PRESENT, FAULT_WILDCARD, "that of a wildcard", false, false},
    {"no keys of the parent", PRESENT, FAULT_NO_DNSKEY, "the DNSKEY of test.: nobody answers", false, false},
    {"keys that are not the anchor's", PRESENT, FAULT_OTHER_KEYS, "none is a trust anchor", false, false},
    {"keys that are not the DS's", PRESENT, FAULT_OTHER_KEYS, "none fits a DS", true, false},
    {"keys with one slipped in", PRESENT, FAULT_KEYS_FORGED, "is wrong", false, false},
    {"a revoked key", PRESENT, FAULT_REVOKED, "none is a trust anchor", false, false},
    {"a parent that is insecure", PRESENT, FAULT_INSECURE, "the DS of test.: there is none", true, false},
    {"none, from an insecure parent", BY_NSEC, FAULT_INSECURE, "the DS of test.: there is none", true, false},
    {"more keys of a tag than are tried", PRESENT, FAULT_MANY_KEYS, "too many", false, false},

    {"none, NSEC expired", BY_NSEC, FAULT_EXPIRED, "has expired", false, false},
    {"none, NSEC changed", BY_NSEC, FAULT_FORGED, "is wrong", false, false},
    {"none, NSEC not signed", BY_NSEC, FAULT_UNSIGNED, "is not signed", false, false},
    {"none, NSEC signed by a stranger", BY_NSEC, FAULT_WRONG_KEY, "no key that is trusted", false, false},
    {"none, NSEC that has DS", BY_NSEC, FAULT_NSEC_HAS_DS, "tells of other types", false, false},
    {"none, NSEC of the child", BY_NSEC, FAULT_NSEC_APEX, "not that of a delegation", false, false},
    {"none, NSEC of another name", BY_NSEC, FAULT_NSEC_OTHER, "no NSEC or NSEC3 says", false, false},
    {"none, NSEC3 expired", BY_NSEC3, FAULT_EXPIRED, "has expired", false, false},
    {"none, NSEC3 changed", BY_NSEC3, FAULT_FORGED, "is wrong", false, false},
    {"none, NSEC3 not signed", BY_NSEC3, FAULT_UNSIGNED, "is not signed", false, false},
    {"none, NSEC3 that has DS", BY_NSEC3, FAULT_NSEC_HAS_DS, "tells of other types", false, false},
    {"none, NSEC3 of the child", BY_NSEC3, FAULT_NSEC_APEX, "not that of a delegation", false, false},
    {"none, NSEC3 of another name", BY_NSEC3, FAULT_NSEC_OTHER, "no NSEC3 says", false, false},
    {"none, too many iterations", BY_NSEC3, FAULT_ITERATIONS, "more than 150 iterations", false, false},
    {"opt-out, not set", BY_OPT_OUT, FAULT_NO_OPT_OUT, "no NSEC3 says", false, false},
    {"opt-out, no closest encloser", BY_OPT_OUT, FAULT_NO_ENCLOSER, "no NSEC3 says", false, false},
    {"opt-out, encloser expired", BY_OPT_OUT, FAULT_EXPIRED, "has expired", false, false},
    {"opt-out, encloser not signed", BY_OPT_OUT, FAULT_UNSIGNED, "is not signed", false, false},
};
/* clang-format on */

static void a_chain_is_judged(void **state)
{
    const struct row *row = *state;
    unsigned questions;
    spoil_keys(row, true);
    struct trust_chain *chain = collect(row, &questions);
    trust_chain_judge(chain, T0);
    spoil_keys(row, false);
    if (row->problem == NULL) {
        assert_null(trust_chain_problem(chain));
        assert_true(trust_chain_is_proven(chain));
        assert_int_equal(trust_chain_ttl(chain), row->denial == PRESENT ? DS_TTL : 0);
        assert_int_equal(questions, row->at_root ? 4 : 2);
    } else {
        assert_false(trust_chain_is_proven(chain));
        assert_non_null(trust_chain_problem(chain));
        if (strstr(trust_chain_problem(chain), row->problem) == NULL) {
            fail_msg("%s", trust_chain_problem(chain));
        }
    }
    trust_chain_free(chain);
}

int main(void)
{
    (void)make_world(NULL);
    return RUN_TABLE(rows, a_chain_is_judged);
}
