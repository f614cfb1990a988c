/*
 * zone/check_target.h - do the names that NS, MX and SRV point at have addresses? Private to
 * check and update.
 */
#pragma once

#include "zone/check_problem.h"

bool check_has_target(uint16_t type);
/* `rdata` is of a type with a target; its owner is not below a zone cut. */
void check_target(const struct zone_check *check, uint16_t type, struct span rdata);
/* Has a name server of the apex, lower case, an address as far as the draft can know? */
bool check_server_is_reached(const struct zone_version *draft, const struct dns_name *target);
