/*
 * base/epoch.h for fuzz targets, instead of base/epoch.c
 *
 * One thread only: a grace period passes when the target says so, at once and the same in each
 * run. Include once.
 */
#pragma once

#include <stddef.h>

#include "base/epoch.h"

static struct epoch_retired *waiting;

void epoch_retire(struct epoch_retired *retired, void (*release)(struct epoch_retired *retired))
{
    retired->release = release;
    retired->next = waiting;
    waiting = retired;
}

void epoch_barrier(void)
{
    while (waiting != NULL) {
        struct epoch_retired *first = waiting;
        waiting = first->next;
        first->release(first);
    }
}

void epoch_reclaim(void)
{
    epoch_barrier();
}

void epoch_join(void)
{
}

void epoch_leave(void)
{
}

void epoch_quiesce(void)
{
}

void epoch_offline(void)
{
}

void epoch_online(void)
{
}
