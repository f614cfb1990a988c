#include "base/mem.h"
#include "keeper/zone_steps.h"

enum {
    /* Nothing waits for a slice for longer than a quarter of a second (decision 5), as far as the
     * last one tells how long a signature takes: with RSA up to a hundred times as long as with
     * P-256, of which these are what one core makes. */
    SLICE_NS = 250000000,
    SLICE_SIGNATURES = 5000,
    SLICE_SIGNATURES_MIN = 50,
    SLICE_SIGNATURES_FIRST_RSA = 100,
    /* As long as that or less, where few names of many have signatures (opt-out). */
    SLICE_NAMES = 200000,
    /* What becomes due soon is taken along, so that a zone has one change for many names. */
    AHEAD_SECONDS = 30,
};

static void begin_campaign(struct zone_job *job)
{
    struct zone_state *state = &job->made.state;
    if (job->asked.sign_all) {
        state->campaign = true;
        *zone_state_cursor(state) = (struct resign_cursor){.started = false};
        zone_facts_begin_campaign(&state->facts, job->now);
    }
}

static uint64_t slice_signatures(const struct zone_job *job, const struct sign_keys *keys)
{
    uint64_t most = SLICE_SIGNATURES;
    if (job->lent.signature_ns != 0) {
        uint64_t fit = SLICE_NS / job->lent.signature_ns;
        most = fit < most ? fit : most;
        return most > SLICE_SIGNATURES_MIN ? most : SLICE_SIGNATURES_MIN;
    }
    for (size_t i = 0; i < keys->count; i++) {
        if (keys->keys[i].key->algorithm <= DNSSEC_RSASHA512) { /* All below are RSA, too. */
            most = SLICE_SIGNATURES_FIRST_RSA;
        }
    }
    return most;
}

static enum sg_result make_anew(struct zone_job *job, struct zone_edit *edit,
                                struct sign_report *out_report)
{
    const struct kasp_policy *kasp = job->settings->policy;
    struct zone_state *state = &job->made.state;
    struct sign_policy policy;
    struct sign_keys keys;
    struct sign_request request;
    uint32_t serial = zone_serial_choose(job, zone_version_facts(job->lent.base)->source_serial);

    const struct zone_signing signing = zone_signing_of(job);
    zone_sign_request(&signing, serial, &policy, &keys, &request);
    const struct resign_work work = {
        .edit = edit,
        .base = job->lent.base,
        .index = job->lent.resign,
        .request = &request,
        .wish = {.expires_before = job->now + kasp->signatures_refresh + AHEAD_SECONDS,
                 .all = state->campaign,
                 .signatures_max = slice_signatures(job, &keys),
                 .names_max = SLICE_NAMES},
        .cursor = state->campaign ? zone_state_cursor(state) : NULL,
        .pool = job->pool,
    };
    uint64_t started = time_monotonic_ns();
    enum sg_result result = resign(&work, out_report, &job->made.more);
    if (result == SG_OK && out_report->signatures > 0) {
        job->made.signature_ns = 1 + (time_monotonic_ns() - started) / out_report->signatures;
    }
    return result;
}

enum sg_result zone_resign(struct zone_job *job)
{
    enum sg_result result = zone_have_keys(job);
    if (result != SG_OK) {
        return result;
    }
    if (!zone_is_to_be_signed(job)) {
        job->made.unchanged = !job->made.state.campaign;
        job->made.state.campaign = false;
        return SG_OK;
    }
    if (job->lent.resign == NULL) {
        job->lent.resign = resign_index_new(job->lent.base, job->now);
    }
    if (zone_keys_changed(job)) {
        /* That comes first, or the record would say that it was done. What is due stays due. */
        return zone_sign_and_seal(job, zone_edit_open(job->lent.base), ZONE_SIGN_CHANGE);
    }
    struct sign_report report = {.expires_first = INT64_MAX};
    begin_campaign(job);
    bool campaign = job->made.state.campaign;
    struct zone_edit *edit = zone_edit_open(job->lent.base);
    result = make_anew(job, edit, &report);
    if (result != SG_OK) {
        zone_edit_abandon(edit);
        job->problem = mem_format("signatures could not be made anew: %s", sg_result_text(result));
        return result;
    }
    job->made.state.campaign = campaign && job->made.more;
    if (campaign && !job->made.more) {
        zone_facts_end_campaign(&job->made.state.facts, job->now);
    }
    job->made.signatures = report.signatures;
    if (report.signatures == 0) {
        zone_learn_expirations(job, job->lent.base);
        zone_edit_abandon(edit);
        job->made.unchanged = !campaign;
        return SG_OK;
    }
    if (!job->settings->inline_signing) {
        uint32_t serial = zone_version_facts(zone_edit_draft(edit))->serial;
        result = zone_edit_set_serial(edit, ZONE_SOURCE, serial);
        if (result != SG_OK) {
            zone_edit_abandon(edit);
            return result;
        }
    }
    return zone_seal(job, edit);
}
