/*
 * tools/simulation_margins.h - where a policy leaves no margin
 */
#pragma once

#include "tools/simulation.h"

enum { MARGIN_TEXT_BYTES = 320 };

/* One thing that an operator should think about; borrowed during the call. */
typedef void margins_report(void *argument, const char *text);

/* What the options say by themselves; `parent_delay` or SIMULATION_NEVER. */
void policy_margins(const struct kasp_policy *policy, sg_duration parent_delay,
                    margins_report *report, void *argument);
/* What came to light while it ran. */
void simulation_margins(const struct simulation *simulation, margins_report *report,
                        void *argument);
