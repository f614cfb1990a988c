/*
 * dns/text_format.h - the table behind dns/text.h: which fields make up the text of a type
 *
 * Private to dns/. A field is a letter; most are one word:
 *
 *   1 2 4  a number of so many bytes     g  DNSSEC algorithm       S  salt, "-" if empty
 *   d      a duration, 4 bytes           i  DS digest type         H  hash in base32hex
 *   n      a name                        k  CERT type              a  IPv4 address
 *   s      a character string            y  an RR type             A  IPv6 address
 *   c      the same, written bare        T  time of a signature    6  EUI-48
 *   u      a string without its length   N  NSAP                   8  EUI-64
 *   L      64 bits in four groups
 *   G      gateway of IPSECKEY           R  discovery flag, type and relay of AMTRELAY
 *
 * and these run to the end: t strings, h hexadecimal, b base64 (B: may be empty), m types,
 * Z the prefixes of APL, P the parameters of SVCB, I all of HIP, l all of LOC.
 */
#pragma once

#include <stdint.h>

/* NULL: no format of ours. */
const char *text_format_of(uint16_t type);
