#include "answer/referral.h"

#include "answer/additional.h"
#include "answer/denial.h"

void referral_add(struct answer_builder *builder)
{
    const struct zone_node *cut = &builder->match.cut;
    struct answer *answer = builder->answer;
    struct answer_owner owner = owner_of_node(cut);

    /* A chain that ends at a delegation keeps AA, which speaks for its first name (RFC 6604 2). */
    builder->authority = false;
    if (answer->count == 0) {
        answer->authoritative = false;
        answer->kind = ANSWER_REFERRAL;
    }
    struct answer_item *ns =
        builder_add(builder, ANSWER_SECTION_AUTHORITY, &owner, cut, DNS_TYPE_NS);
    if (ns == NULL) {
        return;
    }
    /* The delegation's NS are not authoritative here: whatever was put beside them is no
     * signature of ours (RFC 4035 2.2). */
    ns->signatures.packed = NULL;
    struct dns_rrset servers = ns->rrset;
    if (builder->dnssec &&
        builder_add(builder, ANSWER_SECTION_AUTHORITY, &owner, cut, DNS_TYPE_DS) == NULL) {
        denial_of_ds(builder);
    }
    additional_add_glue(builder, &servers);
}
