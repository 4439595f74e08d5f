"""What every scenario stands on: its seed, a folder, the program, and what it found."""

import contextlib
import pathlib
import random
import shutil
import sqlite3
import tempfile

import harness


class Skip(Exception):
    """The machine lacks what a scenario needs."""


class Ground:
    """The surroundings of one run of one scenario; a context, at whose end everything that it began ends."""

    def __init__(self, name, binary, seed, rounds, say=print):
        self.name, self.binary, self.seed, self.rounds, self.say = name, pathlib.Path(binary).resolve(), seed, rounds, say
        self.chance, self.conurb = random.Random(f"{name}-{seed}"), harness.Conurb(self.binary)
        self.stack, self.faults, self.figures = contextlib.ExitStack(), [], {}

    def __enter__(self):
        self.stack.__enter__()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"conurb-break-{self.name}-"))
        self.stack.callback(shutil.rmtree, self.folder, ignore_errors=True)
        self.data = self.folder / "data"
        return self

    def __exit__(self, *error):
        return self.stack.__exit__(*error)

    def server(self, *options, data=None, environment=None, command=None):
        """A server that is not started yet and does not outlive the scenario. Notifications may go to this machine."""
        server = harness.Server(data or self.data, "--allow-private-egress", *options, binary=self.binary, environment=environment)

        def end():
            if server.process and server.process.poll() is None:
                server.kill()
            server.log_path.unlink(missing_ok=True)
        self.stack.callback(end)
        return server

    def fault(self, text):
        """A promise that was broken."""
        self.faults.append(text)

    def expect(self, holds, text):
        if not holds:
            self.fault(text)
        return holds

    def take(self, load):
        """Adds what a load found."""
        self.faults += load.faults
        load.faults = []

    @staticmethod
    def rows(file, sql):
        """What a municipality's file holds, read beside whoever has it open."""
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()

    @classmethod
    def integrity(cls, file):
        try:
            return cls.rows(file, "PRAGMA integrity_check")[0][0]
        except sqlite3.DatabaseError as error:
            return str(error)
