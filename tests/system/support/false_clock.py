"""A wall clock that can be set: support/false_clock.c."""

import pathlib
import subprocess

DAY = 86400


class FalseClock:
    """For servers and clients that are started with `environment`."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "false_clock"
        source = pathlib.Path(__file__).with_suffix(".c")
        library = self.path.with_suffix(".so")
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-o", library, source],
                       check=True)
        self.set(0)
        self.environment = {"LD_PRELOAD": str(library), "FALSE_CLOCK": str(self.path)}

    def set(self, seconds):
        """So far from the true time; seen at once, also by who runs already."""
        new = self.path.with_suffix(".new")
        new.write_text(str(seconds))
        new.rename(self.path)
