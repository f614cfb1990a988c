/*
 * What the parsers of messages and of the configuration cost: nanoseconds, and under
 * bench/instructions, instructions. Zone files have bench_zonefile.
 *
 * usage: bench_parse [ZONES]    zones of the configuration, default 1000
 */
#include <string.h>

#include "base/assert.h"
#include "conf/conf.h"
#include "dns/message.h"
#include "measure.h"

enum { ZONES_DEFAULT = 1000, ZONES_MAX = 1000000, MESSAGES = 10000, ROUNDS = 20 };

#define QUESTION "\3www\7example\3org\0\0\1\0\1"

static const struct message {
    const char *what;
    const char *bytes;
    size_t length;
} messages[] = {
#define MESSAGE(what, counts, rest)                                                                \
    {                                                                                              \
        what, "\0\1\0\0" counts QUESTION rest, sizeof("\0\1\0\0" counts QUESTION rest) - 1         \
    }
    MESSAGE("query", "\0\1\0\0\0\0\0\0", ""),
    MESSAGE("query, EDNS", "\0\1\0\0\0\0\0\1", "\0\0\51\4\320\0\0\200\0\0\0"),
    MESSAGE("query, EDNS with a cookie", "\0\1\0\0\0\0\0\1",
            "\0\0\51\4\320\0\0\200\0\0\14\0\12\0\10abcdefgh"),
    MESSAGE("IXFR request with a SOA", "\0\1\0\0\0\1\0\0",
            "\300\14\0\6\0\1\0\0\0\0\0\30\300\14\300\14\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"),
#undef MESSAGE
};

static void parse_messages(void *argument)
{
    const struct message *message = argument;
    struct span wire = {(const uint8_t *)message->bytes, message->length};
    for (int i = 0; i < MESSAGES; i++) {
        struct dns_message parsed;
        enum sg_result result = dns_message_parse(wire, &parsed);
        ASSERT(result == SG_OK);
    }
}

static void load_configuration(void *argument)
{
    const struct buffer *text = argument;
    struct conf_report report = {0};
    struct conf *conf = NULL;
    enum sg_result result = conf_load_text("bench", buffer_span(text), &conf, &report);
    ASSERT(result == SG_OK);
    conf_report_clear(&report);
    conf_free(conf);
}

static void measure_configuration(size_t zones)
{
    struct buffer text = BUFFER_EMPTY;
    buffer_append_text(&text, "acl peers { 192.0.2.0/24; 2001:db8::/32; };\n"
                              "options { allow-transfer { peers; }; };\n");
    for (size_t i = 0; i < zones; i++) {
        buffer_format(&text,
                      "zone \"zone-%zu.example.org\" {\n\ttype primary;\n\tfile \"zone-%zu\";\n"
                      "\talso-notify { 192.0.2.%zu; };\n};\n",
                      i, i, i % 256);
    }
    measure_and_tell(&(struct measured){.what = "configuration, a zone statement",
                                        .operations = zones,
                                        .rounds = ROUNDS,
                                        .work = load_configuration,
                                        .argument = &text});
    buffer_free(&text);
}

int main(int argc, char **argv)
{
    char *end = NULL;
    size_t zones = argc > 1 ? strtoul(argv[1], &end, 10) : ZONES_DEFAULT;
    if (zones == 0 || zones > ZONES_MAX || (end != NULL && *end != 0)) {
        fprintf(stderr, "usage: bench_parse [ZONES]\n");
        return 1;
    }
    for (size_t i = 0; i < ARRAY_LEN(messages); i++) {
        struct message message = messages[i];
        measure_and_tell(&(struct measured){.what = message.what,
                                            .operations = MESSAGES,
                                            .rounds = ROUNDS,
                                            .work = parse_messages,
                                            .argument = &message});
    }
    measure_configuration(zones);
    return 0;
}
