#include "server/amendments.h"

#include "base/log.h"
#include "base/mem.h"
#include "store/identity.h"

static void add(struct amendments *list, const struct amendment *amendment)
{
    list->all = mem_resize_array(list->all, list->count + 1, sizeof(*list->all));
    struct amendment *copy = &list->all[list->count++];
    *copy = *amendment;
    copy->view = mem_copy_text(amendment->view);
    copy->name = mem_copy_text(amendment->name);
    copy->text = amendment->text == NULL ? NULL : mem_copy_text(amendment->text);
}

void amendments_free(struct amendments *amendments)
{
    if (amendments == NULL) {
        return;
    }
    for (size_t i = 0; i < amendments->count; i++) {
        mem_free(amendments->all[i].view);
        mem_free(amendments->all[i].name);
        mem_free(amendments->all[i].text);
    }
    mem_free(amendments->all);
    mem_free(amendments);
}

const struct amendment *amendments_find(const struct amendments *amendments, const char *view,
                                        const char *name)
{
    for (size_t i = 0; amendments != NULL && i < amendments->count; i++) {
        const struct amendment *at = &amendments->all[i];
        if (strcmp(at->name, name) == 0 && strcmp(at->view, view) == 0) {
            return at;
        }
    }
    return NULL;
}

/* What becomes of the zone that `before` (NULL: nothing yet) is about. False: nothing is left. */
static bool decide(const struct amendment *before, const struct amendment_wish *wish, bool is_new,
                   struct amendment *out_after)
{
    bool was_stored = before != NULL && before->stored;
    bool file_has_it = before != NULL && before->kind != CONF_AMEND_ADD;

    *out_after = (struct amendment){
        .stored = wish->text != NULL && (is_new || was_stored),
        .view = (char *)(uintptr_t)wish->view,
        .name = (char *)(uintptr_t)wish->name,
        .text = (char *)(uintptr_t)wish->text,
    };
    if (wish->text == NULL) {
        out_after->kind = CONF_AMEND_REMOVE;
        return !was_stored || file_has_it;
    }
    /* A zone of signet.conf that delzone took away is not added: that file would bring it back. It
     * counts where it has the zone still, and the command fails (zone_edit_check()). */
    bool only_added = is_new || (was_stored && !file_has_it);
    out_after->kind = only_added ? CONF_AMEND_ADD : CONF_AMEND_REPLACE;
    return true;
}

struct amendments *amendments_change(const struct amendments *before,
                                     const struct amendment_wish *wish, bool is_new)
{
    struct amendments *after = mem_alloc_zero(1, sizeof(*after));
    const struct amendment *present = amendments_find(before, wish->view, wish->name);
    struct amendment changed;

    for (size_t i = 0; before != NULL && i < before->count; i++) {
        if (&before->all[i] != present) {
            add(after, &before->all[i]);
        }
    }
    if (decide(present, wish, is_new, &changed)) {
        add(after, &changed);
    }
    return after;
}

struct amendments *amendments_stored(const struct amendments *before)
{
    struct amendments *after = mem_alloc_zero(1, sizeof(*after));

    for (size_t i = 0; before != NULL && i < before->count; i++) {
        if (before->all[i].stored) {
            add(after, &before->all[i]);
            after->all[after->count - 1].kind = CONF_AMEND_ADD;
            after->all[after->count - 1].broken = false;
        }
    }
    return after;
}

struct amendments *amendments_late(const struct amendments *stored, const struct amendments *others)
{
    struct amendments *after = mem_alloc_zero(1, sizeof(*after));

    for (size_t i = 0; i < stored->count; i++) {
        add(after, &stored->all[i]);
        after->all[after->count - 1].broken = true; /* not in use yet */
    }
    for (size_t i = 0; others != NULL && i < others->count; i++) {
        const struct amendment *other = &others->all[i];
        if (amendments_find(stored, other->view, other->name) == NULL) {
            add(after, other);
        }
    }
    return after;
}

struct conf_amendment *amendments_for_conf(const struct amendments *amendments, size_t *out_count)
{
    size_t count = amendments == NULL ? 0 : amendments->count;
    struct conf_amendment *all = mem_alloc_zero(count, sizeof(*all));

    *out_count = 0;
    for (size_t i = 0; i < count; i++) {
        const struct amendment *from = &amendments->all[i];
        if (!from->broken) {
            all[(*out_count)++] =
                (struct conf_amendment){from->kind, from->view, from->name, from->text};
        }
    }
    return all;
}

static const struct conf_problem *find_error(const struct conf_report *report,
                                             const struct amendment *amendment)
{
    char place[CONF_AMENDMENT_PLACE_BYTES];

    conf_amendment_place(amendment->view, amendment->name, place);
    for (size_t i = 0; i < report->count; i++) {
        const struct conf_problem *problem = &report->problems[i];
        if (problem->severity == CONF_ERROR && strcmp(problem->file, place) == 0) {
            return problem;
        }
    }
    return NULL;
}

static bool was_left_out(const struct amendments *before, const struct amendment *amendment)
{
    const struct amendment *then = amendments_find(before, amendment->view, amendment->name);
    return then != NULL && then->broken;
}

size_t amendments_leave_out(struct amendments *amendments, const struct conf_report *report)
{
    return amendments_leave_out_again(amendments, report, NULL);
}

size_t amendments_leave_out_again(struct amendments *amendments, const struct conf_report *report,
                                  const struct amendments *before)
{
    size_t left_out = 0;

    for (size_t i = 0; i < amendments->count; i++) {
        struct amendment *at = &amendments->all[i];
        const struct conf_problem *error = at->broken ? NULL : find_error(report, at);
        if (error != NULL && (before == NULL || was_left_out(before, at))) {
            log_write(LOG_CONFIG, SEVERITY_ERROR,
                      "zone '%s', which addzone has added, is not served: %s; delzone forgets it",
                      at->name, error->text);
            at->broken = true;
            left_out++;
        }
    }
    return left_out;
}

/* --- in the store ---------------------------------------------------------------------------- */

char *amendment_name(const struct dns_name *apex)
{
    char text[DNS_NAME_TEXT_BYTES];
    struct dns_name lower = *apex;

    dns_name_lower(&lower);
    char *name = mem_copy_text(dns_name_to_text(&lower, text));
    size_t length = strlen(name);
    if (length > 1 && name[length - 1] == '.') {
        name[length - 1] = '\0';
    }
    return name;
}

enum sg_result amendment_key(const char *view, uint16_t rrclass, const struct dns_name *apex,
                             struct buffer *out_key)
{
    size_t view_bytes = strlen(view) + 1;
    struct dns_name lower = *apex;

    if (view_bytes + 2 + apex->length > STORE_KEY_BYTES_MAX) {
        return SG_LIMIT;
    }
    dns_name_lower(&lower);
    store_identity(view, rrclass, &lower, out_key);
    return SG_OK;
}

/* Bytes from the disk. */
static bool see(void *argument, struct span key, struct span value)
{
    struct amendments *list = argument;
    struct dns_name apex;
    const uint8_t *zero = memchr(key.bytes, 0, key.length);
    size_t view_bytes = zero == NULL ? key.length : (size_t)(zero - key.bytes) + 1;

    if (key.length < view_bytes + 3 || memchr(value.bytes, 0, value.length) != NULL ||
        dns_name_from_wire((struct span){key.bytes + view_bytes + 2, key.length - view_bytes - 2},
                           &apex) != SG_OK) {
        log_write(LOG_CONFIG, SEVERITY_ERROR, "the store has a damaged statement of a zone");
        return true;
    }
    struct buffer text = BUFFER_EMPTY;
    buffer_append(&text, value.bytes, value.length);
    char *name = amendment_name(&apex);
    const struct amendment amendment = {
        .kind = CONF_AMEND_ADD,
        .stored = true,
        .view = (char *)(uintptr_t)key.bytes,
        .name = name,
        .text = (char *)(uintptr_t)buffer_text(&text),
    };
    add(list, &amendment);
    mem_free(name);
    buffer_free(&text);
    return true;
}

enum sg_result amendments_read(const struct store_io *io, struct amendments **out_list)
{
    struct amendments *list = mem_alloc_zero(1, sizeof(*list));

    enum sg_result result = store_config_walk(io, see, list);
    if (result != SG_OK) {
        amendments_free(list);
        return result;
    }
    *out_list = list;
    return SG_OK;
}
