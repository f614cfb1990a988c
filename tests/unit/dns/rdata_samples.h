/*
 * One good rdata and more of each type, as text; shared by the tests of rdata and text. Names are
 * in mixed case where the canonical form matters.
 */
#pragma once

#include <stdint.h>

#define HEX10 "AABBCCDDEEFF00112233"
#define HEX20 HEX10 HEX10
#define HEX32 HEX20 HEX10 "4455"
#define HEX48 HEX20 HEX20 "AABBCCDDEEFF0011"

struct rdata_sample {
    const char *name;
    const char *text;
};

/* `name` is the type's mnemonic. */
static const struct rdata_sample rdata_samples[] = {
    {"A", "192.0.2.1"},
    {"NS", "Ns1.Example."},
    {"MD", "A.Example."},
    {"MF", "A.Example."},
    {"CNAME", "A.Example."},
    {"SOA", "Ns1.Example. Host\\.Master.Example. 2026010100 7200 3600 1209600 3600"},
    {"MB", "A.Example."},
    {"MG", "A.Example."},
    {"MR", "A.Example."},
    {"PTR", "A.Example."},
    {"HINFO", "\"PDP-11\" \"UNIX\""},
    {"MINFO", "A.Example. B.Example."},
    {"MX", "10 Mail.Example."},
    {"TXT", "\"some text\" \"and \\\"more\\\"\" \"\\200\""},
    {"RP", "A.Example. B.Example."},
    {"AFSDB", "1 A.Example."},
    {"X25", "\"311061700956\""},
    {"ISDN", "\"150862028003217\" \"004\""},
    {"RT", "10 A.Example."},
    {"NSAP", "0x47000580FFFF000000321099991111222233334444"},
    {"NSAP-PTR", "A.Example."},
    {"SIG", "A 13 2 300 20260101000000 20250101000000 12345 Example. AAAA"},
    {"KEY", "256 3 13 AAAA"},
    {"KEY", "49152 3 13"},
    {"PX", "10 A.Example. B.Example."},
    {"GPOS", "\"-32.6882\" \"116.8652\" \"10.0\""},
    {"AAAA", "2001:db8::1"},
    {"SRV", "1 2 3 Target.Example."},
    {"NAPTR", "100 50 \"s\" \"E2U+sip\" \"!^.*$!sip:a@b!i\" Repl.Example."},
    {"NAPTR", "100 50 \"\" \"\" \"\" ."},
    {"KX", "10 A.Example."},
    {"CERT", "1 12345 8 AAAA"},
    {"DNAME", "A.Example."},
    {"APL", "1:192.0.2.0/24 !1:192.0.2.64/28 !2:fe80::/10"},
    {"DS", "12345 13 2 " HEX32},
    {"DS", "12345 13 1 " HEX20},
    {"DS", "12345 13 4 " HEX48},
    {"SSHFP", "4 2 " HEX32},
    {"IPSECKEY", "10 0 2 . AAAA"},
    {"IPSECKEY", "10 1 2 192.0.2.38 AAAA"},
    {"IPSECKEY", "10 2 2 2001:db8::38 AAAA"},
    {"IPSECKEY", "10 3 2 Gw.Example. AAAA"},
    {"RRSIG", "NS 13 2 300 20260101000000 20250101000000 12345 Example. AAAA"},
    {"NSEC", "Next.Example. A NS RRSIG NSEC TYPE1234"},
    {"DNSKEY", "257 3 13 AAAA"},
    {"DHCID", "AAAA"},
    {"NSEC3", "1 1 10 AABBCCDD 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG"},
    {"NSEC3", "1 0 0 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
    {"NSEC3PARAM", "1 0 0 -"},
    {"TLSA", "3 1 1 " HEX32},
    {"SMIMEA", "3 1 1 " HEX32},
    {"HIP", "2 200100107B1A74DF365639CC39F1D578 AwEAAbdx Rvs1.Example. Rvs2.Example."},
    {"TALINK", "A.Example. B.Example."},
    {"CDS", "0 0 0 00"},
    {"CDNSKEY", "0 3 0 AA=="},
    {"OPENPGPKEY", "AAAA"},
    {"CSYNC", "66 3 A NS AAAA"},
    {"ZONEMD", "2026010100 1 1 " HEX48},
    {"SVCB", "0 Svc.Example."},
    {"SVCB", "16 Foo.Example. mandatory=alpn,ipv4hint alpn=\"h2,h3-19\" ipv4hint=192.0.2.1"},
    {"HTTPS", "1 . alpn=\"h2,h3\" port=8443 ipv6hint=2001:db8::1"},
    {"HTTPS", "1 . alpn=\"h2\" no-default-alpn ech=AAAA key667=\"hel\\200lo\""},
    {"SVCB", "1 . alpn=\"f\\\\\\\\oo\\\\,bar,h2\""}, /* RFC 9460 appendix D.2 */
    {"SPF", "\"v=spf1 -all\""},
    {"NID", "10 0014:4FFF:FF20:EE64"},
    {"L32", "10 10.1.2.0"},
    {"L64", "10 2001:0DB8:1140:1000"},
    {"LP", "10 L64-Subnet.Example."},
    {"EUI48", "00-00-5E-00-53-2A"},
    {"EUI64", "00-00-5E-EF-10-00-00-2A"},
    {"URI", "10 1 \"ftp://ftp1.example.com/public\""},
    {"CAA", "128 issue \"ca.example.net; policy=ev\""},
    {"DLV", "12345 13 2 " HEX32},
    {"LOC", "42 21 54.000 N 71 06 18.000 W -24m 30m 10000m 10m"},
    {"LOC", "90 00 00.000 S 180 00 00.000 E -100000m 0m 0.01m 90000000m"},
    {"TYPE65280", "\\# 3 0A0B0C"},
    {"TYPE65280", "\\# 0"},
};
