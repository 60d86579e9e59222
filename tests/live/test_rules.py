"""The rules of conflict/ under cuts and kills: counters add up, states go forward, the dead stay dead."""

import random
import threading
import time

from hawser_live import races, reading
from hawser_live.keeper import wait_until
from hawser_live.mesh import Mesh
from hawser_live.resp import ReplyError
from hawser_live.story import check, check_expected, check_same, note, size, story


class Incrementer:
    """One connection to one region at a time; what was in flight when it broke is unknown."""

    def __init__(self, region, counters, wanted, depth=50):
        self.region, self.counters, self.wanted, self.depth = region, counters, wanted, depth
        self.acked, self.unknown = dict.fromkeys(counters, 0), dict.fromkeys(counters, 0)
        self.sent_ok, self.broken = 0, 0
        self.rng = random.Random(region.name)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        while self.sent_ok < self.wanted:
            try:
                with self.region.client(timeout=10) as client:
                    self._write(client)
            except (OSError, ConnectionError):
                self.broken += 1
                time.sleep(0.05)

    def _write(self, client):
        while self.sent_ok < self.wanted:
            batch = [(self.rng.choice(self.counters), self.rng.randint(1, 5)) for _ in range(self.depth)]
            waiting = batch[:]
            try:
                client.send(*[("INCRBY", counter, amount) for counter, amount in batch])
                while waiting:
                    reply = client.read()
                    counter, amount = waiting.pop(0)
                    if isinstance(reply, ReplyError) and reply.word == "UNKNOWN":
                        self.unknown[counter] += amount
                    elif isinstance(reply, ReplyError):
                        raise AssertionError(f"INCRBY was refused: {reply}")
                    else:
                        self.acked[counter] += amount
                        self.sent_ok += 1
            except (OSError, ConnectionError, ValueError):
                for counter, amount in waiting:
                    self.unknown[counter] += amount
                raise ConnectionError("broken") from None


def count_through(name, total, kill):
    """Increments in three regions while links are cut and, if `kill`, daemons die."""
    rng = random.Random(5)
    with Mesh(name=name) as mesh:
        mesh.start()
        mesh.wait_connected()
        counters = [f"hits:{number}" for number in range(20)]
        writers = [Incrementer(region, counters, total // 3) for region in mesh.regions]
        kills = cuts = 0
        while any(writer.thread.is_alive() for writer in writers):
            time.sleep(0.2)
            victim = rng.choice(mesh.regions)
            if kill and rng.random() < 0.4:
                victim.kill()
                time.sleep(rng.uniform(0, 0.2))
                victim.start()
                kills += 1
            else:
                mesh.wan.cut(victim.name)
                time.sleep(rng.uniform(0.1, 0.5))
                mesh.wan.heal(victim.name)
                cuts += 1
        for writer in writers:
            writer.thread.join()
        mesh.wait_converged(90)
        readings = {region.name: reading.strings(region, counters) for region in mesh.regions}
        check_same(readings, counters, "increments")
        low = {c: sum(w.acked[c] for w in writers) for c in counters}
        high = {c: low[c] + sum(w.unknown[c] for w in writers) for c in counters}
        for counter, value in readings[mesh.regions[0].name].items():
            check(low[counter] <= int(value) <= high[counter],
                  f"{counter} is {value}, not within [{low[counter]}, {high[counter]}]")
        done = sum(writer.sent_ok for writer in writers)
        unknown = sum(high.values()) - sum(low.values())
        note(f"{done} increments acknowledged, {unknown} of a sum of {sum(low.values())} unknown; {kills} kills, "
             f"{cuts} cuts; {'all within' if unknown else 'the sum is exact'}, equal everywhere")
        check(cuts > 0 and (kills > 0) == kill, "no fault happened")
        check(done >= total // 3 * 3, f"only {done} increments were acknowledged")
        return unknown


@story("increments of three regions add up through cuts and kills", seconds=180)
def increments():
    count_through("increments-through-faults", size(200_000, 2_000_000), kill=True)


@story("increments of three regions add up exactly through cuts, which leave no reply open", seconds=120)
def increments_exact():
    unknown = count_through("increments-through-cuts", size(200_000, 2_000_000), kill=False)
    check(unknown == 0, f"a call ended unknown although no daemon died: {unknown}")


STATES = ["OPEN", "PAID", "PACKED", "SHIPPED", "CLOSED"]
ORDERS = f"""
[[tables]]
name = "orders"
[tables.fields.status]
resolve = "states"
order = {STATES!r}
"""


class Mover:
    """Moves orders forward, and now and then tries to move one back, which must be refused."""

    def __init__(self, region, keys, until):
        self.region, self.keys, self.until = region, keys, until
        self.reached, self.refused = dict.fromkeys(keys, 0), 0
        self.rng = random.Random(region.name)
        self.errors = []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            with self.region.client() as client:
                while time.monotonic() < self.until:
                    key = self.rng.choice(self.keys)
                    held = STATES.index(client.call("HGET", key, "status").decode())
                    wanted = self.rng.randrange(len(STATES)) if self.rng.random() < 0.2 else min(held + 1, 4)
                    reply = client.pipeline([("HSET", key, "status", STATES[wanted])])[0]
                    if isinstance(reply, ReplyError):
                        check(reply.word == "BACKWARDS", f"{key} to {STATES[wanted]}: {reply}")
                        self.refused += 1
                    else:
                        self.reached[key] = max(self.reached[key], wanted)
                    time.sleep(0.001)
        except BaseException as error:
            self.errors.append(error)


class Watcher:
    """Reads all orders of a region over and over: none may be seen to go back."""

    def __init__(self, region, keys, until):
        self.region, self.keys, self.until = region, keys, until
        self.looks, self.back = 0, []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        seen = dict.fromkeys(self.keys, 0)
        with self.region.client() as client:
            while time.monotonic() < self.until:
                replies = client.pipeline([("HGET", key, "status") for key in self.keys])
                for key, reply in zip(self.keys, replies):
                    rank = STATES.index(reply.decode())
                    if rank < seen[key]:
                        self.back.append((key, STATES[seen[key]], STATES[rank]))
                    seen[key] = rank
                self.looks += 1
                time.sleep(0.01)


@story("no region ever sees a state go back, and all end at the furthest", seconds=90)
def states():
    seconds = size(8, 60)
    rng = random.Random(6)
    with Mesh(name="states", tables=ORDERS) as mesh:
        mesh.start()
        mesh.wait_connected()
        keys = [f"orders:{number}" for number in range(2000)]
        with mesh.regions[0].client() as client:
            client.pipeline_ok([("HSET", key, "status", "OPEN") for key in keys])
        mesh.wait_converged()
        until = time.monotonic() + seconds
        movers = [Mover(region, keys, until) for region in mesh.regions]
        watchers = [Watcher(region, keys, until) for region in mesh.regions]
        cuts = 0
        while time.monotonic() < until:
            victim = rng.choice(mesh.regions)
            mesh.wan.cut(victim.name)
            time.sleep(rng.uniform(0.2, 1))
            mesh.wan.heal(victim.name)
            time.sleep(rng.uniform(0, 0.5))
            cuts += 1
        for each in movers + watchers:
            each.thread.join()
        for mover in movers:
            if mover.errors:
                raise mover.errors[0]
        mesh.wait_converged(60)
        readings = {r.name: {k: v[1] for k, v in reading.both(r, keys).items()} for r in mesh.regions}
        check_same(readings, keys, "states")
        expected = {
            key: {b"status": STATES[max(mover.reached[key] for mover in movers)].encode()} for key in keys
        }
        check_expected(readings[mesh.regions[0].name], expected, "states")
        for watcher in watchers:
            check(not watcher.back, f"{watcher.region.name} saw states go back: {watcher.back[:3]}")
        refused = sum(mover.refused for mover in movers)
        note(f"{cuts} cuts; {sum(w.looks for w in watchers)} looks at {len(keys)} orders, none went back; "
             f"{refused} moves back were refused with BACKWARDS; all end at the furthest")
        check(refused > 0 and cuts > 1, "no move back was tried, or nothing was cut")


RECORD = {"a": "1", "b": "2"}


def recreate_op(key, fields, seen):
    """Deleted and made anew, in two txns."""
    flat = [part for pair in fields.items() for part in pair]
    return races.Op([("DEL", key), ("HSET", key, *flat)], {**dict.fromkeys(seen), **fields})


@story("deleted, made anew and written to during a cut, in every order: nothing resurrects", seconds=120)
def recreated():
    with Mesh(name="recreated") as mesh:
        mesh.start()
        mesh.wait_connected()
        keys = [f"r:{number}" for number in range(size(3000, 10_000))]
        with mesh.regions[0].client() as client:
            client.pipeline_ok([("HSET", key, "a", "1", "b", "2") for key in keys])
        mesh.wait_converged()
        mesh.wan.cut_all()

        def op(index, key, number):
            kind = (index + number // 6) % 3
            if kind == 0:
                return races.delete_op(key, RECORD)
            if kind == 1:
                return recreate_op(key, {"b": f"new{index}", "c": f"{number}"}, RECORD)
            return races.hset_op(key, {"a": f"late{index}"})

        done = races.write_in_turns(mesh.regions, keys, op)
        mesh.wan.heal_all()
        mesh.wait_converged(90)
        readings = {region.name: reading.both(region, keys) for region in mesh.regions}
        check_same(readings, keys, "deleted and made anew")
        expected = {key: races.last_wins(RECORD, ops) for key, ops in done.items()}
        check_expected(readings[mesh.regions[0].name], expected, "deleted and made anew")

        with mesh.regions[1].client() as client:
            client.pipeline([("DEL", key) for key in keys])
        mesh.wait_converged()
        begun = time.monotonic()
        peak = 0

        def tombstones():
            nonlocal peak
            counts = [region.metrics()["hawser_tombstones"] for region in mesh.regions]
            peak = max(peak, *counts)
            return not any(counts) and peak > 0

        wait_until(tombstones, 60, "every tombstone is dropped", 0.02)
        left = {region.name: reading.both(region, keys) for region in mesh.regions}
        check(all(shown == (None, {}) for read in left.values() for shown in read.values()), "a record came back")
        note(f"{len(keys)} records in every order of three: 0 differ, all as the rule says; then all deleted: "
             f"{peak:.0f} tombstones at most, 0 after {time.monotonic() - begun:.1f} s")
