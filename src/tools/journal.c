#include "tools/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "conf/conf.h"
#include "dns/rrtype.h"
#include "dns/serial.h"
#include "dns/text.h"
#include "store/identity.h"
#include "store/store_reader.h"
#include "tools/store_folder.h"
#include "zone/changeset.h"

struct journal {
    const char *conf_path, *store; /* -c, -s */
    const char *class_text, *view;
    const char *zone;
    bool all;      /* -a: commits that changed no record too */
    bool has_from; /* -i serial: from that one on */
    uint32_t from;
    struct dns_name apex;
    uint16_t rrclass;
};

static const char usage_text[] =
    "usage: signet journal [-a] [-c config] [-i serial] [-s store-directory] zone [class [view]]\n"
    "\n"
    "Prints what changed in a zone and when: `del` and `add` lines as of named-journalprint, "
    "under\n"
    "a comment with date, commit and serials. The server may be running.\n"
    "  -a          also commits that changed no record (keys, timers)\n"
    "  -c config   where store-directory stands (" SIGNET_SYSCONFDIR "/signet.conf)\n"
    "  -i serial   only what came after this serial\n"
    "  -s folder   the store, without looking at a configuration\n";

static bool take_serial(struct journal *journal, const char *text)
{
    char *end = NULL;
    unsigned long number = strtoul(text, &end, 10);

    if (end == text || *end != '\0' || text[0] == '-' || number > UINT32_MAX) {
        fprintf(stderr, "signet journal: '%s' is not a serial\n", text);
        return false;
    }
    journal->has_from = true;
    journal->from = (uint32_t)number;
    return true;
}

static bool take_option(struct journal *journal, int option, const char *argument)
{
    switch (option) {
    case 'a':
        journal->all = true;
        return true;
    case 'c':
        journal->conf_path = argument;
        return true;
    case 's':
        journal->store = argument;
        return true;
    case 'i':
        return take_serial(journal, argument);
    case 'h':
        fputs(usage_text, stdout);
        exit(EXIT_SUCCESS);
    default:
        fputs(usage_text, stderr);
        return false;
    }
}

static bool take_options(struct journal *journal, int argc, char **argv)
{
    optind = 1;
    for (int option; (option = getopt(argc, argv, "ac:hi:s:")) != -1;) {
        if (!take_option(journal, option, optarg)) {
            return false;
        }
    }
    if (argc - optind < 1 || argc - optind > 3) {
        fputs(usage_text, stderr);
        return false;
    }
    journal->zone = argv[optind];
    journal->class_text = argc - optind > 1 ? argv[optind + 1] : "IN";
    journal->view = argc - optind > 2 ? argv[optind + 2] : "_default";
    return true;
}

static bool take_names(struct journal *journal)
{
    if (dns_name_from_text(journal->zone, strlen(journal->zone), NULL, &journal->apex) != SG_OK) {
        fprintf(stderr, "signet journal: '%s' is not a domain name\n", journal->zone);
        return false;
    }
    dns_name_lower(&journal->apex);
    if (dns_class_from_text(journal->class_text, strlen(journal->class_text), &journal->rrclass) !=
        SG_OK) {
        fprintf(stderr, "signet journal: '%s' is not a class\n", journal->class_text);
        return false;
    }
    return true;
}

/* --- one commit ------------------------------------------------------------------------------- */

static void print_rrset(const struct journal *journal, const char *deed,
                        const struct zone_change *change, const struct dns_rrset *rrset)
{
    uint8_t owner[DNS_NAME_BYTES_MAX];
    struct buffer line = BUFFER_EMPTY;

    if (change->owner.length + journal->apex.length > sizeof(owner)) {
        return; /* no name is as long: the bytes are damaged */
    }
    if (change->owner.length > 0) {
        memcpy(owner, change->owner.bytes, change->owner.length);
    }
    memcpy(owner + change->owner.length, journal->apex.wire, journal->apex.length);
    for (struct dns_rdata_cursor at = dns_rrset_walk(rrset); dns_rdata_next(&at);) {
        buffer_clear(&line);
        dns_record_to_text(owner, rrset->ttl, rrset->type, at.rdata, &line);
        printf("%s %s\n", deed, buffer_text(&line));
    }
    buffer_free(&line);
}

/* The SOA comes first of what is deleted and of what is added, as in an IXFR (RFC 1995 4). */
static bool print_half(const struct journal *journal, struct span changeset, bool deleted,
                       bool only_soa)
{
    struct zone_changeset_walk walk = zone_changeset_walk(changeset);

    while (zone_changeset_next(&walk)) {
        const struct zone_change *change = &walk.change;
        const struct dns_rrset *rrset = deleted ? &change->deleted : &change->added;
        bool is_soa = rrset->type == DNS_TYPE_SOA;
        if ((change->flags & ZONE_CHANGE_PUBLIC) != 0 && is_soa == only_soa) {
            print_rrset(journal, deleted ? "del" : "add", change, rrset);
        }
    }
    return !walk.failed;
}

static bool print_changeset(const struct journal *journal, struct span changeset)
{
    return print_half(journal, changeset, true, true) &&
           print_half(journal, changeset, true, false) &&
           print_half(journal, changeset, false, true) &&
           print_half(journal, changeset, false, false);
}

static bool is_wanted(const struct journal *journal, const struct store_commit_record *record)
{
    bool changes = record->changeset.length > 0 || (record->flags & STORE_COMMIT_IMAGE) != 0;

    return (changes || journal->all) &&
           (!journal->has_from || serial_compare(record->serial, journal->from) > 0);
}

static bool print_commit(const struct journal *journal, const struct store_commit_record *record)
{
    char when[TIME_HUMAN_BYTES];
    struct zone_changeset_header header;

    if (!is_wanted(journal, record)) {
        return true;
    }
    time_to_http(record->at, when);
    printf("; %s, commit %llu, ", when, (unsigned long long)record->number);
    if (record->changeset.length == 0) {
        printf("serial %u (unsigned %u): %s\n", record->serial, record->source_serial,
               (record->flags & STORE_COMMIT_IMAGE) != 0 ? "the whole zone; its history begins here"
                                                         : "no record changed");
        return true;
    }
    if (zone_changeset_header(record->changeset, &header) != SG_OK) {
        printf("damaged\n");
        return false;
    }
    printf("serial %u -> %u (unsigned %u -> %u)\n", header.serial_from, header.serial_to,
           header.source_serial_from, header.source_serial_to);
    return print_changeset(journal, record->changeset);
}

/* --- all of them ------------------------------------------------------------------------------ */

static int print_all(const struct journal *journal, struct store_reader *reader, uint64_t zone)
{
    struct buffer bytes = BUFFER_EMPTY;
    struct store_commit_record record;
    uint64_t number = 0;
    int status = EXIT_SUCCESS;

    for (;;) {
        enum sg_result result = store_reader_commit(reader, zone, number, &bytes, &record);
        if (result == SG_NOT_FOUND) {
            break;
        }
        if (result == SG_IO || result == SG_DENIED) {
            fprintf(stderr, "signet journal: reading failed: %s\n", sg_result_text(result));
            status = EXIT_FAILURE;
            break;
        }
        if (result != SG_OK || !print_commit(journal, &record)) {
            fprintf(stderr, "signet journal: commit %llu cannot be read: %s\n",
                    (unsigned long long)record.number,
                    sg_result_text(result == SG_OK ? SG_MALFORMED : result));
            status = EXIT_FAILURE;
        }
        number = record.number + 1;
    }
    buffer_free(&bytes);
    return status;
}

static int run(const struct journal *journal, const char *folder)
{
    struct store_reader *reader = NULL;
    struct buffer identity = BUFFER_EMPTY;
    char *problem = NULL;
    uint64_t zone = 0;
    int status = EXIT_FAILURE;

    if (store_reader_open(folder, &reader, &problem) != SG_OK) {
        fprintf(stderr, "signet journal: %s\n", problem);
        mem_free(problem);
        return status;
    }
    store_identity(journal->view, journal->rrclass, &journal->apex, &identity);
    enum sg_result result = store_reader_find(reader, buffer_span(&identity), &zone);
    if (result == SG_OK) {
        status = print_all(journal, reader, zone);
    } else if (result == SG_NOT_FOUND) {
        fprintf(stderr, "signet journal: the store has no zone '%s' in view '%s'\n", journal->zone,
                journal->view);
    } else {
        fprintf(stderr, "signet journal: reading failed: %s\n", sg_result_text(result));
    }
    buffer_free(&identity);
    store_reader_close(reader);
    return status;
}

int tool_journal(int argc, char **argv)
{
    struct journal journal = {.conf_path = SIGNET_SYSCONFDIR "/signet.conf"};

    if (!take_options(&journal, argc, argv) || !take_names(&journal)) {
        return EXIT_FAILURE;
    }
    char *folder = store_folder_of("journal", journal.conf_path, journal.store);
    if (folder == NULL) {
        return EXIT_FAILURE;
    }
    int status = run(&journal, folder);
    mem_free(folder);
    return status;
}
