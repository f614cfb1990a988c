#include "server/control_listen.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "conf/rndc_conf.h"

enum { DEFAULT_ADDRESSES = 2, KEY_MODE = 0600, KEY_PATHS = 2 };

static const char *const default_addresses[DEFAULT_ADDRESSES] = {"127.0.0.1", "::1"};

struct key_paths {
    char *paths[KEY_PATHS];
};

static struct key_paths key_paths(const struct server *server, const struct conf *conf)
{
    const char *slash = strrchr(server->configuration, '/');
    int folder_length = slash == NULL ? 0 : (int)(slash - server->configuration);

    return (struct key_paths){{
        mem_format("%.*s/rndc.key", folder_length, server->configuration),
        mem_format("%s/rndc.key", conf->options.store_directory),
    }};
}

static void key_paths_clear(struct key_paths *paths)
{
    for (size_t i = 0; i < KEY_PATHS; i++) {
        mem_free(paths->paths[i]);
    }
}

static bool needs_default_key(const struct conf *conf)
{
    bool needed = !conf->controls_given;

    for (size_t i = 0; i < conf->controls_count; i++) {
        needed |= conf->controls[i].keys_count == 0;
    }
    return needed;
}

/* Try to leave a new key at `path`. */
static bool make_key(const char *path, const struct daemon_user *user)
{
    struct tsig_key key;
    struct buffer text = BUFFER_EMPTY;

    if (daemon_own_folder_of(path, user) != SG_OK) {
        return false;
    }
    rndc_key_make("rndc-key", &key);
    rndc_key_text(&key, &text);
    bool made = file_write(path, KEY_MODE, buffer_span(&text)) == SG_OK;
    if (made && user != NULL && geteuid() == 0) {
        made = chown(path, user->uid, user->gid) == 0;
    }
    mem_wipe(&key, sizeof(key));
    buffer_wipe(&text);
    return made;
}

void control_listen_prepare_key(const struct server *server, const struct conf *conf)
{
    struct key_paths paths = key_paths(server, conf);
    bool there = !needs_default_key(conf);

    for (size_t i = 0; i < KEY_PATHS && !there; i++) {
        there = access(paths.paths[i], F_OK) == 0;
    }
    for (size_t i = 0; i < KEY_PATHS && !there; i++) {
        there = make_key(paths.paths[i], server->user);
        if (there) {
            log_write(LOG_GENERAL, SEVERITY_NOTICE, "made a key for the control channel: '%s'",
                      paths.paths[i]);
        }
    }
    if (!there) {
        log_write(LOG_GENERAL, SEVERITY_WARNING,
                  "no key for the control channel could be made, neither '%s' nor '%s': %s",
                  paths.paths[0], paths.paths[1], strerror(errno));
    }
    key_paths_clear(&paths);
}

/* The keys of the first rndc.key that is there; none, and why is logged, if it cannot be read. */
static bool names_md5(const struct rndc_conf *keys)
{
    for (size_t i = 0; i < keys->keys_count; i++) {
        if (keys->keys[i].algorithm == TSIG_HMAC_MD5) {
            return true;
        }
    }
    return false;
}

static void load_default_keys(const struct server *server, const struct conf *conf,
                              struct rndc_conf *out_keys)
{
    struct key_paths paths = key_paths(server, conf);
    char *problem = NULL;

    for (size_t i = 0; i < KEY_PATHS; i++) {
        if (access(paths.paths[i], F_OK) != 0) {
            continue;
        }
        log_write(LOG_GENERAL, SEVERITY_INFO, "configuring command channel from '%s'",
                  paths.paths[i]);
        if (rndc_conf_load(paths.paths[i], out_keys, &problem) != SG_OK) {
            log_write(LOG_GENERAL, SEVERITY_ERROR, "command channel: %s", problem);
            mem_free(problem);
        } else if (!conf->options.allow_hmac_md5 && names_md5(out_keys)) {
            log_write(LOG_GENERAL, SEVERITY_ERROR,
                      "command channel: %s: hmac-md5 is not to be used any more: take hmac-sha256, "
                      "or say 'allow-hmac-md5 yes' in options",
                      paths.paths[i]);
            rndc_conf_clear(out_keys);
        }
        break; /* A client would take this one too: another would only confuse it. */
    }
    key_paths_clear(&paths);
}

static bool allowed_by_acl(void *argument, const struct net_address *client,
                           const struct net_address *local)
{
    const struct conf_control *control = argument;

    return conf_acl_matches(control->allow, client, local, NULL);
}

/* Only this host can reach a loopback address. */
static bool allowed_always(void *argument, const struct net_address *client,
                           const struct net_address *local)
{
    (void)argument;
    (void)client;
    (void)local;
    return true;
}

static size_t fill_default(struct control_listen *listens)
{
    for (size_t i = 0; i < DEFAULT_ADDRESSES; i++) {
        enum sg_result result =
            net_address_from_text(default_addresses[i], CONTROL_PORT, &listens[i].address);
        ASSERT(result == SG_OK);
        listens[i].allowed = allowed_always;
    }
    return DEFAULT_ADDRESSES;
}

static size_t fill_configured(const struct conf *conf, struct control_listen *listens)
{
    size_t count = 0;

    for (size_t i = 0; i < conf->controls_count; i++) {
        struct conf_control *control = &conf->controls[i];
        if (count == CONTROL_LISTENERS_MAX) {
            log_write(LOG_GENERAL, SEVERITY_ERROR, "only the first %d control addresses are used",
                      CONTROL_LISTENERS_MAX);
            break;
        }
        listens[count++] = (struct control_listen){
            .address = control->address,
            .keys = (const struct tsig_key *const *)control->keys,
            .keys_count = control->keys_count,
            .read_only = control->read_only,
            .allowed = allowed_by_acl,
            .argument = control,
        };
    }
    return count;
}

/* What could not be bound: a warning for what nobody asked for, else an error. */
static enum sg_result check_bound(const struct conf *conf, const struct control_listen *listens,
                                  const int *errors, size_t count, char **out_problem)
{
    enum sg_result result = SG_OK;
    char text[NET_ADDRESS_TEXT_BYTES];

    for (size_t i = 0; i < count; i++) {
        if (errors[i] == 0) {
            continue;
        }
        net_address_to_text(&listens[i].address, text);
        if (conf->controls_given) {
            mem_free(*out_problem);
            *out_problem =
                mem_format("could not listen for commands on %s: %s", text, uv_strerror(errors[i]));
            log_write(LOG_GENERAL, SEVERITY_ERROR, "%s", *out_problem);
            result = SG_IO;
        } else if (i == 0) { /* A host without IPv6 is nothing to speak of. */
            log_write(LOG_GENERAL, SEVERITY_WARNING,
                      "could not listen for commands on %s: %s: going on without control channel",
                      text, uv_strerror(errors[i]));
        }
    }
    return result;
}

/* Listeners without keys of their own get those of rndc.key; without any they are left out. */
static size_t give_default_keys(const struct rndc_conf *file, const struct tsig_key **defaults,
                                struct control_listen *listens, size_t count)
{
    size_t usable = 0;

    for (size_t i = 0; i < file->keys_count; i++) {
        defaults[i] = &file->keys[i];
    }
    for (size_t i = 0; i < count; i++) {
        if (listens[i].keys_count == 0) {
            listens[i].keys = defaults;
            listens[i].keys_count = file->keys_count;
        }
        if (listens[i].keys_count > 0) {
            listens[usable++] = listens[i];
        }
    }
    return usable;
}

enum sg_result control_listen_take(struct server *server, const struct conf *conf,
                                   char **out_problem)
{
    struct control_listen listens[CONTROL_LISTENERS_MAX] = {0};
    const struct tsig_key *defaults[RNDC_KEYS_MAX];
    struct rndc_conf file = {.keys = NULL};
    int errors[CONTROL_LISTENERS_MAX] = {0};

    size_t count = conf->controls_given ? fill_configured(conf, listens) : fill_default(listens);
    if (needs_default_key(conf)) {
        load_default_keys(server, conf, &file);
    }
    count = give_default_keys(&file, defaults, listens, count);
    control_channel_listen(server->control, listens, count, errors);
    enum sg_result result = check_bound(conf, listens, errors, count, out_problem);
    rndc_conf_clear(&file);
    return result;
}
