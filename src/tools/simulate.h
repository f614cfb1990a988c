/*
 * tools/simulate.h - signet simulate
 */
#pragma once

int tool_simulate(int argc, char **argv);
