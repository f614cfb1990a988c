#include "dns/text_format.h"

#include "base/assert.h"
#include "dns/rrtype.h"

/* clang-format off */
static const char *const formats[] = {
    [DNS_TYPE_A]          = "a",
    [DNS_TYPE_NS]         = "n",
    [DNS_TYPE_MD]         = "n",
    [DNS_TYPE_MF]         = "n",
    [DNS_TYPE_CNAME]      = "n",
    [DNS_TYPE_SOA]        = "nn4dddd",
    [DNS_TYPE_MB]         = "n",
    [DNS_TYPE_MG]         = "n",
    [DNS_TYPE_MR]         = "n",
    [DNS_TYPE_WKS]        = "aw",
    [DNS_TYPE_PTR]        = "n",
    [DNS_TYPE_HINFO]      = "ss",
    [DNS_TYPE_MINFO]      = "nn",
    [DNS_TYPE_MX]         = "2n",
    [DNS_TYPE_TXT]        = "t",
    [DNS_TYPE_RP]         = "nn",
    [DNS_TYPE_AFSDB]      = "2n",
    [19 /* X25 */]        = "s",
    [20 /* ISDN */]       = "t",
    [DNS_TYPE_RT]         = "2n",
    [22 /* NSAP */]       = "N",
    [23 /* NSAP-PTR */]   = "n",
    [DNS_TYPE_SIG]        = "yg1dTT2nb",
    [DNS_TYPE_KEY]        = "21gB",
    [DNS_TYPE_PX]         = "2nn",
    [27 /* GPOS */]       = "sss",
    [DNS_TYPE_AAAA]       = "A",
    [DNS_TYPE_LOC]        = "l",
    [31 /* EID */]        = "h",
    [32 /* NIMLOC */]     = "h",
    [DNS_TYPE_SRV]        = "222n",
    [DNS_TYPE_NAPTR]      = "22sssn",
    [DNS_TYPE_KX]         = "2n",
    [DNS_TYPE_CERT]       = "k2gb",
    [DNS_TYPE_DNAME]      = "n",
    [DNS_TYPE_APL]        = "Z",
    [DNS_TYPE_DS]         = "2gih",
    [DNS_TYPE_SSHFP]      = "11h",
    [45 /* IPSECKEY */]   = "111Gb",
    [DNS_TYPE_RRSIG]      = "yg1dTT2nb",
    [DNS_TYPE_NSEC]       = "nm",
    [DNS_TYPE_DNSKEY]     = "21gb",
    [49 /* DHCID */]      = "b",
    [DNS_TYPE_NSEC3]      = "112SHm",
    [DNS_TYPE_NSEC3PARAM] = "112S",
    [DNS_TYPE_TLSA]       = "111h",
    [53 /* SMIMEA */]     = "111h",
    [55 /* HIP */]        = "I",
    [56 /* NINFO */]      = "t",
    [57 /* RKEY */]       = "21gb",
    [58 /* TALINK */]     = "nn",
    [DNS_TYPE_CDS]        = "2gih",
    [DNS_TYPE_CDNSKEY]    = "21gb",
    [DNS_TYPE_OPENPGPKEY] = "b",
    [DNS_TYPE_CSYNC]      = "42m",
    [DNS_TYPE_ZONEMD]     = "411h",
    [DNS_TYPE_SVCB]       = "2nP",
    [DNS_TYPE_HTTPS]      = "2nP",
    [DNS_TYPE_SPF]        = "t",
    [104 /* NID */]       = "2L",
    [105 /* L32 */]       = "2a",
    [106 /* L64 */]       = "2L",
    [107 /* LP */]        = "2n",
    [108 /* EUI48 */]     = "6",
    [109 /* EUI64 */]     = "8",
    [256 /* URI */]       = "22u",
    [DNS_TYPE_CAA]        = "1cu",
    [258 /* AVC */]       = "t",
    [260 /* AMTRELAY */]  = "1R",
    [261 /* RESINFO */]   = "t",
    [262 /* WALLET */]    = "t",
};
/* clang-format on */

const char *text_format_of(uint16_t type)
{
    if (type == 32768 || type == 32769) { /* TA, DLV */
        return formats[DNS_TYPE_DS];
    }
    return type < ARRAY_LEN(formats) ? formats[type] : NULL;
}
