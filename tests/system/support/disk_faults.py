"""A disk that fails at the n-th write, or a server that dies there: support/disk_faults.c."""

import mmap
import pathlib
import struct
import subprocess

FAIL_EIO, FAIL_ENOSPC, WRITE_HALF, DIE_BEFORE, DIE_AFTER, FAIL_EROFS = range(1, 7)
FAULTS = {"EIO": FAIL_EIO, "ENOSPC": FAIL_ENOSPC, "half": WRITE_HALF}
LASTING = {"EIO": FAIL_EIO, "read-only": FAIL_EROFS}
FOR_EVER = 1 << 60  # as `count`, until disarm()
DEATHS = {"before": DIE_BEFORE, "after": DIE_AFTER}

_FIELDS = struct.Struct("=5Q")


class DiskFaults:
    """For one server at a time: start it with `environment`."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        source = pathlib.Path(__file__).with_suffix(".c")
        library = folder / "disk_faults.so"
        subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-Wall", "-o", library, source, "-ldl"],
                       check=True)
        path = folder / "disk_faults"
        path.write_bytes(bytes(_FIELDS.size))
        with open(path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), _FIELDS.size)
        self.environment = {"LD_PRELOAD": str(library), "DISK_FAULTS": str(path)}

    def _get(self):
        return _FIELDS.unpack(self.shared[:])

    @property
    def calls(self):
        return self._get()[0]

    @property
    def fired(self):
        """How many calls failed since arm()."""
        return self._get()[4]

    def arm(self, number, how, count=1):
        """The `number`th call from now on, and the `count` - 1 after it, go wrong."""
        self.disarm()
        struct.pack_into("=4Q", self.shared, 8, 0, count, how, 0)
        struct.pack_into("=Q", self.shared, 8, self.calls + number)

    def disarm(self):
        struct.pack_into("=Q", self.shared, 8, 0)
