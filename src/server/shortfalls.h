/*
 * server/shortfalls.h - say what a configuration asks for that this version does not do yet
 *
 * Options of later parts are read and checked; none may be accepted in silence. Those that do
 * nothing whatever they say are PENDING in conf/schema_rows.c, and conf/check.c warns of them;
 * these depend on what a zone comes to. One warning for each kind, naming the first zone and how
 * many more there are.
 */
#pragma once

#include "conf/conf.h"

enum shortfall {
    SHORTFALL_OFFLINE_KSK,
    SHORTFALL_PARENT,
    SHORTFALLS,
};

/* How many zones want each. */
void shortfalls_count(const struct conf *conf, size_t out_counts[SHORTFALLS],
                      const struct conf_zone *out_first[SHORTFALLS]);
/* Log them. Thread: keeper. */
void shortfalls_log(const struct conf *conf);
