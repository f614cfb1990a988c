/*
 * A version that was recovered, and another signer has had the zone's keys since: it is signed anew
 * before anybody sees it. What the store has of the source is all that is sure to have what was
 * acknowledged, so it is what is signed; a file that was edited is loaded afterwards, as ever.
 */
#include "base/log.h"
#include "base/mem.h"
#include "dns/rrtype.h"
#include "dnssec/rrsig.h"
#include "keeper/key_preparation.h"
#include "keeper/reign.h"
#include "keeper/zone_steps.h"

/* --- who has signed -------------------------------------------------------------------------- */

struct signers {
    const struct key_list *keys;
    bool *have_signed; /* an element each */
};

static void note_signers_of(const struct dns_rrset *signatures, struct signers *signers)
{
    for (struct dns_rdata_cursor c = dns_rrset_walk(signatures); dns_rdata_next(&c);) {
        for (size_t i = 0; i < signers->keys->count; i++) {
            signers->have_signed[i] |= rrsig_is_by(c.rdata, signers->keys->keys[i]);
        }
    }
}

static bool is_over_keys(uint16_t covered)
{
    return covered == DNS_TYPE_DNSKEY || covered == DNS_TYPE_CDS || covered == DNS_TYPE_CDNSKEY;
}

static void note_signers_in(const struct zone_node *node, struct signers *signers)
{
    struct zone_rrset_walk walk = zone_node_walk(node, ZONE_VIEW_SIGNED);
    while (zone_node_walk_next(&walk)) {
        if (walk.rrset.type == DNS_TYPE_RRSIG && !is_over_keys(walk.rrset.covered)) {
            note_signers_of(&walk.rrset, signers);
        }
    }
}

static void note_signers(const struct zone_version *version, bool nsec3, struct signers *signers)
{
    struct zone_cursor *cursor = mem_alloc(sizeof(*cursor));
    (nsec3 ? zone_cursor_start_nsec3 : zone_cursor_start)(cursor, version);
    while (zone_cursor_next(cursor)) {
        note_signers_in(&cursor->node, signers);
    }
    mem_free(cursor);
}

/* --- what the files tell --------------------------------------------------------------------- */

/* One that is not where it was may have been purged: then others tell. */
static bool was_touched(const struct preparation *p, const struct zone_key_fact *fact,
                        sg_time committed_at)
{
    const struct signing_key named = {
        .zone = p->settings->apex, .algorithm = fact->algorithm, .tag = fact->tag};
    char *name = signing_key_file_name(&named);
    bool found = false, touched = false;
    for (size_t i = 0; i < p->paths_count && !touched; i++) {
        char *path = mem_format("%s/%s.state", p->paths[i], name);
        struct file_stamp stamp;
        struct signing_key *key = NULL;
        bool is_there = zone_stamp(path, &stamp);
        found |= is_there;
        /* Most are older: then they need not be opened. */
        if (is_there && stamp.modified_ns / 1000000000 >= committed_at &&
            keystore_read_public(path, NULL, NULL, &key) == SG_OK) {
            touched = reign_last_change(key) > committed_at;
            signing_key_free(key);
        }
        mem_free(path);
    }
    mem_free(name);
    return touched || !found;
}

/* A folder of many zones is not looked through for each of them: some key of every other signer's
 * work was ours. */
static bool is_any_touched(struct preparation *p, sg_time committed_at)
{
    bool touched = false;
    key_search_choose_paths(p);
    for (size_t i = 0; i < p->facts->count && !touched; i++) {
        touched = was_touched(p, &p->facts->keys[i], committed_at);
    }
    return touched;
}

static void say_trace(const struct zone_job *job, const struct signing_key *key,
                      enum reign_trace trace)
{
    char label[ZONE_LABEL_BYTES];
    char when[TIME_HUMAN_BYTES];
    char *text = signing_key_text(key);
    time_to_http(job->asked.stored->committed_at, when);
    log_write(LOG_DNSSEC, SEVERITY_WARNING,
              "zone %s: its last commit is of %s, and another signer has had its keys since: key "
              "%s %s; what the store has is signed anew before it is served",
              zone_label(job->settings, label), when, text, reign_trace_text(trace));
    mem_free(text);
}

/* It was told that the parent has no DS of a key any more: what we have committed of that is of
 * before, and its CDS would ask for it once more. */
static void take_ds_of(const struct signing_key *key, struct zone_facts_of_keys *facts)
{
    for (size_t i = 0; i < facts->count; i++) {
        struct zone_key_fact *fact = &facts->keys[i];
        if (fact->tag == key->tag && fact->algorithm == key->algorithm) {
            fact->state.records[KEY_RECORD_DS] = key->state.records[KEY_RECORD_DS];
            fact->state.changes[KEY_RECORD_DS] = key->state.changes[KEY_RECORD_DS];
        }
    }
}

static bool has_trace(const struct zone_job *job, const struct key_list *list)
{
    const struct zone_version *version = job->made.version;
    struct dns_rrset dnskey;
    if (!zone_node_rrset(zone_version_apex_node(version), ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY,
                         &dnskey)) {
        return false;
    }
    struct signers signers = {list, mem_alloc_zero(list->count + 1, sizeof(bool))};
    note_signers(version, false, &signers);
    note_signers(version, true, &signers);
    enum reign_trace trace = REIGN_NONE;
    for (size_t i = 0; i < list->count && trace == REIGN_NONE; i++) {
        const struct signing_key *key = list->keys[i];
        const struct reign_place place = {
            .is_published = key_search_rrset_has(&dnskey, key->dnskey),
            .has_signed = signers.have_signed[i],
        };
        trace = reign_trace_of(key, &place, job->asked.stored->committed_at);
        if (trace != REIGN_NONE) {
            say_trace(job, key, trace);
        }
    }
    mem_free(signers.have_signed);
    return trace != REIGN_NONE;
}

bool zone_was_signed_by_another(struct zone_job *job)
{
    static const struct zone_facts_twins nobody = {NULL, 0, false};
    const struct kasp_policy *policy = job->settings->policy;
    struct key_list list = {NULL, 0};
    struct zone_facts_of_keys *facts = &job->made.state.facts;
    struct preparation p = {.settings = job->settings,
                            .generation = job->generation,
                            .policy = policy,
                            .now = job->now,
                            .clock = &job->clock,
                            .quiet = true,
                            .list = &list,
                            .twins = &nobody,
                            .facts = facts,
                            .reports = BUFFER_EMPTY};
    if (policy == NULL || policy->keys_count == 0 || !facts->committed ||
        !zone_version_facts(job->made.version)->signed_here ||
        !is_any_touched(&p, job->asked.stored->committed_at)) {
        return false;
    }
    p.folders = key_folders_new();
    /* Where the folder cannot be read the keys rest, and what is there is served as it is. */
    bool found = key_search_read(&p) == SG_OK && has_trace(job, &list);
    for (size_t i = 0; i < list.count && found; i++) {
        if (list.keys[i]->times[KEY_DS_REMOVED] > job->asked.stored->committed_at) {
            take_ds_of(list.keys[i], facts);
        }
    }
    key_folders_free(p.folders);
    key_list_clear(&list);
    buffer_free(&p.reports);
    mem_free(p.problem);
    return found;
}

/* --- signed anew ----------------------------------------------------------------------------- */

/* The commit of a version that no difference leads to, and of which secondaries may have a
 * successor already, by the other signer: they are asked. */
static void begin_state_anew(struct zone_job *job)
{
    struct zone_made *made = &job->made;
    for (size_t i = 0; i < made->history_count; i++) {
        zone_history_unref(made->history[i].link);
    }
    made->history_count = 0;
    made->signed_anew = true;
    made->state.ambiguous = false;
    made->state.unheard_since = job->now;
    made->state.unheard_doubted = true;
    if (!job->clock.doubted || job->clock.unserved) {
        made->state.clock_at = job->now;
    }
}

/*
 * Nothing is served, so that keys which have no files any more do not count; but who signed what
 * was served before signs on beside who follows (zone_facts_keep_signers()). And keys rest: their
 * files stay as the other signer left them until the commit is made, or a start after one that
 * failed would not see what they tell. The look that follows lets them move on.
 */
static enum sg_result look_at_keys(struct zone_job *job, const struct zone_state *before)
{
    const struct zone_state *lent = job->lent.state;
    bool is_doubted = job->clock.doubted || before->clock_doubted || job->now < before->clock_at;
    job->clock.doubted = true;
    job->clock.unserved = !is_doubted;
    job->lent.state = before;
    enum sg_result result = zone_look_at_keys(job);
    job->lent.state = lent;
    return result;
}

enum sg_result zone_sign_recovered(struct zone_job *job)
{
    struct zone_state before;
    enum sg_result result = zone_state_decode(buffer_span(&job->asked.stored->state), &before);
    if (result != SG_OK) {
        return result;
    }
    before.clock_doubted = job->made.state.clock_doubted;
    before.clock_at = job->made.state.clock_at;
    zone_facts_clear(&before.facts);
    zone_facts_copy(&job->made.state.facts, &before.facts);
    const struct zone_version *stored = job->made.version;
    job->made.version = NULL;
    result = look_at_keys(job, &before);
    zone_state_clear(&before);
    job->lent.base = stored; /* Its serial is to be passed, its chain to be kept. */
    if (result != SG_OK) {
        return result;
    }
    if (!zone_is_to_be_signed(job)) {
        job->problem = mem_copy_text("no key of it signs any more");
        return SG_CONFLICT;
    }
    result = zone_sign_and_seal(job, zone_edit_open(stored), ZONE_SIGN_ALL);
    if (result == SG_OK) {
        begin_state_anew(job);
    }
    return result;
}
