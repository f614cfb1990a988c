#include "tools/dsfromkey.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/encoding.h"
#include "base/mem.h"
#include "dnssec/keystore.h"

enum { DIGESTS_MAX = 8, DS_FIXED_BYTES = 4 };

struct dsfromkey {
    const char *folder; /* NULL: the files are given as paths */
    uint8_t digests[DIGESTS_MAX];
    size_t digests_count;
    bool cds;
    const char *ttl; /* NULL: none is printed */
};

static const struct {
    const char *text;
    uint8_t type;
} digest_names[] = {
    {"SHA-1", 1}, {"SHA1", 1},    {"1", 1},      {"SHA-256", 2}, {"SHA256", 2},
    {"2", 2},     {"SHA-384", 4}, {"SHA384", 4}, {"4", 4},
};

static const char usage[] = "usage: signet dsfromkey [options] KEYFILE...\n"
                            "  -1           digest SHA-1\n"
                            "  -2           digest SHA-256 (default)\n"
                            "  -a DIGEST    SHA-1, SHA-256 or SHA-384; may be given several times\n"
                            "  -C           CDS records instead of DS\n"
                            "  -K FOLDER    where the key files are\n"
                            "  -T TTL       print this TTL\n";

static void report(void *argument, const char *path, const char *problem)
{
    (void)argument;
    fprintf(stderr, "signet dsfromkey: %s: %s\n", path, problem);
}

static bool add_digest(struct dsfromkey *d, const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(digest_names); i++) {
        if (strcasecmp(text, digest_names[i].text) == 0 && d->digests_count < DIGESTS_MAX) {
            d->digests[d->digests_count++] = digest_names[i].type;
            return true;
        }
    }
    fprintf(stderr, "signet dsfromkey: unknown digest '%s'\n", text);
    return false;
}

static bool print_ds(const struct dsfromkey *d, const struct signing_key *key, uint8_t digest)
{
    struct buffer rdata = BUFFER_EMPTY;
    struct buffer hex = BUFFER_EMPTY;
    char owner[DNS_NAME_TEXT_BYTES];
    bool made = signing_key_ds(key, digest, &rdata) == SG_OK;
    if (made) {
        hex_encode((struct span){rdata.bytes + DS_FIXED_BYTES, rdata.length - DS_FIXED_BYTES},
                   &hex);
        printf("%s %s%sIN %s %u %u %u %s\n", dns_name_to_text(&key->zone, owner),
               d->ttl != NULL ? d->ttl : "", d->ttl != NULL ? " " : "", d->cds ? "CDS" : "DS",
               key->tag, key->algorithm, digest, buffer_text(&hex));
    }
    buffer_free(&hex);
    buffer_free(&rdata);
    return made;
}

static int print_key(const struct dsfromkey *d, const char *file)
{
    struct signing_key *key;
    char *path = d->folder != NULL && strchr(file, '/') == NULL
                     ? mem_format("%s/%s", d->folder, file)
                     : mem_copy_text(file);
    enum sg_result result = keystore_read_public(path, report, NULL, &key);
    mem_free(path);
    if (result != SG_OK) {
        fprintf(stderr, "signet dsfromkey: can't load %s: %s\n", file, sg_result_text(result));
        return EXIT_FAILURE;
    }
    int status = EXIT_SUCCESS;
    for (size_t i = 0; i < d->digests_count; i++) {
        if (!print_ds(d, key, d->digests[i])) {
            status = EXIT_FAILURE;
        }
    }
    signing_key_free(key);
    return status;
}

static bool is_ttl(const char *text)
{
    size_t digits = strspn(text, "0123456789");
    return digits > 0 && digits <= 10 && text[digits] == 0 && strtoul(text, NULL, 10) <= INT32_MAX;
}

static bool read_option(struct dsfromkey *d, int option)
{
    switch (option) {
    case '1':
        return add_digest(d, "SHA-1");
    case '2':
        return add_digest(d, "SHA-256");
    case 'a':
        return add_digest(d, optarg);
    case 'C':
        d->cds = true;
        return true;
    case 'K':
        d->folder = optarg;
        return true;
    case 'T':
        d->ttl = optarg;
        if (!is_ttl(optarg)) {
            fprintf(stderr, "signet dsfromkey: '%s' is not a TTL\n", optarg);
            return false;
        }
        return true;
    default:
        fputs(usage, stderr);
        return false;
    }
}

int tool_dsfromkey(int argc, char **argv)
{
    struct dsfromkey d = {0};
    optind = 1;
    for (int option; (option = getopt(argc, argv, "12a:CK:T:h")) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (!read_option(&d, option)) {
            return EXIT_FAILURE;
        }
    }
    if (optind == argc) {
        fputs(usage, stderr);
        return EXIT_FAILURE;
    }
    if (d.digests_count == 0) {
        add_digest(&d, "SHA-256");
    }
    int status = EXIT_SUCCESS;
    for (int i = optind; i < argc; i++) {
        if (print_key(&d, argv[i]) != EXIT_SUCCESS) {
            status = EXIT_FAILURE;
        }
    }
    return status;
}
