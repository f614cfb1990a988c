#include "tools/checkconf_keys.h"

#include <string.h>

#include "base/mem.h"
#include "tools/key_forecast.h"
#include "tools/zone_key_files.h"

/* One zone, its keys, and what is found of them. */
struct key_check {
    const struct conf_zone *zone;
    const struct kasp_policy *policy;
    sg_time now;
    struct conf_report report;
    struct zone_key_files files;
    struct key_forecast forecast;
    bool lost; /* a key has lost its private half: none is made */
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
    bool makes = check->forecast.makes;
    check->lost = true;
    tell(check, makes ? CONF_ERROR : CONF_WARNING,
         mem_format("%s.%s is in '%s' but %s.private is not%s", name, suffix, folder, name,
                    makes ? "; no key would be made: bring the .private file back, or move "
                            "what is left of the key away if the parent has no DS of it"
                          : ""));
}

static void drop_trouble(void *argument, char *text)
{
    (void)argument;
    mem_free(text);
}

static void drop_lost_key(void *argument, const char *folder, const char *name, const char *suffix)
{
    (void)argument, (void)folder, (void)name, (void)suffix;
}

/* --- Policy ----------------------------------------------------------------------------------- */

static bool matches_some_entry(const struct key_check *check, const struct signing_key *key)
{
    bool matches = false;
    for (unsigned k = 0; k < check->policy->keys_count; k++) {
        matches |= kasp_key_matches(&check->policy->keys[k], key);
    }
    return matches;
}

/* The server's own moves wait for the operator there. */
static const char *when_allowed(const struct key_check *check)
{
    return check->policy->manual_mode ? ", at the next `signet dnssec -step`" : "";
}

static size_t follower_of(const struct key_check *check, size_t key)
{
    size_t i = 0;
    while (i < check->forecast.count && check->forecast.keys[i].follows != key) {
        i++;
    }
    return i < check->forecast.count ? i : SIZE_MAX;
}

static void note_followed(struct key_check *check, size_t key, size_t follower)
{
    char *name = check->forecast.keys[follower].is_made
                     ? mem_copy_text("a new key")
                     : signing_key_text(check->files.list.keys[follower]);
    char *what = mem_format("is due to roll: %s would follow it%s", name, when_allowed(check));
    note_of_key(check, check->files.list.keys[key], what);
    mem_free(what);
    mem_free(name);
}

static void note_holder(struct key_check *check, size_t key)
{
    const struct key_forecast_key *told = &check->forecast.keys[key];
    char *entry = entry_text(check, &check->policy->keys[told->entry]);
    char *what = mem_format("%s %s%s", told->served ? "serves as" : "would come into use as", entry,
                            told->served ? "" : when_allowed(check));
    note_of_key(check, check->files.list.keys[key], what);
    mem_free(what);
    mem_free(entry);
}

/* A key that no entry has and that was there to stay. */
static void judge_surplus_key(struct key_check *check, size_t index)
{
    const struct signing_key *key = check->files.list.keys[index];
    if (check->policy->keys_count > 0 && !matches_some_entry(check, key)) {
        char *name = signing_key_text(key);
        tell(
            check, CONF_ERROR,
            mem_format("key file '%s' does not match dnssec-policy %s", name, check->policy->name));
        mem_free(name);
    }
    bool serves = check->forecast.keys[index].serves;
    char *what =
        serves ? mem_copy_text("serves no entry, and stays while no key can be made")
               : mem_format("would be retired%s%s", when_allowed(check),
                            check->forecast.keys[index].ds_unknown
                                ? "; it stays in the zone until the parent is known to have no DS "
                                  "of it (checkds, or say `dnssec -checkds withdrawn`)"
                                : "");
    note_of_key(check, key, what);
    mem_free(what);
}

/* True if it counts as one of those that the policy has a place for, or as one too many. */
static bool judge_key(struct key_check *check, size_t index)
{
    const struct key_forecast_key *told = &check->forecast.keys[index];
    size_t follower = follower_of(check, index);
    if (follower != SIZE_MAX) {
        note_followed(check, index, follower);
        return check->forecast.keys[follower].is_made;
    }
    if (told->entry < KASP_KEYS_MAX) {
        note_holder(check, index);
        return true;
    }
    if (!told->served || told->over) {
        note_of_key(check, check->files.list.keys[index],
                    told->unused && !told->over ? "is kept for later" : "is on its way out");
        return false;
    }
    judge_surplus_key(check, index);
    return true;
}

/* Who has it then; SIZE_MAX: nobody. */
static size_t holder_of(const struct key_check *check, unsigned entry)
{
    size_t i = 0;
    while (i < check->forecast.count && check->forecast.keys[i].entry != entry) {
        i++;
    }
    return i < check->forecast.count ? i : SIZE_MAX;
}

static void judge_entry(struct key_check *check, unsigned k)
{
    size_t holder = holder_of(check, k);
    const struct key_forecast_key *told = holder == SIZE_MAX ? NULL : &check->forecast.keys[holder];
    char *entry = entry_text(check, &check->policy->keys[k]);
    if (told == NULL || (told->is_made && told->follows == SIZE_MAX)) {
        tell(check, CONF_ERROR, mem_format("no key file found matching %s", entry));
    }
    if (told != NULL && told->is_made) {
        tell(check, CONF_NOTE,
             mem_format("a key would be made for %s%s", entry, when_allowed(check)));
    }
    mem_free(entry);
}

static void judge(struct key_check *check)
{
    size_t count = 0;
    for (size_t i = 0; i < check->forecast.count; i++) {
        count += !check->forecast.keys[i].is_made && judge_key(check, i);
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

static bool foresee(struct key_check *check, bool files_missing)
{
    struct dns_name apex;
    conf_zone_apex(check->zone, &apex);
    enum sg_result result = key_forecast_make(check->policy, &apex, files_missing, check->now,
                                              &check->files.list, &check->forecast);
    if (result != SG_OK) {
        tell(check, CONF_ERROR,
             mem_format("more than %d keys, or no key tag is free: the server would change nothing",
                        KASP_PLAN_KEYS_MAX));
    }
    return result == SG_OK;
}

static bool read_files(struct key_check *check, const struct conf *conf,
                       struct key_folders *folders, const struct zone_key_listener *listener)
{
    zone_key_files_read(conf, check->zone, folders, listener, &check->files);
    return !check->files.unreadable;
}

/* What is foreseen leaves the keys as they would be: where a key has to be made and none may be,
 * it is all seen anew. */
static void look(struct key_check *check, const struct conf *conf, struct key_folders *folders)
{
    static const struct zone_key_listener quiet = {drop_trouble, drop_lost_key, NULL};
    const struct zone_key_listener listener = {tell_trouble, tell_lost_key, check};
    if (!read_files(check, conf, folders, &listener) || !foresee(check, false)) {
        return; /* The server would change nothing either. */
    }
    if (check->policy->keys_count > 0) {
        zone_key_files_find_lost(&check->files, check->zone, folders, check->now, &listener);
    }
    if (check->forecast.makes && (check->lost || check->files.unreadable)) {
        zone_key_files_clear(&check->files);
        if (!read_files(check, conf, folders, &quiet) || !foresee(check, true)) {
            return;
        }
    }
    judge(check);
}

static size_t check_zone(const struct conf *conf, const struct conf_zone *zone,
                         struct key_folders *folders, sg_time now, checkconf_keys_report *report,
                         const void *argument)
{
    if (zone->policy == NULL) {
        return 0;
    }
    struct key_check check = {.zone = zone, .policy = zone->policy, .now = now};
    look(&check, conf, folders);
    report(argument, &check.report);
    size_t errors = check.report.errors;
    conf_report_clear(&check.report);
    zone_key_files_clear(&check.files);
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
