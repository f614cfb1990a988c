/*
 * conf/rndc_conf.h - rndc.conf and rndc.key: which servers to command, and with which keys
 *
 * Both are one grammar: `key`, `options`, `server` and `include` statements; rndc.key is a file
 * with one key. Secrets are wiped when cleared. Thread: tools, and the keeper at start.
 */
#pragma once

#include "dns/tsig.h"

enum {
    RNDC_KEYS_MAX = 256,
    RNDC_SERVERS_MAX = 256,
    RNDC_ADDRESSES_MAX = 16,
    RNDC_FILES_MAX = 16, /* the file and those it includes */
    RNDC_FILE_BYTES_MAX = 1 << 20,
    RNDC_KEY_SECRET_BYTES = 32,
};

struct rndc_address {
    char *host;    /* a name or an address */
    uint16_t port; /* 0: the server's */
};

struct rndc_server {
    char *name;
    char *key;     /* name of a key; NULL: the default key */
    uint16_t port; /* 0: the default port */
    char *source_v4, *source_v6;
    struct rndc_address addresses[RNDC_ADDRESSES_MAX];
    size_t addresses_count; /* 0: the name is the address */
};

struct rndc_conf {
    struct tsig_key *keys;
    size_t keys_count;
    struct rndc_server *servers;
    size_t servers_count;
    struct rndc_server defaults; /* `options`: its name is default-server */
};

/*
 * Read a file into `out_conf`, to be cleared. SG_NOT_FOUND, SG_DENIED, SG_IO, SG_MALFORMED;
 * `out_problem` (the caller frees) tells "file:line: what".
 */
MUST_USE enum sg_result rndc_conf_load(const char *path, struct rndc_conf *out_conf,
                                       char **out_problem);
void rndc_conf_clear(struct rndc_conf *conf);

/* By name, case ignored; NULL when there is none. */
const struct tsig_key *rndc_conf_key(const struct rndc_conf *conf, const char *name);
const struct rndc_server *rndc_conf_server(const struct rndc_conf *conf, const char *name);

/* A new key of this name for hmac-sha256. */
void rndc_key_make(const char *name, struct tsig_key *out_key);
/* As rndc-confgen -a writes it. `out_text` holds a secret. */
void rndc_key_text(const struct tsig_key *key, struct buffer *out_text);
