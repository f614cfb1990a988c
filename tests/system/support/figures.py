"""Figures that a test found on its way: printed at the end of the run, for doc/results."""

LINES = []


def note(line):
    LINES.append(line)
