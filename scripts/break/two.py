"""A second process on the data directory of one that serves under load, started in different ways. It refuses with a status other than 0 and a sentence that says why and where; the first goes
on, its control socket too."""

import os
import subprocess

import harness
from load import Load

ROUNDS = 10
QUICK_ROUNDS = 3
REFUSAL_SECONDS_MAX = 10


def run(ground):
    load = Load(ground)
    load.prepare(ground.data)
    server = ground.server().start()
    load.subscribe(server)
    link = ground.folder / "link"
    link.symlink_to(ground.data)
    ways = {"by the same path": ground.data, "by a symbolic link": link, "by a relative path": os.path.relpath(ground.data)}
    load.start(server)
    for number in range(ground.rounds):
        way = list(ways)[number % len(ways)]
        # Also with another folder of keys, which belongs to nobody yet.
        keys = {"CONURB_KEYS": str(ground.folder / "other-keys")} if number % 2 else {}
        environment = harness.clean_environment({"CONURB_PORT": str(harness.free_port())} | keys)
        command = "demo" if number % 4 == 3 else "serve"
        try:
            second = subprocess.run([ground.binary, command, "--data", ways[way]] + (["--open"] if command == "serve" else []), capture_output=True, text=True, timeout=REFUSAL_SECONDS_MAX,
                                    env=environment)
        except subprocess.TimeoutExpired:
            ground.fault(f"a second process ({command}, {way}) did not refuse within {REFUSAL_SECONDS_MAX} s")
            continue
        said = second.stderr + second.stdout
        ground.expect(second.returncode not in (0, None) and second.returncode > 0, f"a second process ({command}, {way}) ended with {second.returncode}: {said[:300]}")
        ground.expect("another process is using" in said and (ground.data.name in said or link.name in said), f"a second process ({command}, {way}) did not say why: {said[:300]}")
        ground.expect(not (ground.folder / "other-keys").exists(), "a process that was refused made keys")
    # Commands reach the first over its control socket.
    listed = ground.conurb.run("municipality", "list", "--data", ground.data)
    ground.expect(listed.returncode == 0 and "alder" in listed.stdout, f"the control socket of the first is gone: {listed.stderr}")
    load.stop()
    load.check(server, everything=True)
    ground.figures |= {"second processes": ground.rounds, "acknowledged writes of the first": load.acknowledged_count} | load.check_notifications()
    ground.expect(load.cut_off_count == 0, "requests to the first were cut off")
    ground.expect(server.stop() == 0, "it did not stop cleanly in the end")
    load.check_files(ground.data)
    ground.take(load)
