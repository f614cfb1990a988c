#include "server/session_key.h"

#include "base/encoding.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/random.h"
#include "server/server.h"

enum { SECRET_BYTES = 32, FILE_MODE = 0600, TEXT_BYTES = 2048 };

struct writing {
    struct errand errand; /* first member */
    char *path;
    struct buffer text;
    enum sg_result result;
};

static bool view_wants_key(const struct conf_view *view)
{
    for (size_t i = 0; i < view->zones_count; i++) {
        const struct conf_update_policy *policy = view->zones[i]->options->access.update_policy;
        if (policy != NULL && policy->local) {
            return true;
        }
    }
    return false;
}

bool session_key_is_wanted(const struct conf *conf)
{
    bool wanted = false;
    for (size_t i = 0; i < conf->views_count && !wanted; i++) {
        wanted = view_wants_key(conf->views[i]);
    }
    return wanted && conf->options.session_key.file != NULL;
}

static void write_file(struct job *job)
{
    struct writing *writing = (struct writing *)job;
    writing->result = file_write(writing->path, FILE_MODE, buffer_span(&writing->text));
}

static void written(struct server *server, struct errand *errand)
{
    struct writing *writing = (struct writing *)errand;
    (void)server;
    if (writing->result != SG_OK) {
        log_write(LOG_GENERAL, SEVERITY_ERROR, "session-keyfile '%s' could not be written: %s",
                  writing->path, sg_result_text(writing->result));
    }
    buffer_wipe(&writing->text);
    mem_free(writing->path);
    mem_free(writing);
}

static void send_to_file(struct server *server, const char *path, const struct tsig_key *key)
{
    struct writing *writing = mem_alloc_zero(1, sizeof(*writing));
    char name[DNS_NAME_TEXT_BYTES];
    writing->errand.job.run = write_file;
    writing->errand.done = written;
    writing->path = mem_copy_text(path);
    writing->text = BUFFER_EMPTY;
    buffer_reserve(&writing->text, TEXT_BYTES); /* It holds a secret: never to be moved. */
    buffer_format(&writing->text, "key \"%s\" {\n\talgorithm %s;\n\tsecret \"",
                  dns_name_to_text_short(&key->name, name), tsig_algorithm_text(key->algorithm));
    base64_encode((struct span){key->secret, key->secret_length}, &writing->text);
    buffer_append_text(&writing->text, "\";\n};\n");
    server_send(server, &writing->errand);
}

void session_key_join(struct server *server, struct generation *generation)
{
    struct conf *conf = generation->conf;
    const struct conf_session_key *wanted = &conf->options.session_key;
    struct tsig_key *ours = &server->session_key;
    if (!session_key_is_wanted(conf)) {
        return;
    }
    bool is_new = ours->secret_length == 0 || !dns_name_equal(&ours->name, &wanted->name) ||
                  ours->algorithm != wanted->algorithm;
    if (is_new) {
        *ours = (struct tsig_key){.name = wanted->name,
                                  .algorithm = wanted->algorithm,
                                  .mac_bits = wanted->mac_bits,
                                  .secret_length = SECRET_BYTES};
        random_bytes(ours->secret, SECRET_BYTES);
    }
    send_to_file(server, wanted->file, ours);
    generation_add_key(generation, ours);
}
