/*
 * conf/loader.h - a configuration while it is being resolved; private to conf/
 *
 * The steps are the functions below, in the order in which conf_load() calls them: each may use
 * what those before it have found. A step reports what is wrong and goes on, so that one run
 * tells of every mistake; conf_load() fails at the end when there was any error.
 */
#pragma once

#include "conf/conf.h"
#include "conf/schema.h"
#include "conf/tree.h"

struct conf_interfaces;

struct conf_loader {
    struct conf *conf;
    struct conf_memory *memory;  /* the conf's: lives on */
    struct conf_memory *scratch; /* the tree's: gone after the load */
    struct conf_report *report;
    const struct conf_statement *top;     /* the first statement of the file */
    const struct conf_statement *options; /* the first of the options block, NULL: none */
    struct conf_overrides overrides;
    bool on_disk;             /* read from files: what they name must be there */
    bool anchors_refused;     /* of what zone one was meant to be is not known */
    bool errors_are_warnings; /* while things are looked at that nobody uses */
    uint16_t default_port;    /* `port`, or the command line's */

    /* By name: statements until they are asked for, then what they resolve to. */
    struct conf_names acls;         /* -> struct acl_definition */
    struct conf_names remote_lists; /* -> struct conf_statement */
    struct conf_names keys;         /* by wire name -> struct tsig_key */
    struct conf_names key_stores;   /* -> struct conf_key_store */
    struct conf_names policies;     /* -> struct kasp_policy */
    struct conf_names tls;          /* -> struct conf_tls */
    struct conf_names http;         /* -> struct conf_http */
    struct conf_names views;        /* -> what zones.c keeps of a view */

    const struct conf_acl *acl_any, *acl_none, *acl_localhost, *acl_localnets;
};

/* Walks over statements that are sound: `name` in a list that begins with `first`. */
const struct conf_statement *conf_find_statement(const struct conf_statement *first,
                                                 const char *name);
/* The next sound statement called `name` from `at` on, itself included; NULL: no more. */
const struct conf_statement *conf_next_statement(const struct conf_statement *at, const char *name);
/* The statements of the block of a sound statement. */
const struct conf_statement *conf_body(const struct conf_statement *statement);

void conf_error(struct conf_loader *loader, const struct conf_statement *statement,
                const struct conf_node *node, const char *format, ...) PRINTF_LIKE(4, 5);
void conf_warning(struct conf_loader *loader, const struct conf_statement *statement,
                  const struct conf_node *node, const char *format, ...) PRINTF_LIKE(4, 5);

/* An error if `algorithm`, which the statement asks for, is not to be used. */
void conf_check_hmac(struct conf_loader *loader, const struct conf_statement *statement,
                     enum tsig_algorithm algorithm);

/* The compiled-in defaults of the options statement. */
void conf_options_init(struct conf_options *options);

/* Values whose grammar has been checked. */
bool conf_boolean_of(const struct conf_node *node);
uint32_t conf_integer_of(const struct conf_node *node);
uint32_t conf_duration_of(const struct conf_node *node);
enum answer_minimal conf_minimal_responses_of(const struct conf_node *node);
bool conf_node_says(const struct conf_node *node, const char *word); /* case ignored */

/* The name in lower case, cut to what fits: for names that ignore case. Gives `out_lower`. */
enum { CONF_NAME_BYTES = 256 };
const char *conf_lower_name(const char *name, char out_lower[CONF_NAME_BYTES]);
/* ", did you mean 'x'?" for the key of `names` (texts) that is most like `name`; else "". */
const char *conf_did_you_mean(const struct conf_loader *loader, const struct conf_names *names,
                              const char *name, struct schema_hint *out_hint);

/* --- the steps ------------------------------------------------------------------------------ */
void conf_resolve_keys(struct conf_loader *loader);     /* keys.c: key, tls, http, key-store */
void conf_collect_acls(struct conf_loader *loader);     /* acl_build.c */
void conf_collect_remotes(struct conf_loader *loader);  /* remotes.c */
void conf_resolve_policies(struct conf_loader *loader); /* policy.c */
void conf_resolve_logging(struct conf_loader *loader);  /* logging.c */
void conf_resolve_options(struct conf_loader *loader);  /* options.c */
void conf_resolve_controls(struct conf_loader *loader); /* controls.c */
void conf_resolve_anchors(struct conf_loader *loader);  /* anchors.c */
void conf_resolve_zones(struct conf_loader *loader);    /* zones.c: views and zones */
/* places.c: are the folders there that the server cannot start without? Reads the disk. */
void conf_check_places(struct conf_loader *loader);

/* Lists that nothing refers to, last: what is wrong with them is worth a warning. */
void conf_check_unused_acls(struct conf_loader *loader);
void conf_check_unused_remotes(struct conf_loader *loader);

/* --- what they ask each other --------------------------------------------------------------- */

/* The TSIG key of that name, or NULL: an error was reported at `node`. */
const struct tsig_key *conf_key_named(struct conf_loader *loader,
                                      const struct conf_statement *statement,
                                      const struct conf_node *node);

/* The tls (`names` is loader->tls) or http statement of that name, as it is defined; or NULL. */
const char *conf_terms_named(const struct conf_names *names, const char *name);

/* A word where no key of that name is defined: it may be a SIG(0) signer's. */
void conf_note_signer(struct conf_loader *loader, const struct conf_statement *statement,
                      const struct conf_node *node, const struct dns_name *name);
/* The name in `key NAME` of an address match list; NULL: an error was reported. One that is not
 * defined may be a SIG(0) signer's, but not where it is `negated`: it would refuse nobody. */
const struct dns_name *conf_acl_key(struct conf_loader *loader,
                                    const struct conf_statement *statement,
                                    const struct conf_node *node, bool negated);
/*
 * The address match list in `block`, never NULL: equal lists are one. After an error, which was
 * reported, it matches nothing.
 */
const struct conf_acl *conf_build_acl(struct conf_loader *loader, const struct conf_node *block);

/* The servers of a statement: flattened, with ports, keys and sources. */
struct conf_remotes conf_build_remotes(struct conf_loader *loader,
                                       const struct conf_statement *statement);
/* Set one family of `source` by a statement such as transfer-source. */
void conf_set_source(const struct conf_statement *statement, struct conf_source *source);
/* An error when it names the port that the server itself is bound to. */
void conf_check_source_port(struct conf_loader *loader, const struct conf_statement *statement);
/* An address of a checked node, "*" being the wildcard of `ipv6`. */
struct net_address conf_address_of(const struct conf_node *node, uint16_t port, bool ipv6);

const struct conf_update_policy *conf_build_update_policy(struct conf_loader *loader,
                                                          const struct conf_statement *statement);
/* The `server` statements of a view, or of the file. */
void conf_read_peers(struct conf_loader *loader, const struct conf_statement *first,
                     struct conf_view *view);
const struct conf_rate_limit *conf_build_rate_limit(struct conf_loader *loader,
                                                    const struct conf_statement *statement);
