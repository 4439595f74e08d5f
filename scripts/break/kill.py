"""`kill -9` at random instants under mixed load. Creates, patches, batches, appends to history, subscriptions and cases in two municipalities, with a
receiver of notifications; after each kill everything that was touched, and a sample of what is older, is held against what was acknowledged."""

from load import Load

ROUNDS = 200
QUICK_ROUNDS = 4
SECONDS = (0.05, 0.9)  # from the start of the writers to the kill
LEDGERS_EVERY = 20


def run(ground):
    load = Load(ground)
    load.prepare(ground.data)
    server = ground.server().start()
    load.subscribe(server)
    for number in range(1, ground.rounds + 1):
        load.start(server)
        load.stopping.wait(ground.chance.uniform(*SECONDS))  # the moment of the crash is what is random here
        server.kill()
        load.stop()
        # `verify` opens the files as the crash left them, and so proves recovery from the outside.
        if number % LEDGERS_EVERY == 0:
            load.check_files(ground.data)
        elif (verified := ground.conurb.verify(ground.data)).returncode:
            load.note(f"verify in round {number}: {verified.stdout} {verified.stderr}")
        server.start()
        load.check(server)
        if number % 10 == 0 or number == ground.rounds:
            ground.say(f"  round {number}: {load.acknowledged_count:,} acknowledged writes, {len(load.faults)} faults")
        if load.faults:
            break
    load.check(server, everything=True)
    ground.figures |= {"kills": number, "acknowledged writes": load.acknowledged_count, "requests cut off": load.cut_off_count} | load.check_notifications()
    ground.expect(server.stop() == 0, "it did not stop cleanly in the end")
    load.check_files(ground.data)
    ground.expect(load.acknowledged_count > ground.rounds * 5, "it wrote next to nothing, which proves nothing")
    ground.take(load)
