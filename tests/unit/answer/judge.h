/*
 * Is a response secure? What a validator demands (RFC 4035 5.4, RFC 5155 8, RFC 6840 4), written
 * from those sections over ldns's primitives, and nothing of src/.
 */
#pragma once

#include "answer/fixture.h"

enum { JUDGE_CHAIN_MAX = 20 };

struct judge {
    const ldns_rr_list *keys;
    const ldns_rdf *apex;
    ldns_pkt *packet;
    ldns_rr_type qtype;
    bool skip_signatures; /* they have been looked at */
    bool may_opt_out;     /* for DS, and empty non-terminals above opted-out names (errata 3441) */
    char complaint[512];
};

static inline bool judge_fail(struct judge *judge, const char *what, const ldns_rdf *name)
{
    char *text = name != NULL ? ldns_rdf2str(name) : strdup("");
    snprintf(judge->complaint, sizeof(judge->complaint), "%s %s", what, text);
    free(text);
    return false;
}

static inline ldns_rr_list *judge_rrset(const ldns_rr_list *section, const ldns_rdf *owner,
                                        ldns_rr_type type, ldns_rr_type covered)
{
    ldns_rr_list *found = ldns_rr_list_new();

    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        ldns_rr *rr = ldns_rr_list_rr(section, i);
        if (ldns_rr_get_type(rr) == type && ldns_dname_compare(ldns_rr_owner(rr), owner) == 0 &&
            (type != LDNS_RR_TYPE_RRSIG ||
             ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)) == covered)) {
            ldns_rr_list_push_rr(found, rr);
        }
    }
    return found;
}

/* `*` or fewer labels of an ancestor: the last `labels` labels of the name, owned by the caller. */
static inline ldns_rdf *judge_ancestor(const ldns_rdf *name, unsigned labels)
{
    ldns_rdf *ancestor = ldns_rdf_clone(name);
    while (ldns_dname_label_count(ancestor) > labels) {
        ldns_rdf *shorter = ldns_dname_left_chop(ancestor);
        ldns_rdf_deep_free(ancestor);
        ancestor = shorter;
    }
    return ancestor;
}

static inline ldns_rdf *judge_wildcard(const ldns_rdf *name, unsigned labels)
{
    ldns_rdf *ancestor = judge_ancestor(name, labels);
    ldns_rdf *wildcard = ldns_dname_new_frm_str("*");
    ldns_dname_cat(wildcard, ancestor);
    ldns_rdf_deep_free(ancestor);
    return wildcard;
}

static inline bool judge_at_or_below(const ldns_rdf *name, const ldns_rdf *ancestor)
{
    return ldns_dname_compare(name, ancestor) == 0 || ldns_dname_is_subdomain(name, ancestor);
}

static inline bool judge_bitmap_has(const ldns_rr *nsec, ldns_rr_type type)
{
    return ldns_nsec_bitmap_covers_type(ldns_nsec_get_bitmap(nsec), type);
}

/* The parent's side of a zone cut says nothing about the child (RFC 6840 4.1, 4.4). */
static inline bool judge_denies_type(const ldns_rr *nsec, ldns_rr_type type)
{
    bool cut = judge_bitmap_has(nsec, LDNS_RR_TYPE_NS) && !judge_bitmap_has(nsec, LDNS_RR_TYPE_SOA);
    return !judge_bitmap_has(nsec, type) && !judge_bitmap_has(nsec, LDNS_RR_TYPE_CNAME) &&
           (!cut || type == LDNS_RR_TYPE_DS);
}

static inline bool judge_may_enclose(const ldns_rr *nsec)
{
    bool cut = judge_bitmap_has(nsec, LDNS_RR_TYPE_NS) && !judge_bitmap_has(nsec, LDNS_RR_TYPE_SOA);
    return !cut && !judge_bitmap_has(nsec, LDNS_RR_TYPE_DNAME);
}

/* NSEC -------------------------------------------------------------------------------------- */

static inline const ldns_rr *judge_nsec_match(const struct judge *judge, const ldns_rdf *name)
{
    ldns_rr_list *found =
        judge_rrset(ldns_pkt_authority(judge->packet), name, LDNS_RR_TYPE_NSEC, 0);
    const ldns_rr *nsec = ldns_rr_list_rr(found, 0);
    ldns_rr_list_free(found);
    return nsec;
}

/* Strictly between owner and next. */
static inline const ldns_rr *judge_nsec_cover(const struct judge *judge, const ldns_rdf *name)
{
    const ldns_rr_list *authority = ldns_pkt_authority(judge->packet);

    for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(authority, i);
        if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_NSEC) {
            continue;
        }
        const ldns_rdf *next = ldns_rr_rdf(rr, 0);
        bool last = ldns_dname_compare(next, judge->apex) == 0;
        /* Below a cut or DNAME it cannot speak. */
        bool mute = ldns_dname_is_subdomain(name, ldns_rr_owner(rr)) && !judge_may_enclose(rr);
        if (ldns_dname_compare(ldns_rr_owner(rr), name) < 0 &&
            (last || ldns_dname_compare(name, next) < 0) && !mute) {
            return rr;
        }
    }
    return NULL;
}

static inline bool judge_nsec_is_empty(const struct judge *judge, const ldns_rdf *name)
{
    const ldns_rr *cover = judge_nsec_cover(judge, name);
    return cover != NULL && ldns_dname_is_subdomain(ldns_rr_rdf(cover, 0), name);
}

static inline unsigned judge_common(const ldns_rdf *a, const ldns_rdf *b)
{
    for (unsigned labels = ldns_dname_label_count(a);; labels--) {
        ldns_rdf *ancestor = judge_ancestor(a, labels);
        bool common = judge_at_or_below(b, ancestor);
        ldns_rdf_deep_free(ancestor);
        if (common || labels == 0) {
            return labels;
        }
    }
}

/* Labels of the closest encloser that the covering NSEC proves. */
static inline unsigned judge_nsec_encloser(const ldns_rr *cover, const ldns_rdf *name)
{
    unsigned a = judge_common(name, ldns_rr_owner(cover));
    unsigned b = judge_common(name, ldns_rr_rdf(cover, 0));
    return a > b ? a : b;
}

static inline bool judge_nsec_negative(struct judge *judge, const ldns_rdf *name, bool nxdomain)
{
    const ldns_rr *match = judge_nsec_match(judge, name);
    if (match != NULL) {
        return (!nxdomain && judge_denies_type(match, judge->qtype)) ||
               judge_fail(judge, "the NSEC that matches does not deny", name);
    }
    const ldns_rr *cover = judge_nsec_cover(judge, name);
    if (cover == NULL) {
        return judge_fail(judge, "no NSEC covers", name);
    }
    if (judge_nsec_is_empty(judge, name)) {
        return !nxdomain || judge_fail(judge, "an empty non-terminal denied", name);
    }
    ldns_rdf *wildcard = judge_wildcard(name, judge_nsec_encloser(cover, name));
    match = judge_nsec_match(judge, wildcard);
    bool empty = judge_nsec_is_empty(judge, wildcard);
    bool ok = nxdomain ? match == NULL && !empty && judge_nsec_cover(judge, wildcard) != NULL
                       : empty || (match != NULL && judge_denies_type(match, judge->qtype));
    if (!ok) {
        judge_fail(judge, "the wildcard is not denied:", wildcard);
    }
    ldns_rdf_deep_free(wildcard);
    return ok;
}

/* NSEC3 ------------------------------------------------------------------------------------- */

/* The first that covers, or that matches. */
static inline const ldns_rr *judge_nsec3(const struct judge *judge, const ldns_rdf *name,
                                         bool match)
{
    const ldns_rr_list *authority = ldns_pkt_authority(judge->packet);

    for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
        ldns_rr *rr = ldns_rr_list_rr(authority, i);
        if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_NSEC3) {
            continue;
        }
        ldns_rdf *hashed = ldns_nsec3_hash_name_frm_nsec3(rr, name);
        ldns_dname_cat(hashed, judge->apex);
        char *next_text = ldns_rdf2str(ldns_nsec3_next_owner(rr));
        ldns_rdf *next = ldns_dname_new_frm_str(next_text);
        ldns_dname_cat(next, judge->apex);
        int at = ldns_dname_compare(hashed, ldns_rr_owner(rr));
        bool last = ldns_dname_compare(ldns_rr_owner(rr), next) >= 0;
        bool before_next = ldns_dname_compare(hashed, next) < 0;
        bool hit = match ? at == 0 : (last ? at > 0 || before_next : at > 0 && before_next);
        free(next_text);
        ldns_rdf_deep_free(hashed);
        ldns_rdf_deep_free(next);
        if (hit) {
            return rr;
        }
    }
    return NULL;
}

/* RFC 5155 8.3. Labels of the closest encloser; `out_cover` is what covers the next closer. */
static inline bool judge_nsec3_encloser(struct judge *judge, const ldns_rdf *name,
                                        unsigned *out_labels, const ldns_rr **out_cover)
{
    for (unsigned labels = ldns_dname_label_count(name) - 1;
         labels >= ldns_dname_label_count(judge->apex); labels--) {
        ldns_rdf *ancestor = judge_ancestor(name, labels);
        const ldns_rr *match = judge_nsec3(judge, ancestor, true);
        ldns_rdf_deep_free(ancestor);
        if (match == NULL) {
            continue;
        }
        ldns_rdf *closer = judge_ancestor(name, labels + 1);
        *out_cover = judge_nsec3(judge, closer, false);
        *out_labels = labels;
        ldns_rdf_deep_free(closer);
        if (!judge_may_enclose(match)) {
            return judge_fail(judge, "the encloser is a cut or DNAME", name);
        }
        return *out_cover != NULL || judge_fail(judge, "the next closer is not covered", name);
    }
    return judge_fail(judge, "no closest encloser", name);
}

static inline bool judge_nsec3_negative(struct judge *judge, const ldns_rdf *name, bool nxdomain)
{
    const ldns_rr *match = judge_nsec3(judge, name, true);
    const ldns_rr *cover = NULL;
    unsigned labels = 0;

    if (match != NULL) {
        return (!nxdomain && judge_denies_type(match, judge->qtype)) ||
               judge_fail(judge, "the NSEC3 that matches does not deny", name);
    }
    if (!judge_nsec3_encloser(judge, name, &labels, &cover)) {
        return false;
    }
    ldns_rdf *wildcard = judge_wildcard(name, labels);
    match = judge_nsec3(judge, wildcard, true);
    bool ok;
    if (nxdomain) {
        ok = judge_nsec3(judge, wildcard, false) != NULL;
    } else if (match != NULL) {
        ok = judge_denies_type(match, judge->qtype);
    } else {
        ok = judge->may_opt_out && ldns_nsec3_optout(cover); /* RFC 5155 8.6 */
    }
    if (!ok) {
        judge_fail(judge, "the wildcard is not denied:", wildcard);
    }
    ldns_rdf_deep_free(wildcard);
    return ok;
}

/* The whole --------------------------------------------------------------------------------- */

static inline bool judge_has_nsec3(const struct judge *judge)
{
    ldns_rr_list *list =
        ldns_pkt_rr_list_by_type(judge->packet, LDNS_RR_TYPE_NSEC3, LDNS_SECTION_AUTHORITY);
    bool any = list != NULL;
    ldns_rr_list_deep_free(list);
    return any;
}

static inline bool judge_negative(struct judge *judge, const ldns_rdf *name, bool nxdomain)
{
    ldns_rr_list *soa =
        judge_rrset(ldns_pkt_authority(judge->packet), judge->apex, LDNS_RR_TYPE_SOA, 0);
    bool has_soa = ldns_rr_list_rr_count(soa) == 1;
    ldns_rr_list_free(soa);
    if (!has_soa) {
        return judge_fail(judge, "no SOA", NULL);
    }
    return judge_has_nsec3(judge) ? judge_nsec3_negative(judge, name, nxdomain)
                                  : judge_nsec_negative(judge, name, nxdomain);
}

/* The RRset's signature says how much of the owner name came from a wildcard. */
static inline bool judge_expansion(struct judge *judge, const ldns_rdf *name, ldns_rr_type type)
{
    ldns_rr_list *signatures =
        judge_rrset(ldns_pkt_answer(judge->packet), name, LDNS_RR_TYPE_RRSIG, type);
    const ldns_rr *signature = ldns_rr_list_rr(signatures, 0);
    ldns_rr_list_free(signatures);
    if (signature == NULL) {
        return judge_fail(judge, "unsigned:", name);
    }
    unsigned labels = ldns_rdf2native_int8(ldns_rr_rrsig_labels(signature));
    ldns_rdf *first = ldns_dname_label(name, 0);
    bool literal = ldns_rdf_size(first) >= 2 && memcmp(ldns_rdf_data(first), "\1*", 2) == 0;
    ldns_rdf_deep_free(first);
    if (ldns_dname_label_count(name) == labels + (literal ? 1 : 0)) {
        return true;
    }
    if (!judge_has_nsec3(judge)) {
        const ldns_rr *cover = judge_nsec_cover(judge, name);
        return (cover != NULL && judge_nsec_encloser(cover, name) == labels) ||
               judge_fail(judge, "nothing proves the expansion of", name);
    }
    ldns_rdf *closer = judge_ancestor(name, labels + 1);
    bool covered = judge_nsec3(judge, closer, false) != NULL;
    ldns_rdf_deep_free(closer);
    return covered || judge_fail(judge, "nothing proves the expansion of", name);
}

/* A delegation at or above the name, in authority: its owner, borrowed. */
static inline const ldns_rdf *judge_cut(const struct judge *judge, const ldns_rdf *name)
{
    const ldns_rr_list *authority = ldns_pkt_authority(judge->packet);

    for (size_t i = 0; i < ldns_rr_list_rr_count(authority); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(authority, i);
        if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_NS &&
            ldns_dname_compare(ldns_rr_owner(rr), judge->apex) != 0 &&
            judge_at_or_below(name, ldns_rr_owner(rr))) {
            return ldns_rr_owner(rr);
        }
    }
    return NULL;
}

/* RFC 4035 5.2, RFC 5155 8.9 */
static inline bool judge_referral(struct judge *judge, const ldns_rdf *cut)
{
    ldns_rr_list *ds = judge_rrset(ldns_pkt_authority(judge->packet), cut, LDNS_RR_TYPE_DS, 0);
    bool secure = ldns_rr_list_rr_count(ds) > 0;
    ldns_rr_list_free(ds);
    if (secure) {
        return true;
    }
    const ldns_rr *match =
        judge_has_nsec3(judge) ? judge_nsec3(judge, cut, true) : judge_nsec_match(judge, cut);
    if (match != NULL) {
        return (judge_bitmap_has(match, LDNS_RR_TYPE_NS) &&
                !judge_bitmap_has(match, LDNS_RR_TYPE_DS) &&
                !judge_bitmap_has(match, LDNS_RR_TYPE_SOA)) ||
               judge_fail(judge, "no proof of no DS", cut);
    }
    const ldns_rr *cover = NULL;
    unsigned labels;
    if (!judge_has_nsec3(judge) || !judge_nsec3_encloser(judge, cut, &labels, &cover)) {
        return judge_fail(judge, "no proof of no DS", cut);
    }
    return ldns_nsec3_optout(cover) || judge_fail(judge, "not opted out:", cut);
}

static inline bool judge_signatures(struct judge *judge, const ldns_rr_list *section)
{
    for (size_t i = 0; i < ldns_rr_list_rr_count(section); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(section, i);
        if (ldns_rr_get_type(rr) != LDNS_RR_TYPE_RRSIG) {
            continue;
        }
        ldns_rr_list *rrset = judge_rrset(section, ldns_rr_owner(rr),
                                          ldns_rdf2rr_type(ldns_rr_rrsig_typecovered(rr)), 0);
        ldns_rr_list *good = ldns_rr_list_new();
        ldns_status status =
            ldns_verify_rrsig_keylist_time(rrset, rr, judge->keys, FIXTURE_NOW, good);
        ldns_rr_list_free(good);
        ldns_rr_list_free(rrset);
        if (status != LDNS_STATUS_OK) {
            return judge_fail(judge, ldns_get_errorstr_by_id(status), ldns_rr_owner(rr));
        }
    }
    return true;
}

static inline bool judge_has(const struct judge *judge, const ldns_rdf *name, ldns_rr_type type)
{
    ldns_rr_list *found = judge_rrset(ldns_pkt_answer(judge->packet), name, type, 0);
    bool any = ldns_rr_list_rr_count(found) > 0;
    ldns_rr_list_free(found);
    return any;
}

/* The CNAME at the name, and whether a DNAME made it. */
static inline const ldns_rdf *judge_cname(const struct judge *judge, const ldns_rdf *name,
                                          bool *out_synthesized)
{
    const ldns_rr_list *answer = ldns_pkt_answer(judge->packet);
    ldns_rr_list *found = judge_rrset(answer, name, LDNS_RR_TYPE_CNAME, 0);
    const ldns_rr *cname = ldns_rr_list_rr(found, 0);
    ldns_rr_list_free(found);
    *out_synthesized = false;
    for (size_t i = 0; i < ldns_rr_list_rr_count(answer); i++) {
        const ldns_rr *rr = ldns_rr_list_rr(answer, i);
        if (ldns_rr_get_type(rr) == LDNS_RR_TYPE_DNAME &&
            ldns_dname_is_subdomain(name, ldns_rr_owner(rr))) {
            *out_synthesized = true;
        }
    }
    return cname != NULL ? ldns_rr_rdf(cname, 0) : NULL;
}

/* True if a validator with the zone's keys would call it secure, or provably insecure below a cut.
 */
static inline bool judge_response(struct judge *judge, const ldns_rdf *qname)
{
    const ldns_rdf *name = qname;
    bool nxdomain = ldns_pkt_get_rcode(judge->packet) == LDNS_RCODE_NXDOMAIN;

    if (!judge->skip_signatures && (!judge_signatures(judge, ldns_pkt_answer(judge->packet)) ||
                                    !judge_signatures(judge, ldns_pkt_authority(judge->packet)))) {
        return false;
    }
    for (int step = 0; step < JUDGE_CHAIN_MAX; step++) {
        bool synthesized;
        if (judge_has(judge, name, judge->qtype)) {
            return judge_cname(judge, name, &synthesized) != NULL && synthesized
                       ? true
                       : judge_expansion(judge, name, judge->qtype);
        }
        const ldns_rdf *target = judge_cname(judge, name, &synthesized);
        if (target == NULL) {
            break;
        }
        if (!synthesized && !judge_expansion(judge, name, LDNS_RR_TYPE_CNAME)) {
            return false;
        }
        name = target;
        bool seen = judge_has(judge, name, LDNS_RR_TYPE_CNAME) && step > 3;
        if (!judge_at_or_below(name, judge->apex) || seen) {
            return true; /* It goes on elsewhere, or nowhere. */
        }
    }
    const ldns_rdf *cut = judge_cut(judge, name);
    return cut != NULL ? judge_referral(judge, cut) : judge_negative(judge, name, nxdomain);
}
