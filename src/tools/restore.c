#include "tools/restore.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "store/backup.h"
#include "tools/store_folder.h"

static const char usage_text[] =
    "usage: signet restore [-c config] [-f] [-s store-directory] PATH\n"
    "\n"
    "Brings back store and key files from a folder that `signet backup PATH` has made. No server\n"
    "may run on the store. What is there already is never overwritten.\n"
    "  -c config   where store-directory stands (" SIGNET_SYSCONFDIR "/signet.conf)\n"
    "  -f          rename what is in the way (NAME.before-DATE) instead of giving up\n"
    "  -s folder   the store, without looking at a configuration\n";

static void tell(void *argument, const char *text)
{
    (void)argument;
    puts(text);
}

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
    bool force = false;

    optind = 1;
    for (int option; (option = getopt(argc, argv, "c:fhs:")) != -1;) {
        switch (option) {
        case 'c':
            conf_path = optarg;
            break;
        case 'f':
            force = true;
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
    int status = restore(argv[optind], folder, force);
    mem_free(folder);
    return status;
}
