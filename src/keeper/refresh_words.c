#include "keeper/refresh_words.h"

#include "base/mem.h"
#include "dns/rrtype.h"
#include "keeper/remote_text.h"

/* Of an rcode: what the other side has to look at. */
static const char *advice_for_rcode(const struct refresh_failure *failure)
{
    switch (failure->rcode) {
    case DNS_RCODE_REFUSED:
        if (failure->transfer) {
            return "it must permit transfers to this address or key (allow-transfer, provide-xfr "
                   "or an acl there)";
        }
        return "does it serve the zone, and permit queries from this address or with this key?";
    case DNS_RCODE_NOTAUTH:
        if (failure->transfer) { /* Knot's word for whom its acl does not let in */
            return "it does not serve the zone, or must permit transfers to this address or key";
        }
        return failure->key == NULL ? "it does not serve the zone, or wants a TSIG key"
                                    : "it does not serve the zone, or does not know the key";
    case DNS_RCODE_NXDOMAIN:
        return "it does not serve the zone";
    case DNS_RCODE_SERVFAIL:
        return "it could not load the zone, or it has expired there: see its log";
    case DNS_RCODE_FORMERR:
    case DNS_RCODE_NOTIMP:
        return failure->transfer ? "it does not do such transfers" : "it did not understand";
    default:
        return "see its log";
    }
}

static char *text_of_rcode(const struct refresh_failure *failure, const char *key)
{
    const char *advice = advice_for_rcode(failure);

    if (failure->rcode > DNS_RCODE_NOTZONE) {
        return mem_format("rcode %u by %s%s: %s", failure->rcode, failure->from, key, advice);
    }
    return mem_format("%s by %s%s: %s", dns_rcode_to_text(failure->rcode), failure->from, key,
                      advice);
}

/* A whole reply with NOERROR. */
static char *flaw_of(const struct refresh_failure *failure)
{
    if (failure->truncated) {
        return mem_copy_text("is truncated, over TCP too");
    }
    if (!failure->authoritative) {
        return mem_copy_text(
            "is not authoritative: it does not serve the zone, or it has expired there");
    }
    if (failure->has_soa) {
        return mem_format("has serial %u, which is older than ours, %u: raise it there, or take it "
                          "as it is by `retransfer`",
                          failure->serial, failure->ours);
    }
    return mem_copy_text("has no SOA of the zone, or more than one: it does not serve the zone");
}

/* No reply that counts. */
static const char *text_of_result(enum sg_result result)
{
    switch (result) {
    case SG_MALFORMED:
        return "what it sent is malformed, or another serial than it promised";
    case SG_LIMIT:
        return "the zone is larger, or a name of it is, than max-records, max-records-per-type, "
               "max-types-per-name or the limits of transfers permit";
    case SG_CONFLICT:
        return "the differences that it sent do not fit the zone";
    default:
        return remote_failure_text(result);
    }
}

/* A transfer that began well and was not brought to its end. NULL: that is not it. */
static char *text_of_cut(const struct refresh_failure *failure)
{
    const char *count = failure->records == 1 ? "record" : "records";
    if (failure->records == 0) {
        return NULL;
    }
    if (failure->result == SG_IO) {
        return mem_format("it closed the connection in the midst of the transfer, after %llu %s: "
                          "see its log",
                          (unsigned long long)failure->records, count);
    }
    if (failure->result == SG_TIMEOUT) {
        return mem_format("the transfer stopped after %llu %s, or it comes too slowly for "
                          "min-transfer-rate-in, max-transfer-idle-in or max-transfer-time-in",
                          (unsigned long long)failure->records, count);
    }
    return NULL;
}

char *refresh_failure_text(const struct refresh_failure *failure)
{
    char *key =
        failure->key == NULL ? mem_copy_text("") : mem_format(", TSIG key '%s'", failure->key);
    bool is_rcode = failure->result == SG_UNSUPPORTED ||
                    (failure->result == SG_OK && failure->rcode != DNS_RCODE_NOERROR);
    char *text;

    if (is_rcode) {
        text = text_of_rcode(failure, key);
    } else if (failure->result == SG_OK) {
        char *flaw = flaw_of(failure);
        text = mem_format("the answer of %s%s %s", failure->from, key, flaw);
        mem_free(flaw);
    } else {
        char *cut = text_of_cut(failure);
        text = mem_format("%s%s: %s", failure->from, key,
                          cut != NULL ? cut : text_of_result(failure->result));
        mem_free(cut);
    }
    mem_free(key);
    return text;
}
