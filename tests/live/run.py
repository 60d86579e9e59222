#!/usr/bin/env python3
"""Runs the live stories: real hawserd, nats-server and clients.

    run.py [--long] [--list] [--size N] [NAME…]     NAME: a file (crash) or a story (crash.kills)

Each story runs in a process of its own with a time limit. What a story notes is printed; all of its
output only if it fails. The last line counts.
"""

import argparse
import importlib
import os
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
SKIPPED = 77


def stories(wanted):
    from hawser_live.story import STORIES

    for file in sorted(os.listdir(HERE)):
        if file.startswith("test_") and file.endswith(".py"):
            importlib.import_module(file[:-3])
    return [
        s for s in STORIES if not wanted or s.name in wanted or s.name.split(".")[0] in wanted
    ]


def run_here(name):
    """In the child: one story. Its processes end with it."""
    from hawser_live.story import Skip

    (found,) = stories([name])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        found.run()
    except Skip as reason:
        print(f"SKIP {reason}", flush=True)
        return SKIPPED
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def run_child(found, arguments):
    from hawser_live.mesh import WORK

    os.makedirs(WORK, exist_ok=True)
    path = os.path.join(WORK, found.name + ".out")
    limit = found.seconds * (4 if arguments.long else 1)
    environment = dict(os.environ, PYTHONUNBUFFERED="1")
    if arguments.long:
        environment["HAWSER_LIVE_LONG"] = "1"
    if arguments.size:
        environment["HAWSER_LIVE_SIZE"] = str(arguments.size)
    begun = time.monotonic()
    with open(path, "wb") as out:
        child = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), "--one", found.name],
            stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment,
        )
        try:
            code = child.wait(limit)
            late = False
        except subprocess.TimeoutExpired:
            late = True
            child.terminate()  # lets it end what it started
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
            code = 1
    with open(path, errors="replace") as out:
        lines = out.read().splitlines()
    took = time.monotonic() - begun
    if code == SKIPPED:
        reason = next((line[5:] for line in lines if line.startswith("SKIP ")), "")
        print(f"skipped  {found.name:28} {took:5.1f} s  {found.moral}: {reason}", flush=True)
        return "skipped"
    if code == 0:
        print(f"ok       {found.name:28} {took:5.1f} s  {found.moral}", flush=True)
        for line in lines:
            if line.startswith("    ") and not line.startswith("     "):
                print(line, flush=True)
        return "passed"
    why = f"over its limit of {limit:.0f} s" if late else f"exit {code}"
    print(f"FAILED   {found.name:28} {took:5.1f} s  {found.moral}: {why}; all of it in {path}", flush=True)
    print("\n".join("    | " + line for line in lines[-60:]), flush=True)
    return "failed"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="*")
    parser.add_argument("--long", action="store_true", help="the sizes that do not fit in CI")
    parser.add_argument("--size", type=int, help="overrides the size of each story (cycles, seconds…)")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        sys.exit(run_here(arguments.one))
    chosen = stories(arguments.names)
    if arguments.list:
        for found in chosen:
            print(f"{found.name:28} {found.moral}")
        return
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for found in chosen:
        counts[run_child(found, arguments)] += 1
    print("{passed} passed, {failed} failed, {skipped} skipped".format(**counts))
    sys.exit(1 if counts["failed"] or not chosen else 0)


if __name__ == "__main__":
    main()
