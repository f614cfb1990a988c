#include "server/update_questions.h"

#include <string.h>

#include "base/mem.h"
#include "dns/rrtype.h"
#include "dnssec/key.h"
#include "dnssec/sig0.h"
#include "server/update_policy.h"
#include "zone/update_wishes.h"

enum {
    PROTOCOL_VERSION = 1,
    REQUEST_HEADER_BYTES = 8,
    QUESTIONS_ROOM_FIRST = 4,
    NEIGHBOURS_MAX = 8, /* records of a name stand together: looked at for the same question */
};

/* ---- who asks ---- */

/* BIND tells a TSIG key by its name, its number of the algorithm and a tag as of a DNSKEY. */
static char *tsig_key_text(const struct tsig_key *key, const char *name)
{
    static const uint8_t numbers[TSIG_ALGORITHMS] = {
        [TSIG_HMAC_MD5] = 157,    [TSIG_HMAC_SHA1] = 161,   [TSIG_HMAC_SHA224] = 162,
        [TSIG_HMAC_SHA256] = 163, [TSIG_HMAC_SHA384] = 164, [TSIG_HMAC_SHA512] = 165,
    };
    uint8_t rdata[4 + TSIG_SECRET_BYTES_MAX] = {0x02, 0x00, 3, numbers[key->algorithm]};
    memcpy(rdata + 4, key->secret, key->secret_length);
    uint16_t tag = dnskey_tag((struct span){rdata, 4 + (size_t)key->secret_length});
    mem_wipe(rdata, sizeof(rdata));
    return mem_format("%s/%u/%u", name, (unsigned)numbers[key->algorithm], (unsigned)tag);
}

static char *sig0_key_text(const struct dns_message *message, const char *name)
{
    struct sig0 sig0;
    if (sig0_parse(message, &sig0) != SG_OK) {
        return mem_copy_text("");
    }
    return mem_format("%s/%u/%u", name, (unsigned)sig0.algorithm, (unsigned)sig0.key_tag);
}

static void note_who_asks(struct update_questions *questions, const struct request *request)
{
    char name[DNS_NAME_TEXT_BYTES];
    char address[NET_ADDRESS_TEXT_BYTES];
    questions->client = mem_copy_text(net_address_host_text(request->net->client, address));
    if (request->key == NULL) {
        questions->signer = mem_copy_text("");
        questions->key = mem_copy_text("");
        return;
    }
    questions->signer = mem_copy_text(dns_name_to_text_short(&request->key->name, name));
    questions->key = request->key->secret_length > 0 ? tsig_key_text(request->key, name)
                                                     : sig0_key_text(request->message, name);
}

/* ---- questions ---- */

static bool is_about(const struct update_question *question, const char *socket,
                     const struct zone_update_wish *wish)
{
    return question->type == wish->type && dns_name_equal(&question->owner, wish->owner) &&
           strcmp(question->socket, socket) == 0;
}

static void make_room(struct update_questions *questions)
{
    if (questions->count < questions->room) {
        return;
    }
    questions->room = questions->count == 0 ? QUESTIONS_ROOM_FIRST : 2 * questions->count;
    struct update_question *items = mem_alloc_zero(questions->room, sizeof(*items));
    if (questions->count > 0) {
        memcpy(items, questions->items, questions->count * sizeof(*items));
    }
    mem_free(questions->items);
    questions->items = items;
}

static void note_question(struct update_questions *questions, const char *socket,
                          const struct zone_update_wish *wish)
{
    size_t count = questions->count;
    for (size_t i = count; i > 0 && count - i < NEIGHBOURS_MAX; i--) {
        if (is_about(&questions->items[i - 1], socket, wish)) {
            return;
        }
    }
    if (count == UPDATE_QUESTIONS_MAX) {
        questions->too_many = true;
        return;
    }
    make_room(questions);
    questions->items[questions->count++] = (struct update_question){
        .socket = mem_copy_text(socket),
        .owner = *wish->owner,
        .type = wish->type,
    };
}

enum update_verdict update_questions_verdict(struct update_questions *questions, const char *socket,
                                             const struct zone_update_wish *wish)
{
    if (questions == NULL) {
        return UPDATE_VERDICT_NONE;
    }
    if (questions->gathering) {
        note_question(questions, socket, wish);
        return UPDATE_VERDICT_NO; /* The rules behind it may have questions, too. */
    }
    for (size_t i = 0; i < questions->count; i++) {
        if (is_about(&questions->items[i], socket, wish)) {
            return questions->items[i].verdict;
        }
    }
    return UPDATE_VERDICT_NONE;
}

struct gathering {
    const struct conf_update_policy *policy;
    const struct dns_name *apex;
    struct update_requester requester; /* who has the questions that are being gathered */
};

static void hear_wish(void *argument, const struct zone_update_wish *wish)
{
    const struct gathering *gathering = argument;
    uint16_t records_max;
    if (!gathering->requester.questions->too_many) {
        (void)update_policy_allows(gathering->policy, &gathering->requester, gathering->apex, wish,
                                   &records_max);
    }
}

struct update_questions *update_questions_gather(const struct request *request,
                                                 const struct zone_slot *slot,
                                                 const struct conf_update_policy *policy,
                                                 const struct update_requester *requester)
{
    if (policy == NULL || !policy->external) {
        return NULL;
    }
    struct update_questions *questions = mem_alloc_zero(1, sizeof(*questions));
    struct gathering gathering = {policy, &slot->apex, *requester};
    gathering.requester.questions = questions;
    note_who_asks(questions, request);
    questions->gathering = true;
    zone_update_wishes(zone_slot_version(slot), &slot->apex, request->message, hear_wish,
                       &gathering);
    questions->gathering = false;
    return questions;
}

void update_questions_free(struct update_questions *questions)
{
    if (questions == NULL) {
        return;
    }
    for (size_t i = 0; i < questions->count; i++) {
        mem_free(questions->items[i].socket);
    }
    mem_free(questions->items);
    mem_free(questions->signer);
    mem_free(questions->key);
    mem_free(questions->client);
    mem_free(questions);
}

size_t update_questions_bytes(const struct update_questions *questions)
{
    return questions == NULL ? 0 : questions->room * sizeof(*questions->items);
}

/* ---- the protocol ---- */

static void append_string(struct buffer *request, const char *text)
{
    buffer_append(request, text, strlen(text) + 1);
}

void update_questions_request(const struct update_questions *questions, size_t at,
                              struct buffer *out_request)
{
    const struct update_question *question = &questions->items[at];
    char owner[DNS_NAME_TEXT_BYTES];
    char type[DNS_TYPE_TEXT_BYTES];
    struct buffer texts = BUFFER_EMPTY;

    append_string(&texts, questions->signer);
    append_string(&texts, dns_name_to_text_short(&question->owner, owner));
    append_string(&texts, questions->client);
    append_string(&texts, dns_type_to_text(question->type, type));
    append_string(&texts, questions->key);
    buffer_append_u32(&texts, 0); /* no TKEY token */
    buffer_append_u32(out_request, PROTOCOL_VERSION);
    buffer_append_u32(out_request, (uint32_t)(REQUEST_HEADER_BYTES + texts.length));
    buffer_append(out_request, texts.bytes, texts.length);
    buffer_free(&texts);
}

enum update_verdict update_questions_read(const uint8_t answer[UPDATE_VERDICT_BYTES])
{
    switch (wire_get_u32(answer)) {
    case 0:
        return UPDATE_VERDICT_NO;
    case 1:
        return UPDATE_VERDICT_YES;
    default:
        return UPDATE_VERDICT_NONE;
    }
}
