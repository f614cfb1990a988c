/*
 * zone/pile.h - what a pile is: an arena that nothing is ever freed in (private to zone/)
 */
#pragma once

#include "zone/arena.h"
#include "zone/node.h"

struct zone_pile {
    struct arena arena;
};
