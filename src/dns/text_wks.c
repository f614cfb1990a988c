#include "dns/text_wks.h"

#include <string.h>
#include <strings.h>

enum { PORT_MAX = 65535, PROTOCOL_MAX = 255, BITMAP_BYTES_MAX = (PORT_MAX + 1) / 8 };

struct number_name {
    const char *text;
    uint16_t number;
};

static const struct number_name protocols[] = {
    {"icmp", 1},
    {"tcp", 6},
    {"udp", 17},
    {NULL, 0},
};

/* What RFC 1010 and its successors call the services that such records speak of. */
static const struct number_name services_known[] = {
    {"echo", 7},   {"discard", 9}, {"daytime", 13}, {"ftp-data", 20}, {"ftp", 21},
    {"ssh", 22},   {"telnet", 23}, {"smtp", 25},    {"time", 37},     {"domain", 53},
    {"tftp", 69},  {"gopher", 70}, {"finger", 79},  {"http", 80},     {"kerberos", 88},
    {"pop3", 110}, {"auth", 113},  {"nntp", 119},   {"ntp", 123},     {"imap2", 143},
    {"snmp", 161}, {"irc", 194},   {"https", 443},  {NULL, 0},
};

static uint16_t number_or_name(struct text_words *words, const struct number_name *names,
                               uint32_t max)
{
    struct text_word word = text_words_next(words);

    for (; names->text != NULL; names++) {
        if (strlen(names->text) == word.length &&
            strncasecmp(names->text, word.text, word.length) == 0) {
            return names->number;
        }
    }
    return (uint16_t)text_word_number(words, word, max);
}

void text_wks_read(struct text_words *words, struct buffer *out_rdata)
{
    uint8_t bitmap[BITMAP_BYTES_MAX] = {0};
    size_t used = 0;

    buffer_append_u8(out_rdata, (uint8_t)number_or_name(words, protocols, PROTOCOL_MAX));
    while (text_words_more(words)) { /* Ends: each turn takes a word, an error takes all. */
        unsigned port = number_or_name(words, services_known, PORT_MAX);
        bitmap[port / 8] |= (uint8_t)(0x80u >> port % 8);
        used = port / 8 + 1 > used ? port / 8 + 1 : used;
    }
    buffer_append(out_rdata, bitmap, used);
}

void text_wks_write(struct span services, struct buffer *out_text)
{
    buffer_format(out_text, "%u", (unsigned)services.bytes[0]);
    for (size_t port = 0; port < (services.length - 1) * 8; port++) {
        if ((services.bytes[1 + port / 8] & 0x80u >> port % 8) != 0) {
            buffer_format(out_text, " %zu", port);
        }
    }
}
