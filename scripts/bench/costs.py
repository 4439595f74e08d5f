#!/usr/bin/env python3
"""Tells where the server's time goes under one shape of request: by part of the program, by kind of work, by function; and what it counts per request.

    .venv/bin/python scripts/bench/costs.py .build/release/conurb --shape page [--entities 5000] [--connections 50] [--seconds 10] [--data DIR]

For the one who makes it faster; writes nothing. As root, since `perf` looks into the server. The server has one core and wrk
another, as in scripts/bench/door.py. Three runs: one undisturbed, for the processor's time per request as the kernel accounts it; one in which
`perf stat` counts system calls, switches of thread, allocations and retains, which are exact whatever else the machine does; and
one in which `perf record` takes samples with their stacks.

A sample belongs to the part whose function is innermost on its stack, with what that calls in the Swift runtime, libc and the
kernel; and to the kind of the place where it was taken. libc keeps no frames, so who called malloc is often not known. Where a virtual machine has no counter of cycles, samples are taken by a timer, which
can't look into the kernel while interrupts are off: such time shows at the function that switches them on again.
"""

import argparse
import collections
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

PROJECT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "Tests" / "acceptance"), str(PROJECT / "scripts" / "bench")]

import door
import harness
from shapes import SHAPES

SAMPLES_PER_SECOND = 1999
CALLS_PER_SAMPLE = 211
FUNCTION_COUNT = 40
SYSTEM_CALLS = ("futex", "epoll_wait", "read", "write", "writev", "recvfrom", "sendto", "pread64", "pwrite64", "fcntl", "fdatasync", "madvise", "mmap", "munmap", "sched_yield")
EVENTS = ["context-switches", "raw_syscalls:sys_enter"] + [f"syscalls:sys_enter_{name}" for name in SYSTEM_CALLS]
PROBES = {"malloc": ("libc.so", "malloc"), "retain": ("libswiftCore.so", "swift_retain"), "release": ("libswiftCore.so", "swift_release"),
          "allocObject": ("libswiftCore.so", "swift_allocObject"), "taskCreate": ("libswift_Concurrency.so", "swift_task_create"),
          "taskSwitch": ("libswift_Concurrency.so", "swift_task_switch"), "enqueue": ("libswift_Concurrency.so", "swift_task_enqueueGlobal"),
          "dispatchAsync": ("libdispatch.so", "dispatch_async"), "dispatchSync": ("libdispatch.so", "dispatch_sync"),
          "sqliteStep": ("libsqlite3.so", "sqlite3_step"), "sqlitePrepare": ("libsqlite3.so", "sqlite3_prepare_v3"), "getMetadata": ("libswiftCore.so", "swift_getGenericMetadata"),
          "dynamicCast": ("libswiftCore.so", "swift_dynamicCast")}
PROBE_GROUP = "conurb_costs"

LIBRARIES = (
    (r"NIO|_NIO|CNIO", "NIO: sockets, HTTP"), (r"Hummingbird|HTTPTypes", "Hummingbird: connections, routing"), (r"GRDB", "GRDB"),
    (r"Logging|CoreMetrics|Metrics|Tracing|ServiceContext|InMemoryTracing", "logging and metrics"))
# From one thread or task to another: waking, waiting, queueing; with what GRDB does to get a reader from its pool and give it back.
HOPS, HOP_KINDS, HOP_MODULES = "hops between threads and tasks", ("kernel: switching threads", "dispatch queues", "tasks"), ("Dispatch",)
THREADS = ((r"NIO", "event loops"), (r"overcommit", "queues of SQLite connections"), (r"default-qos|cooperative", "tasks"))
KERNEL_KINDS = (
    (r"schedule|futex|try_to_wake_up|eventfd|finish_task_switch|wake_up", "kernel: switching threads"),
    (r"tcp_|sock|inet_|epoll|skb_|net_rx", "kernel: sockets"), (r"ext4|xfs|btrfs|blk_|vfs_|fsync|iomap|pread", "kernel: files"), (r".", "kernel: other"))
KINDS = (
    (r"libsqlite3", r".", "SQLite"), (r"libdispatch|BlocksRuntime|libswiftDispatch", r".", "dispatch queues"), (r"libswift_Concurrency", r".", "tasks"),
    (r"libswiftCore", r"^swift_(bridgeObject)?(retain|release)|RefCount|swift_(non)?atomic|isUniquely", "retain, release"),
    (r"libswiftCore", r"alloc|dealloc|deinit|[dD]estroy", "allocation"), (r"libc\.so", r"malloc|free|realloc|calloc|consolidate|unlink_chunk|sysmalloc|brk", "allocation"),
    (r"libc\.so", r"mem(move|cpy|cmp|set|chr)|str", "copying, comparing bytes"), (r"libc\.so|vdso|ld-linux|libpthread", r".", "locks, clock, other libc"),
    (r"libswiftCore", r"getCache|[mM]etadata|[wW]itness|[cC]ast|MetadataCache|ConcurrentReadable|conformance|instantiate|demangl", "metadata, casts"),
    (r"libswiftCore", r"Hasher|hash", "hashing"), (r"libswiftCore|libFoundation", r".", "Swift library: strings, arrays"),
    (r".", r"swift_instantiateConcreteType|swift_project|WOcp|Vwcp|Owcp|WObTm|WOcTm", "metadata, casts"), (r".", r".", "own code"))


# What is counted


def library(process, name):
    """The path of a library that the server has loaded, or nothing."""
    for line in pathlib.Path(f"/proc/{process.pid}/maps").read_text().splitlines():
        path = line.split(maxsplit=5)[-1]
        if "/" in path and pathlib.Path(path).name.startswith(name):
            return path
    return None


@contextlib.contextmanager
def probes(process):
    """Places in libraries that `perf stat` can count, by name."""
    made = {}
    try:
        for name, (file, symbol) in PROBES.items():
            path = library(process, file)
            told = path and subprocess.run(["perf", "probe", "-q", "-f", "-x", path, f"{PROBE_GROUP}:{name}={symbol}"], capture_output=True, text=True)
            if told and told.returncode == 0:
                made[name] = f"{PROBE_GROUP}:{name}"
            else:
                print(f"SKIPPED: {name} is not counted: {told.stderr.strip() if told else file + ' is not loaded'}")
        yield made
    finally:
        if made:
            subprocess.run(["perf", "probe", "-q", "-d", f"{PROBE_GROUP}:*"], capture_output=True)


def beside(command, act):
    """What `act` gives while perf measures, from before its first request to after its last; and what perf said."""
    (control, tell), (acknowledged, acknowledge) = os.pipe(), os.pipe()
    command = [*command[:2], "-D", "-1", "--control", f"fd:{control},{acknowledge}", *command[2:]]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, pass_fds=(control, acknowledge))
    for end in (control, acknowledge):
        os.close(end)
    try:
        os.write(tell, b"enable\n")
        if not os.read(acknowledged, 16).startswith(b"ack"):
            raise OSError("perf did not begin")
        result = act()
    finally:
        process.send_signal(signal.SIGINT)
        said = process.communicate()[1]
        os.close(tell)
        os.close(acknowledged)
        if process.returncode not in (0, -signal.SIGINT):
            print(said)
    return result, said


def counted(process, ask):
    """Events per request, by name."""
    with probes(process) as made:
        events = EVENTS + list(made.values())
        told, said = beside(["perf", "stat", "-x", ";", "-p", str(process.pid), "-e", ",".join(events)], ask)
    counts = {}
    for line in said.splitlines():
        fields = line.split(";")
        if len(fields) > 2 and fields[0].isdigit():
            counts[fields[2].removeprefix("syscalls:sys_enter_").removeprefix(PROBE_GROUP + ":")] = int(fields[0]) / told["requests"]
    return counts


def processor_time(process, ask):
    """Microseconds of processor time per request: in the program and its libraries, and in the kernel for it."""
    def ticks():
        fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return int(fields[11]), int(fields[12])
    before, told, after = ticks(), ask(), ticks()
    tick = 1e6 / os.sysconf("SC_CLK_TCK")
    return [(after[side] - before[side]) * tick / told["requests"] for side in (0, 1)], told


# Samples


def samples(file):
    """The thread's name and the stack as (symbol, file) from the inside out, of each sample."""
    lines = subprocess.Popen(["perf", "script", "-i", file, "-F", "comm,ip,sym,dso"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    thread, stack = "", []
    for line in lines.stdout:
        if parsed := re.match(r"\s+([0-9a-f]+) (.*) \(([^()]*)\)$", line.rstrip()):
            # A function without a name is told by its place, which `objdump -d` shows.
            stack.append((parsed[2] if parsed[2] != "[unknown]" else f"{pathlib.Path(parsed[3]).name} at {parsed[1]}", parsed[3]))
        elif line.strip():
            thread = line.strip()
        elif stack:
            yield thread, stack
            stack = []
    if stack:
        yield thread, stack
    lines.wait()


def module(symbol):
    """The module of a mangled Swift function; nothing for those of the standard library and for what is not Swift."""
    found = re.match(r"\$s(\d+)(\w+)", symbol)
    return found[2][:int(found[1])] if found else None


def part(stack):
    if kind(stack) in HOP_KINDS or module(function(stack)) in HOP_MODULES or any(re.match(r"\$s4GRDB4PoolC", symbol) for symbol, _ in stack[:6]):
        return HOPS
    for symbol, file in stack:
        if "libsqlite3" in file:
            return "SQLite"
        if name := module(symbol):
            return next((title for pattern, title in LIBRARIES if re.match(pattern, name)), f"`{name}`")
    if any("libdispatch" in file or "libswift_Concurrency" in file for _, file in stack):
        return HOPS
    return "no caller known"


def kind(stack):
    symbol, file = stack[0]
    if "kernel" in file:
        names = " ".join(symbol for symbol, file in stack if "kernel" in file)
        return next(title for pattern, title in KERNEL_KINDS if re.search(pattern, names))
    return next(title for files, pattern, title in KINDS if re.search(files, file) and re.search(pattern, symbol))


def function(stack):
    """The innermost function of a module."""
    return next((symbol for symbol, file in stack if module(symbol)), next((symbol for symbol, file in stack if "libsqlite3" in file), stack[-1][0]))


def readable(symbols):
    shown = subprocess.run(["swift", "demangle", "--compact", "--simplified"], input="\n".join(symbols), capture_output=True, text=True)
    return [re.sub(r"^.*(?:suspend resume|await resume) partial function for |^\(\d+\) ", "", line) for line in shown.stdout.splitlines()] if shown.returncode == 0 else symbols


def tell_functions(title, counter, total):
    merged = collections.Counter()
    for name, count in zip(readable(list(counter)), counter.values()):
        merged[name] += count
    print(title)
    for name, count in merged.most_common(FUNCTION_COUNT):
        print(f"{count / total:6.1%}  {name[:150]}")


def thread_kind(name):
    return next((title for pattern, title in THREADS if re.search(pattern, name)), name)


def table(title, counts, total):
    """Shares of rows and kinds; `counts` has a counter of kinds for each row."""
    whole = sum(counts.values(), collections.Counter())
    kinds = [name for name, _ in whole.most_common()]
    lines = [f"| {title} | all | " + " | ".join(kinds) + " |", "|---|---:|" + "---:|" * len(kinds)]

    def cells(row):
        return " | ".join(f"{row[kind] / total:.1%}" if row[kind] / total >= 0.0005 else "" for kind in kinds)
    for name, row in sorted(counts.items(), key=lambda item: -sum(item[1].values())):
        lines.append(f"| {name} | {sum(row.values()) / total:.1%} | {cells(row)} |")
    return "\n".join(lines + [f"| all | 100 % | {cells(whole)} |"])


def tell_samples(file):
    by_part_and_kind, by_thread, innermost, within = (collections.defaultdict(collections.Counter), collections.defaultdict(collections.Counter),
                                                      collections.Counter(), collections.Counter())
    for thread, stack in samples(file):
        by_part_and_kind[part(stack)][kind(stack)] += 1
        innermost[function(stack)] += 1
        within.update({symbol for symbol, _ in stack if module(symbol)})
        by_thread[thread_kind(thread)][kind(stack)] += 1
    total = sum(sum(row.values()) for row in by_thread.values())
    print(f"\n{total:,} samples\n\n{table('part', by_part_and_kind, total)}\n\n{table('threads', by_thread, total)}\n")
    tell_functions("innermost function with a module:", innermost, total)
    tell_functions("within the function, up to where it waits:", within, total)


def tell_within(file, patterns):
    """Of each pattern the share of samples on whose stack a function is that it matches."""
    stacks = [{symbol for symbol, _ in stack} for _, stack in samples(file)]
    symbols = sorted(set().union(*stacks))
    names = dict(zip(symbols, readable(symbols)))
    for pattern in patterns:
        matching = {symbol for symbol, name in names.items() if re.search(pattern, name)}
        print(f"{sum(not matching.isdisjoint(stack) for stack in stacks) / len(stacks):6.1%}  {pattern}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("--shape", choices=SHAPES, default="page")
    parser.add_argument("--entities", type=int, default=5_000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--data", type=pathlib.Path, help="where filled data directories are kept, as for door.py")
    parser.add_argument("--callers", choices=PROBES, help="instead of time tell who calls this")
    parser.add_argument("--samples", type=pathlib.Path, help="keep what perf recorded in this file")
    parser.add_argument("--tell", type=pathlib.Path, help="only tell what perf recorded in this file before")
    parser.add_argument("--within", action="append", help="with --tell: only the share of samples within functions of that name (a pattern; may be repeated)")
    options = parser.parse_args()
    if options.tell and options.within:
        return tell_within(options.tell, options.within)
    if options.tell:
        return tell_samples(options.tell)
    cores, shape = sorted(os.sched_getaffinity(0))[-2:][::-1], SHAPES[options.shape]
    with tempfile.TemporaryDirectory(prefix="conurb-costs-") as folder:
        folder = pathlib.Path(folder)
        kept = (options.data or folder / "filled").resolve()
        kept.mkdir(parents=True, exist_ok=True)
        data, file = folder / "data", options.samples or folder / "perf.data"
        shutil.copytree(door.filled(harness.Conurb(options.binary.resolve()), kept, options.entities), data)
        os.sched_setaffinity(0, {cores[1]})
        server = harness.Server(data, "--contexts", door.contexts_folder(folder), binary=options.binary.resolve())
        with door.on_core(cores[0]):
            server.start()
        try:
            asker = door.Asker(options.entities, cores)

            def ask():
                return asker.ask(server.port, shape, options.connections, options.seconds, [server.process.pid])
            asker.ask(server.port, shape, options.connections, door.WARM_UP_SECONDS, [server.process.pid])
            (program, kernel), told = processor_time(server.process, ask)
            print(f"{shape.title}, {options.entities:,} entities, {options.connections} connections: {told['requestsPerSecond']:,.0f}/s, "
                  f"{program:.1f} µs in the program and {kernel:.1f} µs in the kernel per request")
            recorded = ["perf", "record", "-q", "-g", "-o", str(file), "-p", str(server.process.pid)]
            if options.callers:
                with probes(server.process) as made:
                    beside(recorded + ["-e", made[options.callers], "-c", str(CALLS_PER_SAMPLE)], ask)
            else:
                counts = counted(server.process, ask)
                print("per request: " + ", ".join(f"{name} {count:.1f}" for name, count in counts.items() if count >= 0.05))
                beside(recorded + ["-F", str(SAMPLES_PER_SECOND)], ask)
        finally:
            server.stop()
            server.log_path.unlink(missing_ok=True)
        tell_samples(file)


if __name__ == "__main__":
    main()
