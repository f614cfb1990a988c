/*
 * conf/settings.h - the values that statements of signet.conf resolve to
 */
#pragma once

#include "answer/answer.h"
#include "base/log.h"
#include "conf/acl.h"
#include "dns/trust_chain.h"
#include "kasp/policy.h"
#include "zone/check.h"

enum conf_serial_update {
    CONF_SERIAL_INCREMENT,
    CONF_SERIAL_UNIXTIME,
    CONF_SERIAL_DATE,
    CONF_SERIAL_KEEP,
};
enum conf_notify { CONF_NOTIFY_NO, CONF_NOTIFY_YES, CONF_NOTIFY_EXPLICIT, CONF_NOTIFY_PRIMARY };
enum conf_checkds { CONF_CHECKDS_NO, CONF_CHECKDS_YES, CONF_CHECKDS_EXPLICIT };
enum conf_file_style { CONF_STYLE_RELATIVE, CONF_STYLE_FULL };
enum conf_statistics { CONF_STATISTICS_NONE, CONF_STATISTICS_TERSE, CONF_STATISTICS_FULL };

struct conf_listen {
    uint16_t port;
    bool ipv6;
    const struct conf_acl *addresses; /* which of the host's addresses; "any" matches all */
    const struct net_address *named;  /* those that the list names one by one */
    size_t named_count;
    const char *place; /* "FILE:LINE" of its statement; NULL: the default */
    const char *tls;   /* name of a tls statement, "ephemeral", or NULL */
    const char *http;  /* name of an http statement, or NULL */
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
    const struct conf_remote *remotes;
    size_t count;
};

/* Which address of ours to ask from, by family; not given: the kernel chooses. */
struct conf_source {
    bool has_v4, has_v6;
    struct net_address v4, v6;
};

struct conf_key_store {
    const char *name;
    const char *directory;  /* NULL: the zone's key-directory */
    const char *pkcs11_uri; /* NULL: files */
};

enum conf_update_match {
    CONF_UPDATE_NAME,
    CONF_UPDATE_SUBDOMAIN,
    CONF_UPDATE_WILDCARD,
    CONF_UPDATE_ZONESUB,
    CONF_UPDATE_SELF,
    CONF_UPDATE_SELFSUB,
    CONF_UPDATE_SELFWILD,
    CONF_UPDATE_MS_SELF,
    CONF_UPDATE_MS_SELFSUB,
    CONF_UPDATE_MS_SUBDOMAIN,
    CONF_UPDATE_MS_SUBDOMAIN_SELF_RHS,
    CONF_UPDATE_KRB5_SELF,
    CONF_UPDATE_KRB5_SELFSUB,
    CONF_UPDATE_KRB5_SUBDOMAIN,
    CONF_UPDATE_KRB5_SUBDOMAIN_SELF_RHS,
    CONF_UPDATE_TCP_SELF,
    CONF_UPDATE_6TO4_SELF,
    CONF_UPDATE_EXTERNAL
};
/* Kerberos principals need GSS-TSIG, which Signet does not do: no. */
static inline bool conf_update_match_is_supported(enum conf_update_match match)
{
    return match <= CONF_UPDATE_SELFWILD || match >= CONF_UPDATE_TCP_SELF;
}
struct conf_update_type {
    uint16_t type;
    uint16_t records_max; /* 0: no limit */
};
struct conf_update_rule {
    bool grant;
    enum conf_update_match match;
    const char *identity_text;       /* as written: a realm, "local:/path", a key's name */
    const struct dns_name *identity; /* the same as a name; NULL where it is none */
    const struct dns_name *name;     /* NULL: zonesub */
    const char *socket;              /* of `external`: the path of its daemon's; else NULL */
    const struct conf_update_type *types;
    size_t types_count; /* 0: all but NS, SOA, RRSIG and those of the signer */
};
/* The first rule that matches decides; no match is "denied". */
struct conf_update_policy {
    bool local;    /* `update-policy local`: the session key, from this host's addresses alone */
    bool external; /* some rule asks a daemon */
    const struct conf_acl *clients; /* of `local`: those addresses; else NULL: any */
    const struct conf_update_rule *rules;
    size_t rules_count;
};

/* What a query needs to know of its zone; in zone_slot.options. */
struct conf_zone_access {
    const struct conf_acl *allow_query;    /* NULL: any */
    const struct conf_acl *allow_transfer; /* NULL: none */
    const struct conf_acl *allow_update;   /* NULL: none */
    const struct conf_acl *allow_notify;   /* NULL: the primaries */
    const struct conf_acl *allow_query_on; /* NULL: any; matched with our address as the client */
    const struct conf_acl *allow_update_forwarding; /* NULL: none */
    const struct conf_update_policy *update_policy; /* NULL: none; never beside allow_update */
    uint16_t transfer_port;                         /* allow-transfer port; 0: any */
    bool transfer_tls_only;                         /* allow-transfer transport tls */
    enum answer_minimal minimal_responses;
};

/* Whom to tell of a change (RFC 1996). */
struct conf_zone_notify {
    enum conf_notify mode;
    bool to_soa;       /* notify-to-soa: the SOA's MNAME too */
    sg_duration delay; /* 5 */
    sg_duration defer; /* notify-defer: seconds that the first is held back; 0 */
    struct conf_remotes also;
    struct conf_source source;
};

/* How a secondary gets its zone. */
struct conf_zone_transfer_in {
    struct conf_remotes primaries;
    struct conf_source source;
    bool request_ixfr;
    bool request_expire;
    bool try_tcp_refresh;
    bool multi_primary; /* multi-master: no word when a primary's serial is lower */
    sg_duration min_refresh_time, max_refresh_time;
    sg_duration min_retry_time, max_retry_time;
    sg_duration time_max, idle_max; /* max-transfer-time-in, max-transfer-idle-in */
    /* min-transfer-rate-in: a transfer that brings fewer bytes in that time is given up. */
    uint32_t rate_bytes_min; /* 10240 */
    sg_duration rate_window; /* 5 minutes */
    uint32_t ixfr_diffs_max; /* request-ixfr-max-diffs: more is a reason for AXFR; 0: no limit */
};

enum { CONF_CHECKDS_TIME_MIN = 60, CONF_CHECKDS_TIME_MAX = 3600, CONF_COMMAND_BYTES_MAX = 4000 };
/* Whom to ask for the DS. */
struct conf_zone_parent {
    struct conf_remotes agents;
    enum conf_checkds checkds;
    bool validate;                       /* what they answer is to be proven, from: */
    const struct trust_anchors *anchors; /* all there are; NULL: nothing is */
    struct conf_source source;
    struct conf_remotes push;                     /* whom to send updates with the DS */
    const char *submit_command, *retract_command; /* words between blanks; NULL: none */
    bool command_gets_ds;                         /* else DNSKEY */
    struct conf_remotes resolvers;                /* of `yes`; none: the system's */
    sg_duration retry_min, retry_max;             /* between rounds of questions */
};

struct conf_zone_limits {
    uint32_t records_max;          /* max-records; 0: unlimited, as all of these */
    uint32_t records_per_type_max; /* max-records-per-type, 100 */
    uint32_t types_per_name_max;   /* max-types-per-name, 100 */
    uint32_t ixfr_ratio_percent;   /* max-ixfr-ratio, 100 */
    sg_duration journal_age_max;   /* max-journal-age */
    uint64_t journal_bytes_max;    /* max-journal-size; 0: twice the zone, UINT64_MAX: unlimited */
    sg_duration transfer_time_out_max, transfer_idle_out_max;
};

/* What zones that say the same share. */
struct conf_zone_options {
    struct conf_zone_access access;
    struct conf_zone_notify notify;
    struct conf_zone_transfer_in transfer_in;
    struct conf_zone_parent parent;
    struct conf_zone_limits limits;
    struct zone_check_options checks;
    enum conf_serial_update serial_update;
    uint32_t max_zone_ttl; /* without policy; 0: no limit */
    unsigned loadkeys_interval_minutes;
    uint16_t sig_signing_type;       /* of the private records; 65534 */
    enum conf_file_style file_style; /* masterfile-style */
    bool file_raw;                   /* masterfile-format raw */
    bool ixfr_from_differences;
    enum conf_statistics statistics;
};

/* `rate-limit`; 0 a second is "no limit". */
struct conf_rate_limit {
    unsigned responses_per_second, referrals_per_second, nodata_per_second;
    unsigned nxdomains_per_second, errors_per_second, all_per_second;
    unsigned window_seconds, slip, qps_scale;
    unsigned ipv4_prefix_length, ipv6_prefix_length;
    unsigned min_table_size, max_table_size;
    bool log_only;
    const struct conf_acl *exempt_clients; /* NULL: none */
};

/* `server`: how we talk to one peer. Not given is -1 in the three-valued members. */
struct conf_peer {
    struct net_address address; /* first address of the prefix */
    unsigned prefix_length;
    const struct tsig_key *key; /* NULL: none */
    bool bogus;                 /* never asked, never told; its own questions are answered */
    int8_t request_ixfr, provide_ixfr, request_expire, edns, tcp_only;
    uint16_t edns_payload; /* 0: not given */
    uint16_t max_udp_size; /* 0: not given */
    unsigned transfers;    /* transfers-per-ns for this one; 0: not given */
    struct conf_source transfer_source, notify_source;
};

enum { CONF_TLS_V12 = 1, CONF_TLS_V13 = 2 };
struct conf_tls {
    const char *name;
    const char *cert_file, *key_file, *ca_file, *dhparam_file, *remote_hostname; /* NULL: none */
    const char *ciphers, *cipher_suites;
    unsigned protocols; /* CONF_TLS_V..., 0: the library's */
    bool prefer_server_ciphers;
    bool session_tickets; /* true unless switched off */
};

struct conf_http {
    const char *name;
    const char **endpoints;
    size_t endpoints_count;
    unsigned listener_clients, streams_per_connection;
};

struct conf_channel {
    const char *name;
    enum { CONF_LOG_FILE, CONF_LOG_STDERR, CONF_LOG_SYSLOG, CONF_LOG_NULL } kind;
    const char *path;
    unsigned versions;        /* of old files kept */
    bool suffix_is_timestamp; /* of old files; else a number */
    uint64_t size_bytes_max;  /* 0: no limit */
    int facility;             /* of syslog */
    int severity;             /* most verbose shown; "dynamic" is INT_MAX */
    bool print_time, print_severity, print_category;
    bool print_time_iso, print_time_utc;
    bool buffered;
};
/* The channels of a category, by their index. */
struct conf_category {
    unsigned char channels[8];
    unsigned char count;
    bool set; /* false: it was not given, and has the channels of `default` */
};
struct conf_logging {
    struct conf_channel *channels; /* those that the file defines or uses */
    size_t channels_count;         /* 0: there is no logging statement */
    struct conf_category categories[LOG_CATEGORIES];
};

struct conf_control {
    struct net_address address; /* with port */
    const struct conf_acl *allow;
    const struct tsig_key **keys;
    size_t keys_count; /* 0: rndc.key */
    bool read_only;
};

struct conf_cookies {
    bool answer;               /* answer-cookie */
    bool required;             /* require-server-cookie */
    uint16_t udp_size_without; /* nocookie-udp-size */
    uint8_t secrets[4][16];    /* the first makes cookies, all verify */
    unsigned secrets_count;    /* 0: a random one */
};

struct conf_tcp {
    unsigned clients_max;           /* tcp-clients, 150 */
    unsigned listen_queue;          /* 10 */
    sg_duration initial_timeout;    /* 30 */
    sg_duration idle_timeout;       /* 30 */
    sg_duration keepalive_timeout;  /* 30; RFC 7828 */
    sg_duration advertised_timeout; /* 30 */
};

/* What may run at the same time, or in a second. */
struct conf_rates {
    unsigned transfers_out;        /* 10 */
    unsigned transfers_in;         /* 10 */
    unsigned transfers_per_server; /* transfers-per-ns, 2 */
    unsigned notify;               /* notify-rate, 20 a second */
    unsigned startup_notify;       /* 20 */
    unsigned serial_query;         /* 20 */
    unsigned update_quota;         /* 100 */
};

/* The key of `update-policy local`, made at each start. */
struct conf_session_key {
    const char *file; /* NULL: none */
    struct dns_name name;
    enum tsig_algorithm algorithm;
    uint16_t mac_bits;
};

struct conf_options {
    const char *directory; /* NULL: where the server was started */
    const char *pid_file;  /* NULL: none */
    const char *store_directory;
    const char *statistics_file, *dump_file;
    const char *version_text; /* for version.bind; NULL: the default, "" or none: refused */
    const char *server_id;    /* NSID and id.server; NULL: none */
    bool server_id_hostname;
    const char *hostname_text; /* hostname.bind; NULL: gethostname, "": refused */
    struct conf_listen *listens;
    size_t listens_count;
    const struct conf_acl *blackhole; /* NULL: none */
    uint16_t edns_payload;            /* edns-udp-size, 1232 */
    uint16_t max_udp_size;            /* 1232 */
    uint16_t transfer_message_bytes;  /* 20480 */
    struct conf_tcp tcp;
    struct conf_rates rates;
    struct conf_cookies cookies;
    struct conf_session_key session_key;
    sg_duration max_transfer_time_out; /* 7200 */
    uint64_t history_memory_bytes;     /* of changesets for IXFR, all zones together; 64 MiB */
    bool query_log;                    /* querylog yes */
    bool flush_zones_on_shutdown;
    bool allow_new_zones;
    bool allow_hmac_md5;       /* of TSIG and of command channels */
    bool ipv4_only, ipv6_only; /* of the command line */
};
