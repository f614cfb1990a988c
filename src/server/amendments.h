/*
 * server/amendments.h - what addzone, modzone and delzone have changed beside signet.conf
 *
 *   stored    zones that addzone made: in the store's table STORE_CONFIG, kept over restarts
 *   others    of zones that signet.conf has: forgotten when it is read again, as with BIND
 *
 * A list never changes: a command makes another one, in the worker that reads the configuration
 * with it, and the keeper's thread exchanges them when all of it is good and durable.
 * Views and zones are told apart by name; a view has one class.
 */
#pragma once

#include "conf/conf.h"
#include "store/store.h"

struct amendment {
    enum conf_amendment_kind kind;
    bool stored;
    bool broken; /* it does not fit signet.conf since the start: it is left out, and kept */
    char *view, *name, *text; /* name: lower case, without the last dot */
};

struct amendments {
    struct amendment *all;
    size_t count;
};

/* What one command does: `text` NULL takes away. Borrows its texts. */
struct amendment_wish {
    const char *view, *name, *text;
};

void amendments_free(struct amendments *amendments); /* NULL is fine */
/* NULL: there is none. `name` as in the list. */
const struct amendment *amendments_find(const struct amendments *amendments, const char *view,
                                        const char *name);
/* What was, with one thing changed; `is_new`: it is addzone that wishes it. `before` may be NULL.
 * Thread: any, while nobody changes the list. */
struct amendments *amendments_change(const struct amendments *before,
                                     const struct amendment_wish *wish, bool is_new);
/* What is left when signet.conf is read again; what was broken is tried again. */
struct amendments *amendments_stored(const struct amendments *before);
/* The store could be opened late: what it has, to be tried when the configuration is read next, and
 * what commands have done to zones of signet.conf meanwhile. */
struct amendments *amendments_late(const struct amendments *stored,
                                   const struct amendments *others);
/* For conf_load_overriding(): borrows the list; the caller frees the array. */
struct conf_amendment *amendments_for_conf(const struct amendments *amendments, size_t *out_count);
/* Leave out those that a report complains about. Returns how many. */
size_t amendments_leave_out(struct amendments *amendments, const struct conf_report *report);
/* Only those that were broken `before`: any other makes a reload fail. Thread: worker. */
size_t amendments_leave_out_again(struct amendments *amendments, const struct conf_report *report,
                                  const struct amendments *before);

/* The name of a zone as the list has it; the caller frees. */
char *amendment_name(const struct dns_name *apex);
/* The key in the store. SG_LIMIT: the view's name is too long for one. */
MUST_USE enum sg_result amendment_key(const char *view, uint16_t rrclass,
                                      const struct dns_name *apex, struct buffer *out_key);
/* Everything that the store has. At start, before threads. Fails as store_config_walk(). */
MUST_USE enum sg_result amendments_read(const struct store_io *io, struct amendments **out_list);
