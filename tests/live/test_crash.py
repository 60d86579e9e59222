"""kill -9, over and over: what was acknowledged is there."""

import os
import random
import time

from hawser_live.keeper import wait_until
from hawser_live.load import Ledger, Load, check_kept
from hawser_live.mesh import Mesh
from hawser_live.story import check, check_same, note, size, story

VALUE_BYTES = 2500
POINTS = ["load", "checkpoint", "trim", "start-up"]


def records_changed(region):
    """What changes while a checkpoint writes the record tables."""
    try:
        state = os.stat(os.path.join(region.store, "records", "data.mdb"))
        return state.st_mtime_ns
    except FileNotFoundError:
        return 0


def wait_for_point(point, region, load, rng):
    """Returns at the point where the kill shall come; False if the point did not come in time."""
    wait_until(lambda: load.acked() >= 1000, 60, "1,000 acknowledged writes", 0.002)
    if point == "checkpoint":
        before = records_changed(region)
        deadline = time.monotonic() + 20
        while records_changed(region) == before:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.0005)
        time.sleep(rng.choice([0, 0.001, 0.005, 0.02]))
    elif point == "trim":
        rest, before = region.rest(), 0.0
        deadline = time.monotonic() + 20
        while True:
            now = journal_bytes(rest)
            if now < before:
                break
            before = now
            if time.monotonic() > deadline:
                return False
        rest.close()
    else:
        time.sleep(rng.uniform(0, 0.3))
    return True


def journal_bytes(rest):
    for line in rest.get("/metrics").body.decode().splitlines():
        if line.startswith("hawser_journal_bytes"):
            return float(line.rsplit(" ", 1)[1])
    raise AssertionError("no metric hawser_journal_bytes")


@story("after kill -9 every acknowledged write is there, in every region", seconds=420)
def kills():
    cycles = size(20, 200)
    rng = random.Random(20)
    settings = {"storage": {"memtable_max": "8MiB", "journal_max": "256MiB", "max_txn": "2MiB"}}
    with Mesh(["us-east", "eu-west"], name="kills", settings=settings) as mesh:
        mesh.start()
        mesh.wait_connected()
        victim, peer = mesh.regions
        ledger = Ledger()
        counts = dict.fromkeys(POINTS, 0)
        missed = in_flight = fewest = 0
        start_seconds = 0.1
        for cycle in range(cycles):
            point = POINTS[cycle % len(POINTS)]
            marks = len(ledger.acked), len(ledger.unknown), len(ledger.pairs_acked), len(ledger.pairs_unknown)
            load = Load(victim.redis_port, ledger, f"{cycle}", value_bytes=VALUE_BYTES)
            reached = wait_for_point(point, victim, load, rng)
            check(victim.running(), f"hawserd ended by itself:\n{victim.log_tail()}")
            victim.kill()
            load.join()
            in_flight += load.in_flight_at_end > 0
            fewest = min(fewest or load.acked(), load.acked())
            if point == "start-up":
                for _ in range(3):
                    victim.start(wait=False)
                    time.sleep(rng.uniform(0, start_seconds))
                    victim.kill()
            counts[point] += reached
            missed += not reached
            begun = time.monotonic()
            victim.start()
            start_seconds = time.monotonic() - begun
            wrong = check_kept(
                victim, ledger, ledger.acked[marks[0]:], ledger.unknown[marks[1]:],
                ledger.pairs_acked[marks[2]:], ledger.pairs_unknown[marks[3]:], VALUE_BYTES,
            )
            check(not wrong, f"cycle {cycle}, killed at {point}: {len(wrong)} wrong: {wrong[:5]}")
        mesh.wait_converged(120)
        for region in mesh.regions:
            wrong = check_kept(
                region, ledger, ledger.acked, ledger.unknown, ledger.pairs_acked,
                ledger.pairs_unknown, VALUE_BYTES,
            )
            check(not wrong, f"at the end, {region.name}: {len(wrong)} wrong: {wrong[:5]}")
        keys = ledger.acked + ledger.unknown + ledger.counters
        readings = {}
        for region in mesh.regions:
            with region.client() as client:
                readings[region.name] = dict(
                    zip(keys, client.pipeline([("GET", key) for key in keys], depth=200))
                )
        check_same(readings, keys, "after the kills")
        spread = ", ".join(f"{count} at {point}" for point, count in counts.items())
        note(f"{cycles} kills: {spread}, {missed} missed their point; fewest acknowledged in one cycle {fewest}")
        note(f"{ledger.acks} writes acknowledged, 0 lost; {len(ledger.unknown)} unknown; 0 differences; "
             f"{sum(ledger.added_acked.values())} to "
             f"{sum(ledger.added_acked.values()) + sum(ledger.added_unknown.values())} increments expected, all within")
        check(fewest >= 1000, "a cycle had fewer than 1,000 acknowledged writes")
        check(in_flight == cycles, f"requests were in flight at only {in_flight} of {cycles} kills")
        check(all(counts.values()), f"a kill point was never hit: {counts}")
        check(not ledger.refused, f"writes were refused: {ledger.refused}")


@story("SIGTERM answers what was taken and ends with 0; nothing is lost", seconds=60)
def graceful():
    with Mesh(["us-east"], name="graceful") as mesh:
        mesh.start()
        (region,) = mesh.regions
        ledger = Ledger()
        load = Load(region.redis_port, ledger, "g", value_bytes=200)
        wait_until(lambda: load.acked() > 3000, 30, "3,000 acknowledged writes")
        code = region.stop()
        load.join()
        check(code == 0, f"exit {code}")
        region.start()
        wrong = check_kept(region, ledger, ledger.acked, ledger.unknown, ledger.pairs_acked,
                           ledger.pairs_unknown, 200)
        check(not wrong, f"{len(wrong)} wrong: {wrong[:5]}")
        note(f"{ledger.acks} acknowledged before SIGTERM, 0 lost")
