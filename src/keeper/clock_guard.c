#include "keeper/clock_guard.h"

static void believe(struct clock_guard *guard, sg_time wall, sg_time uptime)
{
    guard->doubt = CLOCK_TRUSTED;
    guard->offset = wall - uptime;
    guard->latest = wall;
    guard->jump = 0;
}

void clock_guard_accept(struct clock_guard *guard, sg_time wall, sg_time uptime)
{
    believe(guard, wall, uptime);
    guard->begun = true;
}

static bool is_small(sg_duration step)
{
    return step <= CLOCK_STEP_MAX && step >= -CLOCK_STEP_MAX;
}

/* Is what was doubted believed again? */
static bool is_right_again(const struct clock_guard *guard, sg_time wall, sg_duration step)
{
    switch (guard->doubt) {
    case CLOCK_EARLY:
        return wall >= CLOCK_EARLIEST;
    case CLOCK_BEHIND:
        /* Past what it has shown, but not by a jump the other way. */
        return is_small(step) || (step < 0 && wall > guard->latest);
    default:
        return is_small(step);
    }
}

void clock_guard_look(struct clock_guard *guard, sg_time wall, sg_time uptime)
{
    if (!guard->begun) {
        clock_guard_accept(guard, wall, uptime);
        guard->doubt = wall < CLOCK_EARLIEST ? CLOCK_EARLY : CLOCK_TRUSTED;
        return;
    }
    sg_duration step = wall - uptime - guard->offset;
    if (guard->doubt == CLOCK_TRUSTED ? is_small(step) : is_right_again(guard, wall, step)) {
        believe(guard, wall, uptime);
    } else if (guard->doubt != CLOCK_EARLY) {
        guard->doubt = step > 0 ? CLOCK_AHEAD : CLOCK_BEHIND;
        guard->jump = step > 0 ? step : -step;
    }
}
