/*
 * conf/conf.h - signet.conf, read, checked and resolved
 *
 * named.conf grammar. A `struct conf` is immutable once loaded and replaced whole at a reload.
 * Everything in it is resolved: inherited options (options > view > zone) are filled in, names
 * of ACLs, keys, policies, remote-servers are pointers. All memory belongs to the conf.
 *
 * A hundred thousand zones are a normal configuration, so what a zone says beside its name and
 * files is one interned `struct conf_zone_options`, shared by all zones that say the same.
 */
#pragma once

#include "conf/acl.h"
#include "conf/amend.h"
#include "conf/report.h"
#include "conf/settings.h"

enum conf_zone_type { CONF_ZONE_PRIMARY, CONF_ZONE_SECONDARY };

struct conf_zone {
    const char *name;    /* as written */
    const uint8_t *apex; /* wire format, lower case: see conf_zone_apex() */
    uint16_t rrclass;
    enum conf_zone_type type;
    bool inline_signing; /* resolved */
    const struct conf_view *view;
    const char *file;                 /* absolute or relative to options.directory; NULL: none */
    const char *journal;              /* NULL: not given */
    const struct kasp_policy *policy; /* NULL: "none", not signed here */
    const char *key_directory;        /* never NULL */
    const struct conf_zone_options *options;
    const char *source_file; /* where the statement stands */
    unsigned source_line, source_column;
    /* Of the whole resolved statement: nothing at all is different after a reload. */
    uint64_t fingerprint;
    /* Of that part of it that decides what is loaded and signed; no ACLs, no notify. */
    uint64_t content_fingerprint;
    /* Of who may update it: allow-query, allow-update, update-policy. */
    uint64_t updates_fingerprint;
};

struct conf_view {
    const char *name; /* "_default" when there is no view statement */
    uint16_t rrclass;
    const struct conf_acl *match_clients;      /* NULL: any */
    const struct conf_acl *match_destinations; /* NULL: any */
    bool match_recursive_only;
    bool minimal_any;
    bool provide_ixfr;                     /* to whom no `server` statement says otherwise */
    enum answer_minimal minimal_responses; /* its zones' access says the same */
    bool allow_new_zones;
    const struct conf_rate_limit *rate_limit; /* NULL: none */
    const struct conf_peer *peers;            /* `server` statements, the longest prefix first */
    size_t peers_count;
    struct conf_zone **zones; /* its own */
    size_t zones_count;
    /* Zones of other views that `in-view` makes answer here too; their `view` is the other. */
    const struct conf_zone **shared_zones;
    size_t shared_zones_count;
};

struct conf {
    const char *path;
    struct conf_options options;
    struct conf_view **views;
    size_t views_count; /* at least 1 */
    struct tsig_key **keys;
    size_t keys_count;
    struct kasp_policy **policies; /* custom and built-in */
    size_t policies_count;
    struct conf_key_store *key_stores;
    size_t key_stores_count;
    struct conf_tls *tls;
    size_t tls_count;
    struct conf_http *http;
    size_t http_count;
    struct conf_logging logging;
    struct conf_control *controls;
    size_t controls_count;
    struct trust_anchors anchors;
    bool controls_given; /* false: 127.0.0.1:953 with rndc.key */
    /* private: the arena that everything above lives in */
    struct conf_memory *memory;
};

/* What the command line of signetd, and commands at run time, say instead of the file. */
struct conf_overrides {
    uint16_t port;     /* -p: instead of `port`; 0: as the file says */
    bool ipv4_only;    /* -4: listen-on-v6 counts as none, IPv6 servers are never asked */
    bool ipv6_only;    /* -6 */
    bool no_log_files; /* -g: the channels of `logging` are not opened */
    /* Where `directory` and the paths of includes start; NULL: the working directory of now. */
    const char *start_folder;
    const struct conf_amendment *amendments; /* of zones; borrowed during the load */
    size_t amendments_count;
};

/*
 * Read, check and resolve `path`, its includes too. SG_OK, SG_MALFORMED when there was an error,
 * SG_NOT_FOUND, SG_DENIED, SG_IO. The report is filled in all cases. Blocks on the disk.
 */
MUST_USE enum sg_result conf_load(const char *path, struct conf **out_conf,
                                  struct conf_report *report);
/* The same with a command line; `overrides` may be NULL. */
MUST_USE enum sg_result conf_load_overriding(const char *path,
                                             const struct conf_overrides *overrides,
                                             struct conf **out_conf, struct conf_report *report);
/* From memory, for tests and the fuzz target; includes are refused. */
MUST_USE enum sg_result conf_load_text(const char *name, struct span text, struct conf **out_conf,
                                       struct conf_report *report);
void conf_free(struct conf *conf);

/* The zone's apex as a value. */
void conf_zone_apex(const struct conf_zone *zone, struct dns_name *out_apex);
/* Does it take updates, by allow-update or update-policy? */
bool conf_zone_is_dynamic(const struct conf_zone *zone);
/* The `server` statement that counts for an address (its port does not), or NULL. */
const struct conf_peer *conf_peer_find(const struct conf_view *view,
                                       const struct net_address *address);
/* The key-store of that name, or NULL. */
const struct conf_key_store *conf_key_store_find(const struct conf *conf, const char *name);

/* The resolved configuration as named.conf text, for `signet checkconf -p`; secrets as "????" with
 * `hide_secrets`. */
void conf_print(const struct conf *conf, bool hide_secrets, struct buffer *out_text);
/* One zone's resolved statement, on one line, without the line's end. */
void conf_print_zone(const struct conf_zone *zone, struct buffer *out_text);
