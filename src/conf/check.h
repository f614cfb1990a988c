/*
 * conf/check.h - is every statement known, allowed where it stands, and written as it should be?
 *
 * Gives each statement its row of the schema; a statement with an error keeps none, and whoever
 * resolves the tree skips it. Past this point every statement that has a row follows its grammar.
 */
#pragma once

#include "conf/schema.h"
#include "conf/tree.h"

void conf_check_tree(struct conf_tree *tree, struct conf_report *report);

/* The zone's type by its `type` or `in-view` statement; 0: it has none, or a broken one. */
enum schema_zone_type conf_check_zone_type(const struct conf_statement *zone);
