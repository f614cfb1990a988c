#include "server/control_backup.h"

#include "base/mem.h"
#include "conf/key_folders.h"
#include "server/store_opening.h"
#include "store/backup.h"

struct backup {
    struct errand errand; /* first member */
    struct server *server;
    struct control_request *request;
    struct store_request copy;
    char *path;
    char **folders; /* of keys */
    size_t folders_count;
    enum sg_result result;
    char *problem;
};

static void backup_end(struct backup *backup)
{
    if (backup->result == SG_OK) {
        log_write(LOG_GENERAL, SEVERITY_INFO, "backup written to '%s'", backup->path);
        char *text = mem_format("backup written to '%s'", backup->path);
        control_request_reply(backup->request, CONTROL_SUCCESS, NULL, text);
        mem_free(text);
    } else {
        enum control_result code = backup->result == SG_EXISTS ? CONTROL_EXISTS : CONTROL_FAILURE;
        const char *problem =
            backup->problem != NULL ? backup->problem : sg_result_text(backup->result);
        log_write(LOG_GENERAL, SEVERITY_ERROR, "backup to '%s' failed: %s", backup->path, problem);
        control_request_reply(backup->request, code, control_result_text(code), problem);
    }
    for (size_t i = 0; i < backup->folders_count; i++) {
        mem_free(backup->folders[i]);
    }
    mem_free(backup->folders);
    mem_free(backup->problem);
    mem_free(backup->path);
    mem_free(backup);
}

static void add_keys(struct job *job)
{
    struct backup *backup = (struct backup *)job;

    backup->result = backup_finish(backup->path, (const char *const *)backup->folders,
                                   backup->folders_count, time_now(), &backup->problem);
}

static void keys_added(struct server *server, struct errand *errand)
{
    (void)server;
    backup_end((struct backup *)errand);
}

/* What the operator can do about it; NULL: the problem says it all. */
static const char *advice_for(enum sg_result result)
{
    switch (result) {
    case SG_EXISTS:
        return "name a folder that does not exist yet, backup makes it";
    case SG_NOT_FOUND:
        return "the folder that it shall be made in does not exist";
    case SG_DENIED:
        return "the server's user must be allowed to make it there";
    case SG_NO_SPACE:
        return "nothing was left there";
    default:
        return NULL;
    }
}

static void copied(struct store_request *request)
{
    struct backup *backup = (struct backup *)((char *)request - offsetof(struct backup, copy));

    backup->result = request->result;
    backup->problem = request->problem;
    if (request->result != SG_OK) {
        const char *advice = advice_for(request->result);
        if (advice != NULL) {
            backup->problem =
                mem_format("'%s': %s; %s", backup->path, sg_result_text(request->result), advice);
            mem_free(request->problem);
        }
        backup_end(backup);
        return;
    }
    backup->errand.job.run = add_keys;
    backup->errand.done = keys_added;
    server_send(backup->server, &backup->errand);
}

static void add_folder(void *argument, const char *folder)
{
    struct backup *backup = argument;
    backup->folders =
        mem_resize_array(backup->folders, backup->folders_count + 1, sizeof(*backup->folders));
    backup->folders[backup->folders_count++] = mem_copy_text(folder);
}

void control_backup(struct control_call *call)
{
    const char *path = control_call_word(call, 1);

    if (path == NULL || path[0] != '/' || call->count > 2) {
        control_call_explain(call, path == NULL ? CONTROL_UNEXPECTED_END : CONTROL_SYNTAX,
                             "expected: backup PATH, absolute: a folder that does not exist yet");
        return;
    }
    if (call->server->store == NULL) {
        control_call_explain(call, CONTROL_FAILURE, "the store is not open: %s",
                             store_opening_problem(call->server));
        return;
    }
    struct backup *backup = mem_alloc_zero(1, sizeof(*backup));
    backup->server = call->server;
    backup->path = mem_copy_text(path);
    conf_key_folders(call->server->generation->conf, add_folder, backup);
    backup->request = control_call_keep(call);
    backup->copy = (struct store_request){.kind = STORE_COPY, .done = copied, .path = backup->path};
    server_ask_store(call->server, &backup->copy);
}
