"""A small file system of its own in a mount namespace of its own, to be filled up by a test."""

import pathlib
import subprocess

import pytest

from support.signet import Signet
from support.waiting import wait_until


class SmallDisk:
    """`folder` is an empty tmpfs for whoever runs inside() it; others reach it through `seen`."""

    def __init__(self, folder, mib):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir()
        ready = self.folder.with_suffix(".ready")
        script = f"mount -t tmpfs -o size={mib}m tmpfs {self.folder} && touch {ready} && exec sleep inf"
        self.holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", script],
                                       stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_until(lambda: ready.exists() or self.holder.poll() is not None, 20, "a mount")
        if not ready.exists():
            pytest.skip("MISSING: the right to mount: a full disk is not tested: "
                        + self.holder.stderr.read().decode())
        self.seen = pathlib.Path(f"/proc/{self.holder.pid}/root{self.folder}")

    def inside(self, command):
        return ["nsenter", f"--mount=/proc/{self.holder.pid}/ns/mnt", f"--wd={self.folder}",
                *command]

    def fill(self):
        """Until not a byte fits any more."""
        with open(self.seen / "filling", "ab", buffering=0) as file:
            for size in (65536, 4096, 1):
                try:
                    while file.write(bytes(size)) == size:
                        pass
                except OSError:
                    pass

    def make_room(self):
        (self.seen / "filling").unlink()

    def remount(self, how):
        """`how`: ro (nothing may be open for writing there) or rw."""
        subprocess.run(self.inside(["mount", "-o", f"remount,{how}", str(self.folder)]), check=True,
                       timeout=20)

    def unmount(self):
        self.holder.kill()
        self.holder.wait(20)


class SignetOnSmallDisk(Signet):
    """Its store and its keys are there; configuration, zone files and log are elsewhere."""

    def __init__(self, folder, disk):
        super().__init__(folder, options=f'store-directory "{disk.folder}/store"; '
                                         f'key-directory "{disk.folder}";')
        self.disk = disk

    def command(self):
        return self.disk.inside(super().command())
