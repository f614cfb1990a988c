/*
 * conf/conf.h - signet.conf, read, checked and resolved
 *
 * named.conf grammar. A `struct conf` is immutable once loaded and replaced whole at a reload.
 * Everything in it is resolved: inherited options (options > view > zone) are filled in, names
 * of ACLs, keys, policies, remote-servers are pointers. All memory belongs to the conf.
 */
#pragma once

#include "answer/answer.h"
#include "base/log.h"
#include "dns/tsig.h"
#include "kasp/policy.h"
#include "net/address.h"
#include "zone/check.h"

enum conf_zone_type { CONF_ZONE_PRIMARY, CONF_ZONE_SECONDARY };
enum conf_inline { CONF_INLINE_UNSET, CONF_INLINE_NO, CONF_INLINE_YES };
enum conf_serial_update {
    CONF_SERIAL_INCREMENT,
    CONF_SERIAL_UNIXTIME,
    CONF_SERIAL_DATE,
    CONF_SERIAL_KEEP
};
enum conf_notify { CONF_NOTIFY_NO, CONF_NOTIFY_YES, CONF_NOTIFY_EXPLICIT, CONF_NOTIFY_PRIMARY };
enum conf_checkds { CONF_CHECKDS_NO, CONF_CHECKDS_YES, CONF_CHECKDS_EXPLICIT };

/* An address match list, compiled: first matching element decides, no match is "no". */
struct conf_acl;
/*
 * Does the client match? `key` is the verified TSIG key or NULL. Thread: any. Never blocks.
 * A NULL acl is for the caller to interpret (its option's default).
 */
bool conf_acl_matches(const struct conf_acl *acl, const struct net_address *client,
                      const struct net_address *local, const struct tsig_key *key);
bool conf_acl_is_any(const struct conf_acl *acl);
bool conf_acl_is_none(const struct conf_acl *acl);

struct conf_listen {
    uint16_t port;
    bool ipv6;
    const struct conf_acl *addresses; /* which of the host's addresses; "any" matches all */
};

/* One server of remote-servers, primaries, parental-agents, also-notify: lists flattened. */
struct conf_remote {
    struct net_address address; /* with port */
    const struct tsig_key *key; /* NULL: none */
    bool has_source;
    struct net_address source;
    const char *tls; /* name, or NULL */
};
struct conf_remotes {
    struct conf_remote *remotes;
    size_t count;
};

struct conf_key_store {
    const char *name;
    const char *directory;
    const char *pkcs11_uri; /* NULL: files */
};

/* What a query needs to know of its zone; in zone_slot.options. */
struct conf_zone_access {
    const struct conf_acl *allow_query;    /* NULL: any */
    const struct conf_acl *allow_transfer; /* NULL: none */
    const struct conf_acl *allow_update;   /* NULL: none */
    const struct conf_acl *allow_notify;   /* NULL: the primaries */
};

struct conf_zone {
    const char *name;     /* as written */
    struct dns_name apex; /* lower case */
    uint16_t rrclass;
    const struct conf_view *view;
    enum conf_zone_type type;
    const char *file;                 /* absolute or relative to options.directory; NULL: none */
    const struct kasp_policy *policy; /* NULL: "none", not signed here */
    bool inline_signing;              /* resolved */
    const char *key_directory;        /* never NULL */
    struct conf_zone_access access;
    bool has_update_policy;
    enum answer_minimal minimal_responses;
    enum conf_notify notify;
    struct conf_remotes also_notify;
    struct conf_remotes primaries;
    struct conf_remotes parental_agents;
    enum conf_checkds checkds;
    enum conf_serial_update serial_update;
    uint32_t max_zone_ttl; /* without policy; 0: no limit */
    struct zone_check_options checks;
    unsigned loadkeys_interval_minutes;
    const char *source_file; /* where the statement stands */
    unsigned source_line;
    uint64_t
        fingerprint; /* of the resolved statement: unchanged zones stay as they are at reload */
};

struct conf_view {
    const char *name; /* "_default" when there is no view statement */
    uint16_t rrclass;
    const struct conf_acl *match_clients;      /* NULL: any */
    const struct conf_acl *match_destinations; /* NULL: any */
    bool match_recursive_only;
    struct conf_zone **zones;
    size_t zones_count;
};

struct conf_channel {
    const char *name;
    enum { CONF_LOG_FILE, CONF_LOG_STDERR, CONF_LOG_SYSLOG, CONF_LOG_NULL } kind;
    const char *path;
    unsigned versions;       /* of old files kept */
    uint64_t size_bytes_max; /* 0: no limit */
    int facility;            /* of syslog */
    int severity;            /* most verbose shown; "dynamic" is INT_MAX */
    bool print_time, print_severity, print_category;
    bool print_time_iso, print_time_utc;
};
struct conf_logging {
    struct conf_channel *channels;
    size_t channels_count;
    /* For each category the channels (indices), count 0: those of `default`. */
    struct {
        unsigned char channels[8];
        unsigned char count;
        bool set;
    } categories[LOG_CATEGORIES];
};

struct conf_control {
    struct net_address address; /* with port */
    const struct conf_acl *allow;
    const struct tsig_key **keys;
    size_t keys_count; /* 0: rndc.key */
    bool read_only;
};

struct conf_options {
    const char *directory;
    const char *pid_file; /* NULL: none */
    const char *store_directory;
    const char *version_text; /* for version.bind; NULL: the default, "" or none: refused */
    const char *server_id;    /* NSID and id.server; NULL: none */
    bool server_id_hostname;
    const char *hostname_text; /* hostname.bind; NULL: gethostname */
    struct conf_listen *listens;
    size_t listens_count;
    unsigned tcp_clients; /* 150 */
    unsigned tcp_listen_queue;
    sg_duration tcp_idle_timeout; /* 30 */
    sg_duration tcp_initial_timeout;
    sg_duration max_transfer_time_out; /* 7200 */
    unsigned transfers_out;            /* 10 */
    uint16_t edns_payload;             /* edns-udp-size / max-udp-size 1232 */
    uint16_t max_udp_size;
    bool flush_zones_on_shutdown;
    bool allow_new_zones;
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
    struct conf_logging logging;
    struct conf_control *controls;
    size_t controls_count;
    bool controls_given; /* false: 127.0.0.1:953 with rndc.key */
    /* private: the arena that everything above lives in */
    struct conf_memory *memory;
};

enum conf_severity { CONF_ERROR, CONF_WARNING, CONF_NOTE };
struct conf_problem {
    enum conf_severity severity;
    char *file;
    unsigned line, column;
    char *text;
};
struct conf_report {
    struct conf_problem *problems;
    size_t count;
    size_t errors;
};
void conf_report_clear(struct conf_report *report);
/* "file:line:column: text", appended with a newline. */
void conf_problem_text(const struct conf_problem *problem, struct buffer *out_text);

/*
 * Read, check and resolve `path`, its includes too. SG_OK, SG_MALFORMED when there was an error,
 * SG_NOT_FOUND, SG_DENIED, SG_IO. The report is filled in all cases. Blocks on the disk.
 */
MUST_USE enum sg_result conf_load(const char *path, struct conf **out_conf,
                                  struct conf_report *report);
/* From memory, for tests and the fuzz target; includes are refused. */
MUST_USE enum sg_result conf_load_text(const char *name, struct span text, struct conf **out_conf,
                                       struct conf_report *report);
void conf_free(struct conf *conf);

/* The resolved configuration as named.conf text, for `signet checkconf -p`; secrets as "????" with
 * `hide_secrets`. */
void conf_print(const struct conf *conf, bool hide_secrets, struct buffer *out_text);
