#include <string.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "keeper/key_preparation.h"
#include "keeper/key_tell.h"
#include "keeper/zone_label.h"

enum { DNSKEY_ALGORITHM_AT = 3 }; /* RFC 4034 2.1 */

static void report_key_file(void *argument, const char *path, const char *problem)
{
    struct preparation *p = argument;
    buffer_format(&p->reports, "key file %s: %s\n", path, problem);
}

void key_search_log_reports(struct preparation *p)
{
    char label[ZONE_LABEL_BYTES];
    const char *line = p->reports.length == 0 ? "" : buffer_text(&p->reports);
    zone_label(p->settings, label);
    while (*line != '\0' && !p->quiet) {
        const char *end = strchr(line, '\n');
        log_write(LOG_DNSSEC, SEVERITY_ERROR, "zone %s: %.*s", label, (int)(end - line), line);
        line = end + 1;
    }
    buffer_free(&p->reports);
}

/* The first of what was reported, and what to do. */
static char *files_problem(struct preparation *p)
{
    const char *first = buffer_text(&p->reports);
    size_t length = strcspn(first, "\n");
    const char *denied = sg_result_text(SG_DENIED);
    size_t tail = strlen(denied);
    bool is_denied = length >= tail && memcmp(first + length - tail, denied, tail) == 0;
    return mem_format("%.*s; %s%s", (int)length, first,
                      is_denied ? "let the user that the server runs as read it"
                                : "mend it, or move it away",
                      first[length + 1] != '\0' ? ", and others that are wrong beside it" : "");
}

static const char *folder_of(const struct preparation *p, const struct kasp_key *wanted)
{
    const char *folder = wanted->key_store == NULL
                             ? NULL
                             : p->generation->key_store_folder(p->generation, wanted->key_store);
    return folder != NULL ? folder : p->settings->key_directory;
}

static const struct signing_key *find_in_list(const struct key_list *list, struct span dnskey)
{
    for (size_t i = 0; i < list->count; i++) {
        struct span there = list->keys[i]->dnskey;
        if (there.length == dnskey.length &&
            memcmp(there.bytes, dnskey.bytes, dnskey.length) == 0) {
            return list->keys[i];
        }
    }
    return NULL;
}

/* Of a key that has its files twice, one copy would be taken for a key that is to leave, and its DS
 * with it, which is the other's. */
static enum sg_result refuse_copies(struct preparation *p, const struct key_list *found)
{
    for (size_t i = 0; i < found->count; i++) {
        const struct signing_key *key = found->keys[i];
        const struct signing_key *other = find_in_list(p->list, key->dnskey);
        if (other != NULL) {
            char *text = signing_key_text(key);
            p->problem = mem_format("the files of key %s are in '%s' and in '%s': remove those "
                                    "that are not to count",
                                    text, other->folder, key->folder);
            mem_free(text);
            return SG_BAD_KEY;
        }
    }
    return SG_OK;
}

static void append_keys(struct key_list *list, struct key_list *found)
{
    list->keys =
        mem_resize_array(list->keys, list->count + found->count + 1, sizeof(struct signing_key *));
    for (size_t i = 0; i < found->count; i++) {
        list->keys[list->count++] = found->keys[i];
    }
    mem_free(found->keys);
}

static enum sg_result append_folder(struct preparation *p, const char *folder)
{
    struct key_list found = {NULL, 0};
    struct keystore_index *index;
    enum sg_result result = key_folders_find(p->folders, folder, p->wished, &index);
    if (result == SG_OK) {
        result = keystore_index_list(index, &p->settings->apex, report_key_file, p, &found);
    }
    if (result != SG_OK) {
        p->problem = result == SG_BAD_KEY && p->reports.length > 0
                         ? files_problem(p)
                         : mem_format("keys in '%s': %s; see that the folder exists and can be "
                                      "read",
                                      folder, sg_result_text(result));
    } else {
        result = refuse_copies(p, &found);
    }
    if (result != SG_OK) {
        key_list_clear(&found);
        return result;
    }
    append_keys(p->list, &found);
    key_archive_leave_out(p);
    if (p->list->count > ZONE_KEYS_MAX) {
        p->problem = mem_format("more than %d keys in '%s' that are in use, or were made for later",
                                ZONE_KEYS_MAX, folder);
        return SG_LIMIT;
    }
    return SG_OK;
}

void key_search_choose_paths(struct preparation *p)
{
    p->paths_count = 0;
    p->paths[p->paths_count++] = p->settings->key_directory;
    for (unsigned i = 0; i < p->policy->keys_count; i++) {
        const char *folder = folder_of(p, &p->policy->keys[i]);
        bool known = false;
        for (size_t f = 0; f < p->paths_count; f++) {
            known |= strcmp(p->paths[f], folder) == 0 || file_is_same(p->paths[f], folder);
        }
        if (!known) {
            p->paths[p->paths_count++] = folder;
        }
    }
}

enum sg_result key_search_read(struct preparation *p)
{
    /* A folder that is not there is never made: it may be a disk that is not mounted. */
    enum sg_result result = SG_OK;
    key_search_choose_paths(p);
    for (size_t f = 0; f < p->paths_count && result == SG_OK; f++) {
        result = append_folder(p, p->paths[f]);
    }
    return result;
}

bool key_search_rrset_has(const struct dns_rrset *rrset, struct span rdata)
{
    for (struct dns_rdata_cursor c = dns_rrset_walk(rrset); dns_rdata_next(&c);) {
        if (c.rdata.length == rdata.length &&
            memcmp(c.rdata.bytes, rdata.bytes, rdata.length) == 0) {
            return true;
        }
    }
    return false;
}

static struct keeper_lost_key describe_lost(const struct preparation *p, struct span dnskey)
{
    struct keeper_lost_key lost = {
        .tag = dnskey_tag(dnskey),
        .algorithm = dnskey.bytes[DNSKEY_ALGORITHM_AT],
        .flags = wire_get_u16(dnskey.bytes),
    };
    const struct zone_key_fact *fact = zone_facts_find(p->facts, lost.tag, lost.algorithm);
    const struct key_state by_flags = {
        .ksk = (lost.flags & KEY_FLAG_SEP) != 0,
        .zsk = (lost.flags & KEY_FLAG_SEP) == 0,
    };
    lost.role = key_tell_role(fact != NULL ? &fact->state : &by_flags);
    return lost;
}

static bool has_key(const struct preparation *p, struct span dnskey, bool whole)
{
    const struct signing_key *key = find_in_list(p->list, dnskey);
    return key != NULL && (key->secret != NULL || !whole);
}

size_t key_search_lost(const struct preparation *p, bool whole,
                       struct keeper_lost_key out_lost[KEEPER_LOST_KEYS_MAX])
{
    struct dns_rrset served;
    struct dns_rrset foreign = {.count = 0};
    size_t count = 0;
    if (p->served == NULL || !zone_version_facts(p->served)->signed_here) {
        return 0;
    }
    const struct zone_node *apex = zone_version_apex_node(p->served);
    if (!zone_node_rrset(apex, ZONE_VIEW_SIGNED, DNS_TYPE_DNSKEY, &served)) {
        return 0;
    }
    (void)zone_node_rrset(apex, ZONE_VIEW_UNSIGNED, DNS_TYPE_DNSKEY, &foreign);
    for (struct dns_rdata_cursor c = dns_rrset_walk(&served); dns_rdata_next(&c);) {
        if (count < KEEPER_LOST_KEYS_MAX && !key_search_rrset_has(&foreign, c.rdata) &&
            !has_key(p, c.rdata, whole)) {
            out_lost[count++] = describe_lost(p, c.rdata);
        }
    }
    return count;
}

/* Every key that we publish still has its files: a folder may be gone, or another by mistake. */
enum sg_result key_search_check_served(struct preparation *p)
{
    struct keeper_lost_key lost[KEEPER_LOST_KEYS_MAX];
    size_t count = key_search_lost(p, false, lost);
    if (count == 0) {
        return SG_OK;
    }
    struct buffer tags = BUFFER_EMPTY;
    for (size_t i = 0; i < count; i++) {
        buffer_format(&tags, "%s%u", i > 0 ? " and of key " : "", lost[i].tag);
    }
    struct buffer folders = BUFFER_EMPTY;
    for (size_t i = 0; i < p->paths_count; i++) {
        buffer_format(&folders, "%s'%s'", i > 0 ? ", " : "", p->paths[i]);
    }
    p->problem = mem_format("the files of key %s, which the zone has, are not in %s, or not all of "
                            "them (.key, .private); put them back (if they are lost for good: "
                            "signetd(8), LOST KEYS)",
                            buffer_text(&tags), buffer_text(&folders));
    buffer_free(&folders);
    buffer_free(&tags);
    return SG_BAD_KEY;
}

/* A .key file without its .private one, which its own times do not declare done with. Whatever its
 * role and algorithm: the parent's DS and the caches do not ask what the policy wants by now. */
static enum sg_result refuse_half_key(struct preparation *p, struct keystore_index *index,
                                      const char *folder)
{
    struct key_list halves;
    enum sg_result result =
        keystore_index_halves(index, &p->settings->apex, report_key_file, p, &halves);
    if (result != SG_OK) {
        p->problem = p->reports.length > 0
                         ? files_problem(p)
                         : mem_format("keys in '%s': %s", folder, sg_result_text(result));
    }
    for (size_t i = 0; i < halves.count && result == SG_OK; i++) {
        if (kasp_key_is_over(halves.keys[i], p->now)) {
            continue;
        }
        char *name = signing_key_file_name(halves.keys[i]);
        p->problem = mem_format("%s.key is in '%s' but %s.private is not; no new key is made in "
                                "its place: bring the .private file back, or move the .key file "
                                "away if the parent has no DS of it",
                                name, folder, name);
        mem_free(name);
        result = SG_BAD_KEY;
    }
    key_list_clear(&halves);
    return result;
}

static enum sg_result refuse_lost_key_of(struct preparation *p, const char *folder)
{
    struct keystore_index *index;
    enum sg_result result = key_folders_find(p->folders, folder, p->wished, &index);
    if (result != SG_OK) {
        p->problem = mem_format("keys in '%s': %s", folder, sg_result_text(result));
        return result;
    }
    const char *lost = keystore_index_orphan(index, &p->settings->apex);
    if (lost == NULL) {
        return refuse_half_key(p, index, folder);
    }
    p->problem = mem_format("key %s in '%s' has a .state file but no .private file; no new key is "
                            "made in its place: put it back, or remove what is left of it",
                            lost, folder);
    return SG_BAD_KEY;
}

/* A key that was in use and has lost its private half: a new one in its place, without a new DS,
 * would make the zone bogus. In any folder: the policy may have named another one before. */
static enum sg_result refuse_lost_key(struct preparation *p)
{
    enum sg_result result = SG_OK;
    for (size_t f = 0; f < p->paths_count && result == SG_OK; f++) {
        result = refuse_lost_key_of(p, p->paths[f]);
    }
    return result;
}

/* Its roles alone, as if it were kept for later: the plan gives it times and states. */
static void describe_unused(const struct preparation *p, const struct kasp_key *wanted,
                            struct signing_key *out_metadata)
{
    struct key_state *state = &out_metadata->state;
    *out_metadata = (struct signing_key){.ttl = p->policy->dnskey_ttl};
    for (int time = 0; time < KEY_TIMES; time++) {
        out_metadata->times[time] = KEY_TIME_UNSET;
    }
    out_metadata->times[KEY_CREATED] = p->now;
    state->present = true;
    state->has_roles = true;
    state->ksk = (wanted->role & KASP_ROLE_KSK) != 0;
    state->zsk = (wanted->role & KASP_ROLE_ZSK) != 0;
    state->goal = KEY_STATE_HIDDEN;
    for (int record = 0; record < KEY_RECORDS; record++) {
        state->records[record] = KEY_STATE_NA;
        state->changes[record] = KEY_TIME_UNSET;
    }
}

enum sg_result key_search_make(struct preparation *p, const struct kasp_key *wanted)
{
    const char *folder = folder_of(p, wanted);
    enum sg_result result = refuse_lost_key(p);
    if (result != SG_OK) {
        return result;
    }
    if (p->list->count == ZONE_KEYS_MAX) {
        p->problem = mem_format("more than %d keys", ZONE_KEYS_MAX);
        return SG_LIMIT;
    }
    uint16_t tags[2 * ZONE_KEYS_MAX];
    struct key_tag_set set = {tags, 0, wanted->tag_min, wanted->tag_max};
    for (size_t i = 0; i < p->list->count; i++) {
        tags[set.count++] = p->list->keys[i]->tag;
    }
    struct signing_key metadata;
    describe_unused(p, wanted, &metadata);

    uint16_t flags =
        (uint16_t)(KEY_FLAG_ZONE | ((wanted->role & KASP_ROLE_KSK) != 0 ? KEY_FLAG_SEP : 0));
    struct signing_key *key = NULL;
    const struct key_request request = {
        .folder = folder,
        .zone = &p->settings->apex,
        .algorithm = wanted->algorithm,
        .bits = wanted->bits,
        .flags = flags,
        .taken = &set,
        .metadata = &metadata,
    };
    result = keystore_batch_generate(key_folders_batch(p->folders), &request, &key);
    if (result != SG_OK) {
        p->problem =
            mem_format("no %s key could be made in '%s': %s",
                       dnssec_algorithm_text(wanted->algorithm), folder, sg_result_text(result));
        return result;
    }
    *p->made |= UINT64_C(1) << p->list->count;
    p->changed[p->list->count] = false;
    p->list->keys = mem_resize_array(p->list->keys, p->list->count + 1, sizeof(*p->list->keys));
    p->list->keys[p->list->count++] = key;
    return SG_OK;
}
