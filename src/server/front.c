#include "server/front.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "server/chaos.h"

static const char version_default[] = "Signet " SIGNET_VERSION;
static const char view_default[] = "_default";

static const struct conf_view chaos_view = {.name = "_bind", .rrclass = DNS_CLASS_CH};
/* Any may ask, none may transfer. */
static const struct conf_zone_options chaos_options = {
    .access = {.minimal_responses = ANSWER_MINIMAL_YES}};

static const struct conf_zone chaos_zone = {
    .rrclass = DNS_CLASS_CH, .view = &chaos_view, .options = &chaos_options};

const struct conf_zone *front_zone(const struct zone_slot *slot)
{
    return epoch_read(&slot->options);
}

const struct conf_zone_options *front_options(const struct zone_slot *slot)
{
    return front_zone(slot)->options;
}

static void text_set(struct front_text *text, const char *from)
{
    size_t length = strnlen(from, FRONT_TEXT_BYTES_MAX);

    memcpy(text->bytes, from, length);
    text->bytes[length] = '\0';
    text->length = (uint8_t)length;
}

static void text_set_hostname(struct front_text *text)
{
    char name[FRONT_TEXT_BYTES_MAX + 1] = "";

    if (gethostname(name, sizeof(name) - 1) == 0) {
        text_set(text, name);
    }
}

/* What the server says of itself. */
static void set_texts(struct front *front)
{
    const struct conf_options *options = &front->conf->options;
    struct front_text hostname = {0};

    if (options->server_id_hostname) {
        text_set_hostname(&front->server_id);
    } else if (options->server_id != NULL) {
        text_set(&front->server_id, options->server_id);
    }
    if (options->hostname_text == NULL) {
        text_set_hostname(&hostname);
    } else {
        text_set(&hostname, options->hostname_text);
    }
    const struct chaos_texts texts = {
        .version = options->version_text == NULL ? version_default : options->version_text,
        .hostname = hostname.bytes,
        .server_id = front->server_id.bytes,
    };
    front->chaos = chaos_new(&texts, &chaos_zone);
    front->chaos_view.conf = &chaos_view;
    front->chaos_view.table = chaos_table(front->chaos);
}

static bool is_any(const struct conf_acl *acl)
{
    return acl == NULL || conf_acl_is_any(acl);
}

static bool view_takes_all(const struct conf_view *view)
{
    return view->rrclass == DNS_CLASS_IN && is_any(view->match_clients) &&
           is_any(view->match_destinations) && !view->match_recursive_only;
}

enum sg_result front_new(const struct conf *conf, const struct front_zones *zones,
                         struct front **out_front)
{
    enum sg_result result = SG_OK;
    struct front *front = mem_alloc_zero(1, sizeof(*front));

    front->conf = conf;
    front->views = mem_alloc_zero(conf->views_count, sizeof(*front->views));
    front->views_count = conf->views_count;
    for (size_t i = 0; i < conf->views_count; i++) {
        struct zone_table *table;
        size_t duplicate;
        result = zone_table_new(zones[i].slots, zones[i].count, &table, &duplicate);
        if (result != SG_OK) {
            goto out;
        }
        front->views[i] = (struct front_view){conf->views[i], table};
    }
    front->shows_view = conf->views_count != 1 || strcmp(conf->views[0]->name, view_default) != 0;
    front->takes_all = conf->views_count == 1 && view_takes_all(conf->views[0]);
    set_texts(front);
    *out_front = front;
    front = NULL; /* It is the caller's now. */

out:
    front_free(front);
    return result;
}

void front_free(struct front *front)
{
    if (front == NULL) {
        return;
    }
    for (size_t i = 0; i < front->views_count; i++) {
        if (front->views[i].table != NULL) {
            zone_table_free(front->views[i].table);
        }
    }
    chaos_free(front->chaos);
    mem_free(front->views);
    mem_free(front);
}

static void release(struct epoch_retired *retired)
{
    front_free((struct front *)((char *)retired - offsetof(struct front, retired)));
}

void front_retire(struct front *front)
{
    epoch_retire(&front->retired, release);
}

const struct front_view *front_view_find(const struct front *front,
                                         const struct front_client *client)
{
    if (front->takes_all && client->rrclass == DNS_CLASS_IN) {
        return &front->views[0];
    }
    for (size_t i = 0; i < front->views_count; i++) {
        const struct conf_view *view = front->views[i].conf;
        if (view->rrclass != client->rrclass ||
            (view->match_recursive_only && !client->recursive)) {
            continue;
        }
        bool from =
            view->match_clients == NULL ||
            conf_acl_matches(view->match_clients, client->address, client->local, client->key);
        /* The list is about our address, so that is the one to match (as BIND does). */
        bool to =
            view->match_destinations == NULL ||
            conf_acl_matches(view->match_destinations, client->local, client->local, client->key);
        if (from && to) {
            return &front->views[i];
        }
    }
    return client->rrclass == DNS_CLASS_CH ? &front->chaos_view : NULL;
}
