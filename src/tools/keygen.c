#include "tools/keygen.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "dnssec/keystore.h"
#include "tools/key_date.h"

struct keygen {
    const char *folder;
    const char *zone_text;
    uint8_t algorithm;
    unsigned bits;
    uint16_t flags;
    struct key_tag_set tags;
    struct signing_key metadata;
    bool given[KEY_TIMES]; /* on the command line, "none" included */
    bool without_dates;    /* -G */
    bool quiet;
    sg_time now;
};

static const char usage[] =
    "usage: signet keygen [options] ZONE\n"
    "  -a ALGORITHM   ECDSAP256SHA256 (default), ECDSAP384SHA384, ED25519, ED448,\n"
    "                 RSASHA256, RSASHA512, or a number\n"
    "  -b BITS        size of an RSA key (default 2048)\n"
    "  -f FLAG        KSK or REVOKE; may be given twice\n"
    "  -K FOLDER      where the files go (default: here)\n"
    "  -L TTL         TTL of the DNSKEY record in the .key file\n"
    "  -M MIN:MAX     key tags that the key may have\n"
    "  -P, -A, -R, -I, -D DATE   publish, activate, revoke, inactivate, delete\n"
    "  -P sync DATE, -D sync DATE   publish, delete CDS and CDNSKEY\n"
    "  -G             without dates of publication and activation\n"
    "  -q             quiet\n"
    "dates: YYYYMMDD[HHMMSS], now, +30d, none ...; see signet-keygen(8)\n";

static int fail(const char *format, const char *what)
{
    fprintf(stderr, "signet keygen: ");
    fprintf(stderr, format, what);
    fputc('\n', stderr);
    return EXIT_FAILURE;
}

static int read_date(struct keygen *k, enum key_time time, const char *text)
{
    if (key_date_parse(text, k->now, k->now, &k->metadata.times[time]) != SG_OK) {
        return fail("'%s' is not a date", text);
    }
    k->given[time] = true;
    return EXIT_SUCCESS;
}

/* -P and -D: "sync" makes them speak of CDS and CDNSKEY, and the date is the next argument. */
static int read_date_or_sync(struct keygen *k, enum key_time time, enum key_time sync, int argc,
                             char **argv)
{
    if (strcasecmp(optarg, "sync") != 0) {
        return read_date(k, time, optarg);
    }
    if (optind >= argc) {
        return fail("%s: a date is missing", optarg);
    }
    return read_date(k, sync, argv[optind++]);
}

static int read_number(const char *text, unsigned long max, unsigned long *out_number)
{
    char *end;
    if (*text < '0' || *text > '9') {
        return fail("'%s' is not a number", text);
    }
    *out_number = strtoul(text, &end, 10);
    if (*end != 0 || *out_number > max) {
        return fail("'%s' is not a number in range", text);
    }
    return EXIT_SUCCESS;
}

static int read_tags(struct keygen *k, const char *text)
{
    unsigned min, max;
    char end;
    if (sscanf(text, "%5u:%5u%c", &min, &max, &end) != 2 || min > max || max > UINT16_MAX) {
        return fail("'%s' is not a range of key tags", text);
    }
    k->tags.tag_min = (uint16_t)min;
    k->tags.tag_max = (uint16_t)max;
    return EXIT_SUCCESS;
}

static int read_flag(struct keygen *k, const char *text)
{
    if (strcasecmp(text, "KSK") == 0) {
        k->flags |= KEY_FLAG_SEP;
    } else if (strcasecmp(text, "REVOKE") == 0) {
        k->flags |= KEY_FLAG_REVOKE;
    } else if (strcasecmp(text, "ZSK") != 0) {
        return fail("unknown flag '%s'", text);
    }
    return EXIT_SUCCESS;
}

static int read_algorithm(struct keygen *k, const char *text)
{
    if (dnssec_algorithm_from_text(text, &k->algorithm) != SG_OK) {
        return fail("unsupported algorithm: %s", text);
    }
    if (!dnssec_algorithm_can_generate(k->algorithm)) {
        return fail("no new keys are made for algorithm %s (RFC 8624)", text);
    }
    return EXIT_SUCCESS;
}

static int read_option(struct keygen *k, int option, int argc, char **argv)
{
    unsigned long number = 0;
    int status = EXIT_SUCCESS;
    switch (option) {
    case 'a':
        return read_algorithm(k, optarg);
    case 'b':
        status = read_number(optarg, UINT16_MAX, &number);
        k->bits = (unsigned)number;
        return status;
    case 'f':
        return read_flag(k, optarg);
    case 'K':
        k->folder = optarg;
        return EXIT_SUCCESS;
    case 'L':
        status = read_number(optarg, INT32_MAX, &number);
        k->metadata.ttl = (uint32_t)number;
        return status;
    case 'M':
        return read_tags(k, optarg);
    case 'n':
        return strcasecmp(optarg, "ZONE") == 0 ? EXIT_SUCCESS
                                               : fail("only keys of type ZONE, not %s", optarg);
    case 'c':
        return strcasecmp(optarg, "IN") == 0 ? EXIT_SUCCESS : fail("only class IN, not %s", optarg);
    case 'P':
        return read_date_or_sync(k, KEY_PUBLISH, KEY_SYNC_PUBLISH, argc, argv);
    case 'D':
        return read_date_or_sync(k, KEY_DELETE, KEY_SYNC_DELETE, argc, argv);
    case 'A':
        return read_date(k, KEY_ACTIVATE, optarg);
    case 'R':
        return read_date(k, KEY_REVOKE, optarg);
    case 'I':
        return read_date(k, KEY_INACTIVE, optarg);
    case 'G':
        k->without_dates = true;
        return EXIT_SUCCESS;
    case 'q':
        k->quiet = true;
        return EXIT_SUCCESS;
    default:
        fputs(usage, stderr);
        return EXIT_FAILURE;
    }
}

static int settle_dates(struct keygen *k)
{
    sg_time *times = k->metadata.times;
    if (k->without_dates) {
        return k->given[KEY_PUBLISH] || k->given[KEY_ACTIVATE]
                   ? fail("%s", "cannot use -G together with -P or -A")
                   : EXIT_SUCCESS;
    }
    if (!k->given[KEY_PUBLISH]) {
        times[KEY_PUBLISH] = k->given[KEY_ACTIVATE] ? times[KEY_ACTIVATE] : k->now;
    }
    if (!k->given[KEY_ACTIVATE]) {
        times[KEY_ACTIVATE] = k->now;
    }
    return EXIT_SUCCESS;
}

static int make(struct keygen *k)
{
    struct dns_name zone;
    if (dns_name_from_text(k->zone_text, strlen(k->zone_text), NULL, &zone) != SG_OK) {
        return fail("'%s' is not a domain name", k->zone_text);
    }
    unsigned bits;
    if (dnssec_algorithm_bits(k->algorithm, k->bits, &bits) != SG_OK) {
        return fail("%s key size out of range", dnssec_algorithm_text(k->algorithm));
    }
    if (!k->quiet) {
        fprintf(stderr, "Generating key pair.\n");
    }
    struct signing_key *key;
    const struct key_request request = {
        .folder = k->folder,
        .zone = &zone,
        .algorithm = k->algorithm,
        .bits = k->bits,
        .flags = k->flags,
        .taken = &k->tags,
        .metadata = &k->metadata,
    };
    enum sg_result result = keystore_generate(&request, &key);
    if (result != SG_OK) {
        fprintf(stderr, "signet keygen: no key could be made in '%s': %s\n", k->folder,
                sg_result_text(result));
        return EXIT_FAILURE;
    }
    char *name = signing_key_file_name(key);
    printf("%s\n", name);
    mem_free(name);
    signing_key_free(key);
    return EXIT_SUCCESS;
}

int tool_keygen(int argc, char **argv)
{
    struct keygen k = {
        .folder = ".",
        .algorithm = DNSSEC_ECDSAP256SHA256,
        .flags = KEY_FLAG_ZONE,
        .tags = {NULL, 0, 0, UINT16_MAX},
        .now = time_now(),
    };
    signing_key_init(&k.metadata);
    k.metadata.times[KEY_CREATED] = k.now;

    optind = 1;
    for (int option; (option = getopt(argc, argv, "a:b:c:f:K:L:M:n:P:A:R:I:D:Gqh")) != -1;) {
        if (option == 'h') {
            fputs(usage, stdout);
            return EXIT_SUCCESS;
        }
        if (read_option(&k, option, argc, argv) != EXIT_SUCCESS) {
            return EXIT_FAILURE;
        }
    }
    if (optind != argc - 1) {
        fputs(usage, stderr);
        return EXIT_FAILURE;
    }
    k.zone_text = argv[optind];
    if (settle_dates(&k) != EXIT_SUCCESS) {
        return EXIT_FAILURE;
    }
    return make(&k);
}
