/*
 * conf/amend.h - zone statements that commands added, changed or took away at run time
 *
 * They are worked into the tree of signet.conf before it is checked, so that they are read, checked
 * and explained as what stands in the file. Problems are placed at "added zone 'NAME':line:column",
 * or "added zone 'NAME' in view 'VIEW':..." where there are views.
 */
#pragma once

#include "conf/tree.h"

enum conf_amendment_kind {
    CONF_AMEND_ADD,     /* `addzone`. What the file has itself stands above it, with a warning */
    CONF_AMEND_REPLACE, /* `modzone` of a zone of the file; added where the file has it not */
    CONF_AMEND_REMOVE,  /* `delzone` of a zone of the file */
};

struct conf_amendment {
    enum conf_amendment_kind kind;
    const char *view; /* "_default" without views */
    const char *name; /* of the zone */
    const char *text; /* the whole statement; NULL with REMOVE */
};

/* At most one amendment for a zone of a view. */
void conf_amend_tree(struct conf_tree *tree, const struct conf_amendment *amendments, size_t count,
                     struct conf_report *report);

/* Where problems of an amendment are placed. Writes to `out_text` and returns it. */
enum { CONF_AMENDMENT_PLACE_BYTES = 1700 };
const char *conf_amendment_place(const char *view, const char *name,
                                 char out_text[CONF_AMENDMENT_PLACE_BYTES]);
