"""SIGTERM and SIGKILL in quick turn under mixed load, in half of the rounds while it is still starting. What was asked to stop does so in time, with status 0 once it served; the next
start finds everything that was acknowledged."""

import signal
import subprocess
import time

import harness
from load import Load

ROUNDS = 50
QUICK_ROUNDS = 6
STOP_SECONDS_MAX = 10
CHECK_EVERY = 10


def run(ground):
    load = Load(ground)
    load.prepare(ground.data)
    server = ground.server().start()
    load.subscribe(server)
    load.start(server)
    early, longest = 0, 0.0
    for number in range(1, ground.rounds + 1):
        is_early = ground.chance.random() < 0.5
        early += is_early
        if is_early:
            begin(server)
            time.sleep(ground.chance.uniform(0, 0.3))
        else:
            if server.process.poll() is not None:
                server.start()
            time.sleep(ground.chance.uniform(0.05, 0.4))
        ends = ground.chance.choice((signal.SIGTERM, signal.SIGKILL))
        longest = max(longest, end(ground, server, ends, is_early))
        if number % CHECK_EVERY == 0 or number == ground.rounds:
            load.stop()
            server.start()
            load.check(server)
            load.start(server)
            if load.faults:
                break
    load.stop()
    load.check(server, everything=True)
    ground.figures |= {"restarts": number, "of these while starting": early, "acknowledged writes": load.acknowledged_count, "requests cut off": load.cut_off_count,
                       "longest until it had stopped": f"{longest:.1f} s"} | load.check_notifications()
    ground.expect(server.stop() == 0, "it did not stop cleanly in the end")
    load.check_files(ground.data)
    ground.take(load)


def begin(server):
    """Starts it anew without waiting until it serves."""
    if server.process.poll() is None:
        server.kill()
    environment = {"CONURB_PORT": str(server.port), "CONURB_HOST": "127.0.0.1"}
    with open(server.log_path, "ab") as log:
        server.process = subprocess.Popen([server.binary, "serve", "--data", server.data, "--open", *server.options], stdout=log, stderr=log,
                                          stdin=subprocess.DEVNULL, env=harness.clean_environment(environment))


def end(ground, server, ends, is_early):
    """Seconds that it took."""
    started = time.monotonic()
    if server.process.poll() is not None:
        ground.fault(f"it ended by itself with {server.process.returncode}: {server.log_tail(500)}")
        return 0.0
    server.process.send_signal(ends)
    try:
        status = server.process.wait(STOP_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        ground.fault(f"it did not stop within {STOP_SECONDS_MAX} s of {ends.name}: {server.log_tail(500)}")
        server.kill()
        return STOP_SECONDS_MAX
    # Before it has its handlers a signal ends it as any program.
    allowed = {0, -signal.SIGTERM} if is_early else {0}
    ground.expect(ends == signal.SIGKILL or status in allowed, f"SIGTERM {'while starting' if is_early else 'while serving'} ended it with {status}: {server.log_tail(500)}")
    return time.monotonic() - started
