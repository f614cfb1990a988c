/*
 * tools/simulation_print.h - a simulation for the eyes of people and programs
 */
#pragma once

#include "tools/simulation.h"

/* What is printed beside the simulation. Strings are borrowed. */
struct simulation_page {
    const char *zone, *view;
    bool checkds; /* the server looks for the DS by itself; else the operator tells it */
    const char *const *notes; /* what was assumed, what is left out */
    size_t notes_count;
    const char *const *warnings;
    size_t warnings_count;
};

/* A table of events. */
void simulation_print_table(const struct simulation *simulation, const struct simulation_page *page,
                            struct buffer *out_text);
void simulation_print_json(const struct simulation *simulation, const struct simulation_page *page,
                           struct buffer *out_text);
/* A picture: a bar for each key and record, SVG 1.1 without scripts, fonts or links. */
void simulation_print_svg(const struct simulation *simulation, const struct simulation_page *page,
                          struct buffer *out_text);

/* "hidden" and "dnskey", as key files and BIND spell them. */
const char *simulation_state_text(enum key_state_value value);
const char *simulation_record_text(enum key_record record);
