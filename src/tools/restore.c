#include "tools/restore.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/backup.h"
#include "tools/store_folder.h"

static const char usage_text[] =
    "usage: signet restore [-c config] [-fk] [-s store-directory] PATH\n"
    "\n"
    "Brings back store and key files from a folder that `signet backup PATH` has made. No server\n"
    "may run on the store. What is there already is never overwritten.\n"
    "  -c config   where store-directory stands (" SIGNET_SYSCONFDIR "/signet.conf)\n"
    "  -f          rename what is in the way (NAME.before-DATE) instead of giving up\n"
    "  -k          keys go where they came from, though the configuration names other folders\n"
    "  -s folder   the store, without looking at a configuration\n";

static void tell(void *argument, const char *text)
{
    (void)argument;
    puts(text);
}

/* --- are the keys where this configuration looks for them? ---------------------------------- */

struct comparison {
    char **named; /* folders of the configuration, absolute */
    size_t named_count;
    size_t found;            /* folders of the backup that are among them */
    struct buffer strangers; /* and that are not, for people */
};

/* It may be named by way of a link, and not be there yet where a whole machine comes back. */
static bool is_same_folder(const char *named, const char *folder)
{
    char resolved[PATH_MAX];
    size_t parent = 0, length = strlen(named);
    for (size_t i = 0; i < length; i++) {
        parent = named[i] == '/' ? i : parent;
    }
    if (strcmp(named, folder) == 0 || file_is_same(named, folder)) {
        return true;
    }
    char *above = mem_format("%.*s/", (int)parent, named);
    char *whole =
        realpath(above, resolved) == NULL ? NULL : mem_format("%s%s", resolved, named + parent);
    bool is_same = whole != NULL && strcmp(whole, folder) == 0;
    mem_free(whole);
    mem_free(above);
    return is_same;
}

static void add_named(void *argument, const char *folder)
{
    struct comparison *comparison = argument;
    comparison->named = mem_resize_array(comparison->named, comparison->named_count + 1,
                                         sizeof(*comparison->named));
    comparison->named[comparison->named_count++] = mem_copy_text(folder);
}

static void judge_folder(void *argument, const char *folder, size_t keys)
{
    struct comparison *comparison = argument;
    bool is_named = false;
    for (size_t i = 0; i < comparison->named_count && keys > 0 && !is_named; i++) {
        is_named = is_same_folder(comparison->named[i], folder);
    }
    if (is_named) {
        comparison->found++;
    } else if (keys > 0) {
        buffer_format(&comparison->strangers, "%s'%s'",
                      comparison->strangers.length > 0 ? ", " : "", folder);
    }
}

/*
 * A backup none of whose keys are where this configuration has its own is that of another server:
 * it would be started without them, and sign with new ones or none. A single folder more may be of
 * a zone that `addzone` made, which the configuration does not name; and so may all be where it
 * names none.
 */
static bool fits(const char *backup, const char *conf_path)
{
    struct comparison comparison = {.strangers = BUFFER_EMPTY};
    char *problem = NULL;
    bool fits = false;
    if (!store_folder_keys("restore", conf_path, add_named, &comparison)) {
        goto out;
    }
    if (backup_key_folders(backup, judge_folder, &comparison, &problem) != SG_OK) {
        fprintf(stderr, "signet restore: %s\n", problem);
        goto out;
    }
    fits = comparison.found > 0 || comparison.strangers.length == 0 || comparison.named_count == 0;
    if (!fits) {
        fprintf(stderr,
                "signet restore: the keys came from %s, and '%s' looks for none there: is it the "
                "backup of another server? Nothing was changed. Name the folders where they shall "
                "be in '%s/MANIFEST', or let them go there all the same by -k\n",
                buffer_text(&comparison.strangers), conf_path, backup);
    } else if (comparison.strangers.length > 0) {
        fprintf(stderr,
                "signet restore: keys came from %s, which '%s' does not name: no zone finds them "
                "there but one of `addzone`\n",
                buffer_text(&comparison.strangers), conf_path);
    }

out:
    for (size_t i = 0; i < comparison.named_count; i++) {
        mem_free(comparison.named[i]);
    }
    mem_free(comparison.named);
    mem_free(problem);
    buffer_free(&comparison.strangers);
    return fits;
}

/* -------------------------------------------------------------------------------------------- */

static int restore(const char *backup, const char *store, bool force)
{
    char digits[TIME_TEXT_BYTES];
    char *problem = NULL;
    size_t keys = 0;

    time_to_digits(time_now(), digits);
    char *aside = mem_format(".before-%s", digits);
    const struct backup_restore request = {
        .backup = backup, .store = store, .set_aside = force ? aside : NULL, .tell = tell};
    enum sg_result result = backup_restore(&request, &keys, &problem);
    if (result == SG_OK) {
        printf("restored: the store '%s' and %zu keys\n", store, keys);
    } else {
        fprintf(stderr, "signet restore: %s\n", problem);
    }
    mem_free(problem);
    mem_free(aside);
    return result == SG_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}

int tool_restore(int argc, char **argv)
{
    const char *conf_path = SIGNET_SYSCONFDIR "/signet.conf";
    const char *store = NULL;
    bool force = false, anywhere = false;

    optind = 1;
    for (int option; (option = getopt(argc, argv, "c:fhks:")) != -1;) {
        switch (option) {
        case 'c':
            conf_path = optarg;
            break;
        case 'f':
            force = true;
            break;
        case 'k':
            anywhere = true;
            break;
        case 's':
            store = optarg;
            break;
        case 'h':
            fputs(usage_text, stdout);
            return EXIT_SUCCESS;
        default:
            fputs(usage_text, stderr);
            return EXIT_FAILURE;
        }
    }
    if (argc - optind != 1) {
        fputs(usage_text, stderr);
        return EXIT_FAILURE;
    }
    char *folder = store_folder_of("restore", conf_path, store);
    if (folder == NULL) {
        return EXIT_FAILURE;
    }
    bool is_judged = store == NULL && !anywhere; /* With -s no configuration is looked at. */
    int status = is_judged && !fits(argv[optind], conf_path) ? EXIT_FAILURE
                                                             : restore(argv[optind], folder, force);
    mem_free(folder);
    return status;
}
