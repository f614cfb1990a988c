/*
 * conf/grammar.h - does a statement look as its grammar says?
 *
 * A grammar is written as the manual page writes it:
 *
 *   word           that word, case ignored
 *   <type>         a value: <integer>, <integer 1..1440>, <boolean>, <acl>, ...
 *   <integer 1~9>  a number that is brought into the range, with a warning
 *   ( a | b )      one of them, told apart by its first word
 *   [ a ]          may be missing
 *   { a }          a block of statements, each like a
 *   {}             a block that conf/check.c goes through, statement by statement
 *   ...            whatever there is
 *
 * Grammars are ours, so matching may call itself as deep as a grammar is nested (CONF_GRAMMAR_
 * NESTING_MAX); the text of the file is never a reason to.
 */
#pragma once

#include "conf/tree.h"

enum { CONF_GRAMMAR_NESTING_MAX = 6 };

/* Match what follows the statement's first word. Adds one error and gives false if it does not. */
bool conf_grammar_match(const char *grammar, const struct conf_statement *statement,
                        struct conf_report *report);
