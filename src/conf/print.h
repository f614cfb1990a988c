/*
 * conf/print.h - parts of a configuration as text; private to conf/
 *
 * The text loads again and comes to the same. It is also what fingerprints are made of, since it
 * says the same at each load, which pointers do not.
 */
#pragma once

#include "conf/conf.h"

void print_policy(const struct kasp_policy *policy, struct buffer *out_text);
void print_zone(const struct conf_zone *zone, struct buffer *out_text);
/* In another view than the zone's own: `in-view`. */
void print_shared_zone(const struct conf_zone *zone, struct buffer *out_text);
/*
 * Options of a zone that are not what they are by default: those that decide what its contents
 * are, and all the others. `zone_types` (enum schema_zone_type): leave out what may not stand in
 * such a zone; 0: all.
 */
void print_zone_content(const struct conf_zone_options *options, unsigned zone_types,
                        struct buffer *out_text);
void print_zone_service(const struct conf_zone_options *options, unsigned zone_types,
                        struct buffer *out_text);
/* Who may change its contents; part of the service above, for fingerprints. */
void print_zone_updates(const struct conf_zone_options *options, struct buffer *out_text);
/* The secrets of the keys that it names, for fingerprints alone. */
void print_zone_secrets(const struct conf_zone_options *options, struct buffer *out_bytes);

void print_source(const char *option, const struct conf_source *source, struct buffer *out_text);
/* "<tab>option value;", for a text only where there is one. */
void print_text_option(const char *option, const char *text, struct buffer *out_text);
void print_number_option(const char *option, uint64_t value, struct buffer *out_text);
void print_boolean_option(const char *option, bool value, struct buffer *out_text);
void print_acl(const struct conf_acl *acl, struct buffer *out_text);
void print_quoted(const char *text, struct buffer *out_text);
void print_name(const struct dns_name *name, struct buffer *out_text); /* quoted */
const char *print_boolean(bool value);
