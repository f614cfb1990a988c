/*
 * Bytes as the answers that are to prove a DS. Nothing is read beyond them, the questions end, and
 * a chain is either proven or says why not.
 *
 * The first byte chooses whose key is the trust anchor: that of `t.`, or of the root. Then follow
 * the anchor's DNSKEY and the answers in the order of the questions, each behind its length in two
 * bytes.
 */
#include <stdint.h>
#include <string.h>

#include "base/assert.h"
#include "dns/rdata.h"
#include "dns/rrtype.h"
#include "dns/trust_chain.h"

enum { NOW = 1700000000 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static struct span next_part(struct reader *input)
{
    uint16_t size = reader_u16(input);
    return reader_span(input, size);
}

static void collect(struct trust_chain *chain, struct reader *input)
{
    const struct dns_name *name;
    uint16_t type;
    unsigned questions = 0;
    while (trust_chain_next(chain, &name, &type)) {
        struct dns_message message;
        struct span part = next_part(input);
        ASSERT(++questions <= 2 * TRUST_CHAIN_ZONES_MAX + 1);
        ASSERT(type == DNS_TYPE_DS || type == DNS_TYPE_DNSKEY);
        bool is_message = !input->failed && dns_message_parse(part, &message) == SG_OK;
        trust_chain_heard(chain, is_message ? SG_OK : SG_MALFORMED, &message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct reader input = reader_of((struct span){bytes, length});
    struct dns_name zone;
    struct trust_anchor anchor = {.type = DNS_TYPE_DNSKEY};
    const char *anchored = (reader_u8(&input) & 1) != 0 ? "." : "t.";
    anchor.rdata = next_part(&input);
    ASSERT(dns_name_from_text("e.t.", 4, NULL, &zone) == SG_OK);
    ASSERT(dns_name_from_text(anchored, strlen(anchored), NULL, &anchor.zone) == SG_OK);
    if (input.failed || dns_rdata_check(DNS_TYPE_DNSKEY, anchor.rdata) != SG_OK) {
        return 0;
    }
    const struct trust_anchors anchors = {&anchor, 1};
    struct trust_chain *chain = trust_chain_new(&zone, &anchors);
    collect(chain, &input);
    trust_chain_judge(chain, NOW);
    ASSERT(trust_chain_is_proven(chain) == (trust_chain_problem(chain) == NULL));
    ASSERT(trust_chain_is_proven(chain) || trust_chain_ttl(chain) == 0);
    trust_chain_free(chain);
    return 0;
}
