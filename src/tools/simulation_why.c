#include "tools/simulation_why.h"

#include "base/buffer.h"
#include "base/mem.h"

enum { TERMS_MAX = 4 };

/* A wait: what it is the sum of. */
struct sum {
    struct {
        const char *name;
        sg_duration duration;
    } terms[TERMS_MAX];
    size_t count;
};

char *simulation_duration(sg_duration duration)
{
    static const struct {
        char letter;
        sg_duration seconds;
    } units[] = {{'d', SG_DAY}, {'h', SG_HOUR}, {'m', SG_MINUTE}, {'s', 1}};
    struct buffer text = BUFFER_EMPTY;
    sg_duration left = duration < 0 ? 0 : duration;
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (left >= units[i].seconds) {
            buffer_format(&text, "%lld%c", (long long)(left / units[i].seconds), units[i].letter);
            left %= units[i].seconds;
        }
    }
    char *copy = mem_copy_text(text.length == 0 ? "0s" : buffer_text(&text));
    buffer_free(&text);
    return copy;
}

/* ---- a wait that is over ---- */

static void add(struct sum *sum, const char *name, sg_duration duration)
{
    ASSERT(sum->count < TERMS_MAX);
    sum->terms[sum->count].name = name;
    sum->terms[sum->count++].duration = duration;
}

static sg_duration total(const struct sum *sum)
{
    sg_duration whole = 0;
    for (size_t i = 0; i < sum->count; i++) {
        whole += sum->terms[i].duration;
    }
    return whole;
}

/* The shortest wait of the record; the caller says whether another key is involved. */
static struct sum wait_of(const struct kasp_policy *policy, uint32_t key_ttl,
                          enum key_record record, bool comes, bool changes_hands)
{
    struct sum sum = {.count = 0};
    switch (record) {
    case KEY_RECORD_ZRRSIG:
        add(&sum, policy->max_zone_ttl != 0 ? "max-zone-ttl" : "no max-zone-ttl: a week",
            policy->max_zone_ttl != 0 ? policy->max_zone_ttl : SG_WEEK);
        add(&sum, "zone-propagation-delay", policy->zone_propagation_delay);
        if (changes_hands) {
            add(&sum, "Dsgn", policy->signatures_validity - policy->signatures_refresh);
            add(&sum, "retire-safety", policy->retire_safety);
        }
        break;
    case KEY_RECORD_DS:
        add(&sum, "parent-ds-ttl", policy->parent_ds_ttl);
        add(&sum, "parent-propagation-delay", policy->parent_propagation_delay);
        if (changes_hands) {
            add(&sum, "retire-safety", policy->retire_safety);
        }
        break;
    default:
        add(&sum, key_ttl > policy->dnskey_ttl ? "dnskey-ttl as published" : "dnskey-ttl",
            key_ttl > policy->dnskey_ttl ? key_ttl : policy->dnskey_ttl);
        add(&sum, "zone-propagation-delay", policy->zone_propagation_delay);
        if (comes) {
            add(&sum, "publish-safety", policy->publish_safety);
        }
        break;
    }
    return sum;
}

static const char *name_of_wait(enum key_record record, bool comes, bool changes_hands)
{
    if (record == KEY_RECORD_DS) {
        return "DprpP + TTLds, RFC 7583 3.3.1";
    }
    if (record == KEY_RECORD_ZRRSIG) {
        return changes_hands ? "Iret, RFC 7583 3.2.1" : "Dprp + TTLsig, RFC 7583 3.2.1";
    }
    return comes ? "Ipub, RFC 7583 3.2.1" : "Dprp + TTLkey, RFC 7583 3.2.1";
}

static void append_duration(struct buffer *text, sg_duration duration)
{
    char *words = simulation_duration(duration);
    buffer_append_text(text, words);
    mem_free(words);
}

static char *sum_text(const struct sum *sum, enum key_record record, bool comes, bool changes_hands)
{
    struct buffer text = BUFFER_EMPTY;
    append_duration(&text, total(sum));
    buffer_append_text(&text, record == KEY_RECORD_DS ? " after the parent was seen to act = "
                                                      : " after it began = ");
    for (size_t i = 0; i < sum->count; i++) {
        buffer_format(&text, "%s%s ", i == 0 ? "" : " + ", sum->terms[i].name);
        append_duration(&text, sum->terms[i].duration);
    }
    buffer_format(&text, " (%s)", name_of_wait(record, comes, changes_hands));
    char *copy = mem_copy_text(buffer_text(&text));
    buffer_free(&text);
    return copy;
}

/* The sum of terms that comes out to the second, else what stood in the way, else how long it was.
 */
static char *why_settled(const struct simulation *simulation, const struct simulation_key *key,
                         const struct kasp_key_plan *planned, enum key_record record, sg_time now)
{
    enum key_state_value target = planned->state.records[record];
    bool comes = target == KEY_STATE_OMNIPRESENT;
    sg_time since = key->key->state.changes[record];
    if (record == KEY_RECORD_DS) {
        since = planned->times[comes ? KEY_DS_PUBLISH : KEY_DS_REMOVED];
    }
    for (int hands = 0; hands <= 1; hands++) {
        struct sum sum =
            wait_of(simulation->request.policy, key->key->ttl, record, comes, hands == 1);
        if (since + total(&sum) == now) {
            return sum_text(&sum, record, comes, hands == 1);
        }
    }
    char *elapsed = simulation_duration(now - since);
    char *why;
    if (key->wait.reason == KASP_WAIT_RULE && key->wait.record == record &&
        key->wait.target == target) {
        char wait[KASP_WAIT_TEXT_BYTES];
        kasp_wait_text(&key->wait, wait);
        why = mem_format("until now %s", wait);
    } else {
        why = mem_format("%s after it began", elapsed);
    }
    mem_free(elapsed);
    return why;
}

/* ---- a move that waits for nothing ---- */

static char *why_published(const struct simulation_key *key, const struct kasp_key_plan *planned)
{
    if (key->key->state.records[KEY_RECORD_DNSKEY] == KEY_STATE_UNRETENTIVE) {
        return mem_copy_text("it is wanted again");
    }
    if (planned->state.has_predecessor) {
        return mem_format("caches are to know it before it follows key %u (Ipub, RFC 7583 3.2.1)",
                          planned->state.predecessor);
    }
    return mem_copy_text("the policy asks for such a key and has none");
}

static char *why_introduced(const struct simulation_key *key, const struct kasp_key_plan *planned,
                            enum key_record record)
{
    switch (record) {
    case KEY_RECORD_DNSKEY:
        return why_published(key, planned);
    case KEY_RECORD_KRRSIG:
        return mem_copy_text("it signs the DNSKEY RRset that it is in");
    case KEY_RECORD_ZRRSIG:
        if (planned->state.records[KEY_RECORD_DNSKEY] == KEY_STATE_OMNIPRESENT) {
            return mem_copy_text("every cache has its DNSKEY: it signs from now on "
                                 "(pre-publication, RFC 7583 3.2.1)");
        }
        return mem_copy_text("nothing else signs with its algorithm, which signs all of the zone "
                             "or nothing (RFC 6840 5.11)");
    default:
        return mem_copy_text("every cache has its DNSKEY and signatures: CDS and CDNSKEY ask the "
                             "parent for its DS (RFC 7344, RFC 7583 3.3.1)");
    }
}

static char *why_withdrawn(const struct simulation *simulation, const struct kasp_key_plan *planned,
                           enum key_record record)
{
    const struct kasp_policy *policy = simulation->request.policy;
    switch (record) {
    case KEY_RECORD_DNSKEY:
        return mem_copy_text("no cache needs it any more (Iret is over, RFC 7583)");
    case KEY_RECORD_KRRSIG:
        return mem_copy_text("it leaves the DNSKEY RRset");
    case KEY_RECORD_ZRRSIG:
        if (policy->insecure) {
            return mem_copy_text("the zone goes insecure: no cache has a DS any more");
        }
        if (!planned->state.has_successor) {
            return mem_copy_text("the policy wants it no more, and other keys sign");
        }
        return mem_format("key %u signs; what this one has signed is signed anew as it falls due, "
                          "within Dsgn",
                          planned->state.successor);
    default:
        return mem_copy_text(policy->insecure
                                 ? "the zone goes insecure: the parent is to remove its DS first "
                                   "(RFC 8078 4)"
                                 : "the DS of the key that follows is asked for in its place");
    }
}

char *simulation_why_moved(const struct simulation *simulation, const struct simulation_key *key,
                           const struct kasp_key_plan *planned, enum key_record record, sg_time now)
{
    switch (planned->state.records[record]) {
    case KEY_STATE_RUMOURED:
        if (key->key->state.records[record] == KEY_STATE_OMNIPRESENT) {
            return mem_copy_text("the parent was seen to have turned back");
        }
        return why_introduced(key, planned, record);
    case KEY_STATE_UNRETENTIVE:
        if (key->key->state.records[record] == KEY_STATE_HIDDEN) {
            return mem_copy_text(
                key->facts.ds == KASP_DS_UNKNOWN
                    ? "the key is to leave, and nobody knows whether the parent has its DS: it "
                      "stays until that is known (`dnssec -checkds withdrawn`)"
                    : "the parent was seen to have turned back");
        }
        return why_withdrawn(simulation, planned, record);
    default:
        return why_settled(simulation, key, planned, record, now);
    }
}

char *simulation_why_made(const struct simulation *simulation, const struct kasp_make *make,
                          const struct signing_key *predecessor)
{
    static const char *const roles[] = {"", "ksk", "zsk", "csk"};
    const struct kasp_key *entry = &simulation->request.policy->keys[make->entry];
    if (predecessor == NULL) {
        return mem_format("no key serves %s %s of the policy", roles[entry->role],
                          dnssec_algorithm_text(entry->algorithm));
    }
    char ends[TIME_HUMAN_BYTES];
    time_to_http(predecessor->times[KEY_INACTIVE], ends);
    return mem_format("key %u is to be used until %s, and its successor is due Ipub before that "
                      "(RFC 7583 3.2.1)",
                      predecessor->tag, ends);
}
