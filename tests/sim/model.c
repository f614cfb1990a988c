#include "sim/model.h"

#include "base/mem.h"

static bool prerequisite_holds(const struct model_wish *wish, const struct records *state)
{
    bool in_use = records_have(state, &wish->about, 0);
    return wish->prerequisite == MODEL_ALWAYS || in_use == (wish->prerequisite == MODEL_IN_USE);
}

static void apply_change(const struct model_change *change, struct records *state)
{
    const struct record *record = &change->record;
    switch (change->kind) {
    case MODEL_ADD:
        (void)records_add(state, record);
        break;
    case MODEL_REMOVE:
        (void)records_remove(state, record, false);
        break;
    case MODEL_REMOVE_RRSET:
        records_remove_rrset(state, &record->owner, record->type);
        break;
    case MODEL_REMOVE_NAME:
        records_remove_rrset(state, &record->owner, 0);
        break;
    }
}

static void apply(const struct model_wish *wish, struct records *state)
{
    if (wish->is_whole) {
        records_copy(&wish->whole, state);
    } else if (prerequisite_holds(wish, state)) {
        for (size_t i = 0; i < wish->changes_count; i++) {
            apply_change(&wish->changes[i], state);
        }
    }
}

static void free_wish(struct model_wish *wish)
{
    records_clear(&wish->whole);
    mem_free(wish);
}

void model_add(struct model *model, struct model_wish *wish)
{
    struct model_wish **at = &model->first;
    while (*at != NULL) {
        at = &(*at)->next;
    }
    wish->next = NULL;
    *at = wish;
}

uint16_t model_rcode(const struct model *model)
{
    const struct model_wish *wish = model->first;
    if (prerequisite_holds(wish, &model->state)) {
        return DNS_RCODE_NOERROR;
    }
    return wish->prerequisite == MODEL_IN_USE ? DNS_RCODE_NXDOMAIN : DNS_RCODE_YXDOMAIN;
}

static void drop_first(struct model *model)
{
    struct model_wish *wish = model->first;
    model->first = wish->next;
    free_wish(wish);
}

/* Is what is published a state that may be, and not one before what was seen already? */
static bool find_published(struct model *model, struct records *out_nearest)
{
    struct records state = {0};
    records_copy(&model->state, &state);
    size_t applied = 0;
    bool matches = model->visible == 0 && records_same(&state, &model->published);
    for (struct model_wish *wish = model->first; wish != NULL && !matches; wish = wish->next) {
        apply(wish, &state);
        applied++;
        matches = applied >= model->visible && records_same(&state, &model->published);
    }
    if (matches) {
        model->visible = applied;
        records_clear(&state);
    } else if (out_nearest != NULL) {
        *out_nearest = state;
    } else {
        records_clear(&state);
    }
    return matches;
}

/* Stored, then visible, then answered (RFC 2136 3.5): it is there now, and not later. */
bool model_acknowledge(struct model *model, unsigned id)
{
    while (model->first != NULL && model->first->id <= id) {
        apply(model->first, &model->state);
        drop_first(model);
        model->visible -= model->visible > 0;
    }
    return find_published(model, NULL);
}

bool model_refuse(struct model *model, unsigned id)
{
    size_t before = 0;
    struct model_wish **at = &model->first;
    while (*at != NULL && (*at)->id != id) {
        at = &(*at)->next;
        before++;
    }
    ASSERT(*at != NULL);
    struct model_wish *wish = *at;
    *at = wish->next;
    free_wish(wish);
    model->visible -= before < model->visible;
    return find_published(model, NULL);
}

bool model_see(struct model *model, const struct records *found, struct records *out_nearest)
{
    records_copy(found, &model->published);
    return find_published(model, out_nearest);
}

void model_forget(struct model *model)
{
    for (; model->visible > 0; model->visible--) {
        apply(model->first, &model->state);
        drop_first(model);
    }
    struct model_wish **at = &model->first;
    while (*at != NULL) {
        struct model_wish *wish = *at;
        if (wish->outlives_a_crash) {
            at = &wish->next;
        } else {
            *at = wish->next;
            free_wish(wish);
        }
    }
}

void model_clear(struct model *model)
{
    while (model->first != NULL) {
        drop_first(model);
    }
    records_clear(&model->state);
    records_clear(&model->published);
}

void model_newest(const struct model *model, struct records *out_records)
{
    records_copy(&model->state, out_records);
    for (const struct model_wish *wish = model->first; wish != NULL; wish = wish->next) {
        apply(wish, out_records);
    }
}
