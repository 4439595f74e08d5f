"""The clock on the wall jumps under mixed load, an hour ahead, an hour back and to 1970 (a preloaded library; that of durations goes on). The server keeps
serving and nothing is lost: every acknowledged value is in the history, the entity has the last one, a notification that waited for its receiver does not wait for the clock to be where it was,
and the times of the ledger do not go back (docs/ledger.md). The history of what was written while the clock was wrong is in the order that the clock told."""

import datetime
import json
import time

import faults
from harness import NGSI_LD
from load import Load
from shim import Shim

ROUNDS = 10
QUICK_ROUNDS = 2
SECONDS = 1.0
HOUR = 3600
# To June of 1970: times on the wall stay apart from those since the machine started.
TO_1970 = 14_000_000
JUMPS = ("an hour ahead", "an hour back", "to 1970", "right again", "a day back")
DELIVERY_SECONDS_MAX = 20


def offset(jump):
    return {"an hour ahead": HOUR, "an hour back": -HOUR, "to 1970": TO_1970 - int(time.time()), "right again": 0, "a day back": -24 * HOUR}[jump]


class JumpingLoad(Load):
    """The past is complete; its order is that of a clock which was wrong."""

    def judge_past(self, municipality, unit, recorded, told, present):
        if missing := (set(told) | {present}) - set(recorded) - {None}:
            self.note(f"history has lost {sorted(missing)} of {unit[1]} in {municipality}: {recorded}")


def run(ground):
    shim = Shim(ground.folder, ground.data, ground.seed)
    load = JumpingLoad(ground)
    load.prepare(ground.data)
    server = ground.server(environment=shim.environment).start()
    load.subscribe(server)
    away = faults.Receiver("returning")
    ground.stack.callback(away.close)
    subscription = {"id": "urn:ngsi-ld:Subscription:away", "type": "Subscription", "entities": [{"type": "Buoy"}], "notification": {"endpoint": {"uri": away.uri}}}
    ground.expect(server.post(NGSI_LD + "/subscriptions", subscription, municipality="alder").status_code == 201, "no subscription")
    delivered = []
    for number in range(ground.rounds):
        jump = JUMPS[number % len(JUMPS)]
        load.start(server)
        time.sleep(SECONDS / 2)
        # Its receiver is away when it is sent first, so it waits; then the clock jumps, and the receiver is back.
        away.order("die")
        buoy = {"id": f"urn:ngsi-ld:Buoy:{number}", "type": "Buoy", "level": {"type": "Property", "value": number}}
        ground.expect(server.post(NGSI_LD + "/entities", buoy, municipality="alder").status_code == 201, f"a write fails before the clock jumps {jump}")
        time.sleep(1.2)
        away.order("return")
        away.ask("count")
        shim.set(clock=offset(jump))
        time.sleep(SECONDS / 2)
        load.stop()
        ground.expect(server.process.poll() is None, f"the server ended when the clock jumped {jump}: {server.log_tail(1000)}")
        started = time.monotonic()
        while number not in away.ask("tell")[0] and time.monotonic() - started < DELIVERY_SECONDS_MAX:
            time.sleep(0.1)
        delivered.append(time.monotonic() - started)
        ground.expect(number in away.ask("tell")[0], f"a notification that waited is not sent within {DELIVERY_SECONDS_MAX} s after the clock jumped {jump}")
        load.check(server)
        ground.faults += [f"{fault} (the clock jumped {jump})" for fault in load.faults]
        load.faults = []
    shim.off()
    load.check(server, everything=True)
    ground.figures |= {"jumps": number + 1, "acknowledged writes": load.acknowledged_count, "longest until a waiting notification came": f"{max(delivered):.1f} s"} | load.check_notifications()
    check_ledgers(ground, load)
    ground.expect(server.stop() == 0, "it did not stop cleanly in the end")
    load.check_files(ground.data)
    ground.take(load)


def check_ledgers(ground, load):
    for municipality in load.municipalities:
        printed = ground.conurb.run("ledger", "log", "--municipality", municipality, "--data", ground.data)
        times = [datetime.datetime.fromisoformat(json.loads(line)["recordedAt"]) for line in printed.stdout.splitlines()]
        ground.expect(printed.returncode == 0 and times, f"the ledger of {municipality} can't be read: {printed.stderr} {printed.stdout[:200]}")
        ground.expect(times == sorted(times), f"times of the ledger of {municipality} go back")
