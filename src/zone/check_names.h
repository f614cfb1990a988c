/*
 * zone/check_names.h - which names BIND's check-names likes. Private to check.
 */
#pragma once

#include "dns/name.h"

/* Wire labels of letters, digits and inner hyphens (RFC 952, RFC 1123 2.1). `labels` may lack the
 * root label. A first label "*" passes where `wildcard`. */
bool check_is_hostname(struct span labels, bool wildcard);
/* The first label is a mailbox's local part, the rest a hostname (RFC 1035 3.3.13). */
bool check_is_mailbox(struct span name);
/* Owner names of A records that are no hostnames by design: gc._msdcs of Active Directory, and
 * those below _spf, _spf_verify or _spf_rate (RFC 7208 5.7 and appendix D). */
bool check_is_special_owner(struct span labels);
/* Is it an address that somebody wrote where a name belongs, with or without the final dot? */
bool check_is_address(const struct dns_name *name, const struct dns_name *apex);
/* Is a label "*" and not the first one (RFC 4592 2.1.1)? */
bool check_has_inner_wildcard(struct span labels);
