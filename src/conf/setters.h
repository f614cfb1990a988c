/*
 * conf/setters.h - statements that set one member of a struct; private to conf/
 *
 * A table says which option sets which member, and how. What is left, a few options in each
 * place, has code of its own.
 */
#pragma once

#include "conf/loader.h"

enum conf_setter_kind {
    SET_BOOL,
    SET_U16,
    SET_U32,          /* unsigned */
    SET_SECONDS,      /* sg_duration, from a number of seconds or a duration */
    SET_MINUTES,      /* sg_duration, from a number of minutes */
    SET_TENTHS,       /* sg_duration, from a number of tenths of a second, rounded up */
    SET_SIZE,         /* uint64_t; "default" is 0, "unlimited" UINT64_MAX */
    SET_PERCENT,      /* uint32_t; "unlimited" is 0 */
    SET_TEXT,         /* const char *, interned */
    SET_TEXT_OR_NONE, /* "none" is NULL */
    SET_ACL,
    SET_REMOTES,
    SET_SOURCE,     /* struct conf_source, one family of it */
    SET_CHECK,      /* enum check_mode */
    SET_CHECK_BOOL, /* enum check_mode: yes is its warning, no ignores */
};

struct conf_setter {
    const char *option;
    enum conf_setter_kind kind;
    size_t offset;
};

/* Which setter a row has; for a table of at most 255. */
enum { CONF_SETTER_ROWS = 512 };
struct conf_setters {
    const struct conf_setter *table;
    uint8_t of_row[CONF_SETTER_ROWS]; /* 1 + index; 0: none */
};
void conf_setters_init(struct conf_setters *setters, const struct conf_setter *table, size_t count,
                       enum schema_place place);
/* Set the statement's member of `target`. False: no setter has this option. */
bool conf_setters_apply(const struct conf_setters *setters, struct conf_loader *loader,
                        const struct conf_statement *statement, void *target);
