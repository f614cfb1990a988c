#include "tools/checkconf_keys.h"

#include <string.h>

#include "base/mem.h"
#include "kasp/keyset.h"
#include "tools/zone_key_files.h"

/* One zone, its keys, and what is found of them. */
struct key_check {
    const struct conf_zone *zone;
    const struct kasp_policy *policy;
    sg_time now;
    struct conf_report report;
    struct zone_key_files files;
    bool *taken;                      /* an entry of the policy has this key */
    size_t chosen_for[KASP_KEYS_MAX]; /* the key of each entry; SIZE_MAX: none */
    bool lacks;                       /* an entry has none */
    bool blocked;                     /* then none would be made: see what was reported */
};

/* Takes the text. */
static void tell(struct key_check *check, enum conf_severity severity, char *text)
{
    const struct conf_zone *zone = check->zone;
    conf_report_add(&check->report, severity, zone->source_file, zone->source_line,
                    zone->source_column, "zone '%s': %s", zone->name, text);
    mem_free(text);
}

static void note_of_key(struct key_check *check, const struct signing_key *key, const char *what)
{
    char *name = signing_key_text(key);
    tell(check, CONF_NOTE, mem_format("key %s %s", name, what));
    mem_free(name);
}

/* Takes the text. */
static void tell_trouble(void *argument, char *text)
{
    tell(argument, CONF_ERROR, text);
}

/* As named-checkconf has it; the caller frees. */
static char *entry_text(const struct key_check *check, const struct kasp_key *entry)
{
    static const char *const roles[] = {"", "ksk", "zsk", "csk"};
    return mem_format("dnssec-policy %s key:'%s algorithm:%s length:%u tag-range:%u-%u'",
                      check->policy->name, roles[entry->role],
                      dnssec_algorithm_text(entry->algorithm), entry->bits, entry->tag_min,
                      entry->tag_max);
}

/* Only what an entry misses matters: the server goes on where all of them have their keys. */
static void tell_lost_key(void *argument, const char *folder, const char *name, const char *suffix)
{
    struct key_check *check = argument;
    check->blocked |= check->lacks;
    tell(check, check->lacks ? CONF_ERROR : CONF_WARNING,
         mem_format("%s.%s is in '%s' but %s.private is not%s", name, suffix, folder, name,
                    check->lacks ? "; no key would be made: bring the .private file back, or move "
                                   "what is left of the key away if the parent has no DS of it"
                                 : ""));
}

/* --- Policy ----------------------------------------------------------------------------------- */

static void choose_keys(struct key_check *check)
{
    struct key_list *list = &check->files.list;
    check->taken = mem_alloc_zero(list->count + 1, sizeof(*check->taken));
    for (size_t i = 0; i < list->count; i++) {
        bool alone = kasp_key_is_alone(list, i, check->policy, check->now);
        (void)kasp_key_adopt(list->keys[i], check->policy, alone, check->now);
    }
    for (unsigned k = 0; k < check->policy->keys_count; k++) {
        size_t chosen = kasp_key_choose(&check->policy->keys[k], list, check->taken);
        check->chosen_for[k] = chosen;
        check->lacks |= chosen == SIZE_MAX;
        if (chosen != SIZE_MAX) {
            check->taken[chosen] = true;
        }
    }
}

static bool matches_some_entry(const struct key_check *check, const struct signing_key *key)
{
    bool matches = false;
    for (unsigned k = 0; k < check->policy->keys_count; k++) {
        matches |= kasp_key_matches(&check->policy->keys[k], key);
    }
    return matches;
}

/* Nothing of it has ever been in the zone, as its states tell. */
static bool is_unused(const struct signing_key *key)
{
    for (int record = 0; record < KEY_RECORDS; record++) {
        enum key_state_value value = key->state.records[record];
        if (value != KEY_STATE_HIDDEN && value != KEY_STATE_NA) {
            return false;
        }
    }
    return true;
}

/* Times and states do not tell whether the parent has its DS, or had it and has it no more. */
static bool ds_is_unknown(const struct signing_key *key)
{
    return key->state.ksk && kasp_key_is_published(key) &&
           key->state.records[KEY_RECORD_DS] == KEY_STATE_HIDDEN &&
           key->times[KEY_DS_REMOVED] == KEY_TIME_UNSET;
}

/* A key that no entry has. True if it counts as one too many. */
static bool judge_surplus_key(struct key_check *check, const struct signing_key *key)
{
    bool over = kasp_key_is_over(key, check->now);
    if (over || key->state.goal != KEY_STATE_OMNIPRESENT) {
        note_of_key(check, key,
                    over || !is_unused(key) ? "is on its way out" : "is kept for later");
        return false;
    }
    if (check->policy->keys_count > 0 && !matches_some_entry(check, key)) {
        char *name = signing_key_text(key);
        tell(
            check, CONF_ERROR,
            mem_format("key file '%s' does not match dnssec-policy %s", name, check->policy->name));
        mem_free(name);
    }
    note_of_key(check, key,
                ds_is_unknown(key) ? "would be retired; it stays in the zone until the parent is "
                                     "known to have no DS of it (checkds, or say `dnssec -checkds "
                                     "withdrawn`)"
                                   : "would be retired");
    return true;
}

static void judge_entry(struct key_check *check, unsigned k)
{
    char *entry = entry_text(check, &check->policy->keys[k]);
    if (check->chosen_for[k] != SIZE_MAX) {
        char *what = mem_format("serves as %s", entry);
        note_of_key(check, check->files.list.keys[check->chosen_for[k]], what);
        mem_free(what);
    } else {
        tell(check, CONF_ERROR, mem_format("no key file found matching %s", entry));
    }
    if (check->chosen_for[k] == SIZE_MAX && !check->blocked) {
        tell(check, CONF_NOTE, mem_format("a key would be made for %s", entry));
    }
    mem_free(entry);
}

static void judge(struct key_check *check)
{
    size_t count = 0;
    for (size_t i = 0; i < check->files.list.count; i++) {
        count += check->taken[i] || judge_surplus_key(check, check->files.list.keys[i]);
    }
    for (unsigned k = 0; k < check->policy->keys_count; k++) {
        judge_entry(check, k);
    }
    if (check->policy->keys_count > 0 && count != check->policy->keys_count) {
        tell(check, CONF_ERROR,
             mem_format("wrong number of key files (%zu, expected %u)", count,
                        check->policy->keys_count));
    }
}

/* ---------------------------------------------------------------------------------------------- */

static size_t check_zone(const struct conf *conf, const struct conf_zone *zone,
                         struct key_folders *folders, sg_time now, checkconf_keys_report *report,
                         const void *argument)
{
    if (zone->policy == NULL) {
        return 0;
    }
    struct key_check check = {.zone = zone, .policy = zone->policy, .now = now};
    const struct zone_key_listener listener = {tell_trouble, tell_lost_key, &check};
    zone_key_files_read(conf, zone, folders, &listener, &check.files);
    choose_keys(&check);
    if (check.policy->keys_count > 0) {
        zone_key_files_find_lost(&check.files, zone, folders, now, &listener);
    }
    check.blocked |= check.files.unreadable;
    judge(&check);
    report(argument, &check.report);
    size_t errors = check.report.errors;
    conf_report_clear(&check.report);
    zone_key_files_clear(&check.files);
    mem_free(check.taken);
    return errors;
}

size_t checkconf_keys(const struct conf *conf, sg_time now, checkconf_keys_report *report,
                      const void *argument)
{
    struct key_folders *folders = key_folders_new();
    size_t errors = 0;
    for (size_t v = 0; v < conf->views_count; v++) {
        const struct conf_view *view = conf->views[v];
        for (size_t z = 0; z < view->zones_count; z++) {
            errors += check_zone(conf, view->zones[z], folders, now, report, argument);
        }
    }
    key_folders_free(folders);
    return errors;
}
