"""The preloaded library that lets the disk fail and the clock jump (shim.c), and the file that tells it what to do."""

import mmap
import struct
import subprocess
import pathlib

from ground import Skip

CONTROLS = ("write", "flush", "read", "short", "slow", "clock", "seed")
SIZE = 4096


class Shim:
    """`set` counts faults per million calls, `slow` in microseconds of a flush, `clock` in seconds by which it is wrong."""

    def __init__(self, folder, data, seed):
        self.library, self.path, self.data = folder / "shim.so", folder / "control", data
        source = pathlib.Path(__file__).with_name("shim.c")
        try:
            subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-w", "-o", self.library, source, "-ldl", "-lpthread"], check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise Skip(f"the shim can't be compiled: {error}") from error
        self.path.write_bytes(bytes(SIZE))
        with open(self.path, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), SIZE)
        self.set(seed=seed)

    @property
    def environment(self):
        return {"LD_PRELOAD": str(self.library), "BREAK_CONTROL": str(self.path), "BREAK_FOLDER": str(self.data)}

    def set(self, **values):
        for name, value in values.items():
            struct.pack_into("<q", self.memory, 8 * CONTROLS.index(name), value)

    def off(self):
        self.set(**dict.fromkeys(CONTROLS[:-1], 0))

    def count(self, name):
        """How often it happened."""
        return struct.unpack_from("<q", self.memory, 8 * (len(CONTROLS) + CONTROLS.index(name)))[0]
