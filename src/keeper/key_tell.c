#include "keeper/key_tell.h"

#include "base/mem.h"
#include "dns/rrtype.h"

static const char *const records[KEY_RECORDS] = {"DNSKEY", "ZRRSIG", "KRRSIG", "DS"};

static bool is_in(enum key_state_value value)
{
    return value == KEY_STATE_RUMOURED || value == KEY_STATE_OMNIPRESENT;
}

const char *key_tell_role(const struct key_state *state)
{
    return !state->ksk ? "ZSK" : state->zsk ? "CSK" : "KSK";
}

/* ---- what comes from files ---- */

static void tell_ttl(struct preparation *p)
{
    struct dns_rrset dnskey;
    if (p->served != NULL && zone_version_facts(p->served)->signed_here &&
        zone_node_rrset(zone_version_apex_node(p->served), ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY,
                        &dnskey) &&
        dnskey.ttl != p->policy->dnskey_ttl) {
        buffer_format(p->events, "Updating DNSKEY TTL from %u to %u\n", dnskey.ttl,
                      p->policy->dnskey_ttl);
    }
}

void key_tell_found(struct preparation *p)
{
    for (size_t i = 0; i < p->list->count; i++) {
        const struct signing_key *key = p->list->keys[i];
        if (kasp_key_is_published(key) &&
            zone_facts_find(p->facts, key->tag, key->algorithm) == NULL) {
            char *text = signing_key_text(key);
            buffer_format(p->events, "Fetching %s (%s) from key repository.\n", text,
                          key_tell_role(&key->state));
            mem_free(text);
        }
    }
    tell_ttl(p);
}

/* ---- what the plan does ---- */

/* "ZSK 4711 ECDSAP256SHA256: DNSKEY omnipresent, ZRRSIG rumoured" */
static void tell_states(struct preparation *p, const struct kasp_key_plan *planned)
{
    static const char *const states[] = {"hidden", "rumoured", "omnipresent", "unretentive", "-"};
    const struct signing_key *key = planned->key;
    bool some = false;
    for (int record = 0; record < KEY_RECORDS; record++) {
        enum key_state_value value = planned->state.records[record];
        if (value == key->state.records[record] || value == KEY_STATE_NA ||
            (key->state.records[record] == KEY_STATE_NA && value == KEY_STATE_HIDDEN)) {
            continue;
        }
        if (!some) {
            buffer_format(p->moves, "%s %u %s:", key_tell_role(&planned->state), key->tag,
                          dnssec_algorithm_text(key->algorithm));
        }
        buffer_format(p->moves, "%s %s %s", some ? "," : "", records[record], states[value]);
        some = true;
    }
    bool begins = planned->wait.reason == KASP_WAIT_NO_DS &&
                  key->state.records[KEY_RECORD_DS] != planned->state.records[KEY_RECORD_DS];
    if (begins) {
        char wait[KASP_WAIT_TEXT_BYTES];
        kasp_wait_text(&planned->wait, wait);
        buffer_format(p->moves, "; it %s", wait);
    }
    if (some) {
        buffer_format(p->moves, "\n");
    }
}

/* It comes into use by a record, or goes. */
static void tell_use(struct preparation *p, const struct kasp_key_plan *planned, const char *key,
                     enum key_record record)
{
    bool was = is_in(planned->key->state.records[record]);
    bool is = is_in(planned->state.records[record]);
    if (was == is) {
        return;
    }
    const char *words =
        record == KEY_RECORD_DNSKEY ? (is ? "published" : "deleted") : (is ? "active" : "inactive");
    buffer_format(p->events, "DNSKEY %s (%s) is now %s\n", key, key_tell_role(&planned->state),
                  words);
}

void key_tell_moves(struct preparation *p, const struct kasp_key_plan *planned, bool is_made)
{
    const struct key_state *was = &planned->key->state;
    const struct key_state *is = &planned->state;
    const char *role = key_tell_role(is);
    char *key = signing_key_text(planned->key);
    if (kasp_key_is_unused(planned->key) && is->goal == KEY_STATE_OMNIPRESENT && !is_made) {
        buffer_format(p->events, "keymgr: DNSKEY %s (%s) selected for policy %s\n", key, role,
                      p->policy->name);
    }
    if (was->goal == KEY_STATE_OMNIPRESENT && is->goal == KEY_STATE_HIDDEN) {
        buffer_format(p->events, "keymgr: retire DNSKEY %s (%s)\n", key, role);
    }
    tell_states(p, planned);
    tell_use(p, planned, key, KEY_RECORD_DNSKEY);
    tell_use(p, planned, key, is->zsk ? KEY_RECORD_ZRRSIG : KEY_RECORD_KRRSIG);
    mem_free(key);
}

/* ---- CDS and CDNSKEY ---- */

/* Of one type: what is served, and what is to be. */
struct succession {
    struct dns_rrset was, is;
};

static struct succession find_succession(const struct preparation *p, const struct kasp_apex *apex,
                                         uint16_t type)
{
    struct succession found = {.was = {.count = 0}, .is = {.count = 0}};
    if (p->served != NULL &&
        !zone_node_rrset(zone_version_apex_node(p->served), ZONE_VIEW_SIGNED, type, &found.was)) {
        found.was.count = 0;
    }
    for (size_t i = 0; i < apex->count; i++) {
        if (apex->rrsets[i].type == type) {
            found.is = apex->rrsets[i];
        }
    }
    return found;
}

static void tell_record(struct preparation *p, const struct succession *of_type, struct span rdata,
                        const char *record, const char *whose)
{
    bool was = key_search_rrset_has(&of_type->was, rdata);
    bool is = key_search_rrset_has(&of_type->is, rdata);
    if (was != is) {
        buffer_format(p->events, "%s for %s is now %s\n", record, whose,
                      is ? "published" : "deleted");
    }
}

static void tell_key(struct preparation *p, const struct succession *cds,
                     const struct succession *cdnskey, const struct signing_key *key)
{
    static const struct {
        uint8_t type;
        const char *record;
    } digests[] = {{1, "CDS (SHA-1)"}, {2, "CDS (SHA-256)"}, {4, "CDS (SHA-384)"}};
    struct buffer rdata = BUFFER_EMPTY;
    char *text = signing_key_text(key);
    char *whose = mem_format("key %s", text);
    for (size_t i = 0; i < ARRAY_LEN(digests); i++) {
        buffer_clear(&rdata);
        if (signing_key_ds(key, digests[i].type, &rdata) == SG_OK) {
            tell_record(p, cds, buffer_span(&rdata), digests[i].record, whose);
        }
    }
    tell_record(p, cdnskey, key->dnskey, "CDNSKEY", whose);
    mem_free(whose);
    mem_free(text);
    buffer_free(&rdata);
}

void key_tell_cds(struct preparation *p, const struct kasp_apex *apex)
{
    struct succession cds = find_succession(p, apex, DNS_TYPE_CDS);
    struct succession cdnskey = find_succession(p, apex, DNS_TYPE_CDNSKEY);
    if (cds.was.count + cds.is.count + cdnskey.was.count + cdnskey.is.count == 0) {
        return;
    }
    for (size_t i = 0; i < p->list->count; i++) {
        if (p->list->keys[i]->state.ksk) {
            tell_key(p, &cds, &cdnskey, p->list->keys[i]);
        }
    }
    char zone[DNS_NAME_TEXT_BYTES];
    char *whose = mem_format("zone %s", dns_name_to_text_short(&p->settings->apex, zone));
    tell_record(p, &cds, kasp_apex_delete(DNS_TYPE_CDS), "CDS (DELETE)", whose);
    tell_record(p, &cdnskey, kasp_apex_delete(DNS_TYPE_CDNSKEY), "CDNSKEY (DELETE)", whose);
    mem_free(whose);
}

/* ---- manual-mode ---- */

void key_tell_blocked(struct preparation *p)
{
    static const char *const states[] = {"HIDDEN", "RUMOURED", "OMNIPRESENT", "UNRETENTIVE", "NA"};
    bool some = false;
    for (size_t i = 0; i < p->plan.count; i++) {
        const struct kasp_key_plan *planned = &p->plan.keys[i];
        const struct kasp_wait *wait = &planned->wait;
        enum key_state_value state = planned->state.records[wait->record];
        if (wait->reason != KASP_WAIT_MANUAL || state == wait->target) {
            continue;
        }
        char *key = signing_key_text(planned->key);
        buffer_format(p->events,
                      "keymgr-manual-mode: block transition %s %s type %s state %s to state %s\n",
                      key_tell_role(&planned->state), key, records[wait->record], states[state],
                      states[wait->target]);
        mem_free(key);
        some = true;
    }
    if (p->plan.manual && !some) {
        char zone[DNS_NAME_TEXT_BYTES];
        buffer_format(p->events,
                      "keymgr-manual-mode: block new key generation for zone %s (policy %s)\n",
                      dns_name_to_text_short(&p->settings->apex, zone), p->policy->name);
    }
}
