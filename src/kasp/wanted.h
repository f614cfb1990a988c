/*
 * kasp/wanted.h - which keys shall stay, leave, come back, follow, be made or purged
 *
 * Private to kasp/. Sets goals, links, times; moves no record.
 */
#pragma once

#include "kasp/rules.h"

void kasp_want(struct kasp_case *c);
/* Sets `purge`, or when. */
void kasp_purge(struct kasp_case *c, size_t key);
