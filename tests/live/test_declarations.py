"""Declared rules while the regions run: extended region by region, contradicted, declared at odds in a cut."""

import json
import random
import signal
import threading
import time

from hawser_live import reading
from hawser_live.keeper import wait_until
from hawser_live.mesh import Mesh
from hawser_live.resp import ReplyError
from hawser_live.story import check, check_same, note, size, story


def tables(order, more=""):
    return f"""
[[tables]]
name = "orders"
[tables.fields.status]
resolve = "states"
order = {json.dumps(order)}
{more}"""


HITS = '[tables.fields.hits]\nresolve = "counter"\n'
V1 = ["OPEN", "PAID", "SHIPPED"]
V2 = ["NEW", "OPEN", "PAID", "PACKED", "SHIPPED", "CLOSED"]


def lines(region, code, since=0):
    """Log lines of one code, as objects, from a byte of the log on."""
    found = []
    for line in region.log_text()[since:].splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("code") == code:
            found.append(entry)
    return found


def reload(region, text, code="config_reloaded"):
    """A reload with these tables; waits until the log says how it ended."""
    since = len(region.log_text())
    region.mesh.tables = text
    region.write_config({})
    region.daemon.send_signal(signal.SIGHUP)
    wait_until(lambda: lines(region, code, since), 20, f"{region.name} logs {code}", 0.02)
    return lines(region, code, since)


class Mover:
    """Moves orders forward along the line its region is known to have, and counts into them."""

    def __init__(self, region, keys):
        self.region, self.keys, self.line, self.counts = region, keys, V1, False
        self.moves = self.stops = self.counted = 0
        self.unknown = 0
        self.errors = []
        self.rng = random.Random(region.name)
        self.going = True
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def stop(self):
        self.going = False
        self.thread.join()

    def _run(self):
        while self.going:
            try:
                with self.region.client(timeout=10) as client:
                    while self.going:
                        self._move(client)
                        time.sleep(0.002)
            except (OSError, ConnectionError, ValueError):
                time.sleep(0.05)
            except BaseException as error:
                self.errors.append(error)
                return

    def _move(self, client):
        key, line = self.rng.choice(self.keys), self.line
        held = client.call("HGET", key, "status").decode()
        later = [state for state in line if V2.index(state) > V2.index(held)]
        if later and self.rng.random() < 0.3:
            wanted = self.rng.choice(later[:2])
            reply = client.pipeline([("HSET", key, "status", wanted)])[0]
            if isinstance(reply, ReplyError):
                # Another region's move may have arrived since the look at it: then it is there now.
                now = client.call("HGET", key, "status").decode()
                check(reply.word == "BACKWARDS" and V2.index(now) > V2.index(wanted),
                      f"{self.region.name} refused {held} -> {wanted}, shows {now}: {reply}")
                self.stops += 1
            else:
                self.moves += 1
        if self.counts:
            try:
                client.call("HINCRBY", key, "hits", "1")
                self.counted += 1
            except (OSError, ConnectionError, ValueError):
                self.unknown += 1
                raise


def check_line(region, line, tag):
    """By trial: this region's line of states is this one, and no other state is taken."""
    with region.client() as client:
        for place, (state, after) in enumerate(zip(line, line[1:])):
            key = f"orders:trial-{tag}-{region.name}-{place}"
            replies = client.pipeline([("HSET", key, "status", state), ("HSET", key, "status", after),
                                       ("HSET", key, "status", state), ("HSET", key, "status", "NONE")])
            check(not isinstance(replies[0], ReplyError) and not isinstance(replies[1], ReplyError),
                  f"{region.name}: {state} -> {after}: {replies}")
            check(isinstance(replies[2], ReplyError) and replies[2].word == "BACKWARDS",
                  f"{region.name}: {after} -> {state} is answered {replies[2]}")
            check(isinstance(replies[3], ReplyError), f"{region.name} takes a state that is none")


@story("a rule is extended region by region under load, and no write is refused wrongly", seconds=120)
def rolling():
    with Mesh(name="rolling-rules", tables=tables(V1)) as mesh:
        mesh.start()
        mesh.wait_connected()
        one, two, three = mesh.regions
        keys = [f"orders:{number}" for number in range(size(3000, 20_000))]
        with one.client() as client:
            client.pipeline_ok([("HSET", key, "status", "OPEN") for key in keys])
        mesh.wait_converged()
        movers = {region.name: Mover(region, keys) for region in mesh.regions}
        try:
            time.sleep(1)
            longer = tables(V2, HITS)

            def grown(region):
                movers[region.name].line, movers[region.name].counts = V2, True

            reload(one, longer)
            grown(one)
            time.sleep(1)
            # In the middle of it a region that still has the old file dies and starts again.
            mesh.tables = tables(V1)
            two.kill()
            two.start()
            wait_until(lambda: lines(two, "schema_older"), 20, "the older file is remarked on")
            older = lines(two, "schema_older")[0]
            for word in ["NEW", "PACKED", "CLOSED", "orders"]:
                check(word in json.dumps(older), f"{word} is not in {older}")
            time.sleep(0.5)
            mesh.wan.cut(two.name)
            reload(two, longer)  # cut off: it declares the same by itself
            grown(two)
            time.sleep(1)
            mesh.wan.heal(two.name)
            time.sleep(0.5)
            mesh.tables = longer
            three.stop()
            three.start()
            grown(three)
            time.sleep(1.5)
        finally:
            for mover in movers.values():
                mover.stop()
        for mover in movers.values():
            if mover.errors:
                raise mover.errors[0]
        mesh.wait_converged()
        for region in mesh.regions:
            check_line(region, V2, "rolling")
        mesh.wait_converged()
        readings = {region.name: reading.hashes(region, keys) for region in mesh.regions}
        check_same(readings, keys, "orders")
        hits = sum(int(fields.get(b"hits", b"0")) for fields in readings[one.name].values())
        counted = sum(mover.counted for mover in movers.values())
        unknown = sum(mover.unknown for mover in movers.values())
        check(counted <= hits <= counted + unknown, f"{hits} hits of {counted} counted, {unknown} unknown")
        new = {state: 0 for state in V2}
        for fields in readings[one.name].values():
            new[fields[b"status"].decode()] += 1
        check(new["PACKED"] > 0 and new["CLOSED"] > 0, f"no order went through the new states: {new}")
        check(all(region.metrics()["hawser_config_contradictions"] == 0 for region in mesh.regions),
              "a region contradicts")
        note(f"{sum(m.moves for m in movers.values())} moves and {counted} counts while three regions took the longer "
             f"line; {sum(m.stops for m in movers.values())} moves were overtaken, none refused wrongly; all end with "
             f"the same line and the same {len(keys)} orders")


CONTRADICTIONS = [
    # what the file says instead, the key it is about, what the message must name
    (tables(["OPEN", "SHIPPED", "PAID"]), "tables.fields.status.order", ["SHIPPED", "PAID", "order"]),
    (tables(["OPEN", "PAID"]), "tables.fields.status.order", ["SHIPPED", "put it back"]),
    (tables(V1).replace('"states"', '"max"').replace("order =", "#"), "tables.fields.status.resolve",
     ["max", "states OPEN="]),
    (tables(V1).replace('name = "orders"', 'name = "orders"\nplacement = "homed"'), "tables.placement",
     ["homed", "global"]),
]


@story("a configuration that contradicts what is declared is refused: a reload keeps the old, a start ends with 78",
       seconds=90)
def contradicting():
    with Mesh(["us-east", "eu-west"], name="contradicting", tables=tables(V1)) as mesh:
        mesh.start()
        mesh.wait_connected()
        region = mesh.regions[1]
        for text, key, named in CONTRADICTIONS:
            entry = reload(region, text, "schema_contradicts")[0]
            check(region.metrics()["hawser_config_last_reload_successful"] == 0, "the reload counts as taken")
            check_line(region, V1, f"kept-{len(region.log_text())}")
            region.stop()
            since = len(region.log_text())
            region.start(wait=False)
            check(region.wait_exit(20) == 78, f"exit {region.daemon.returncode} with {text}")
            again = lines(region, "schema_contradicts", since)
            check(len(again) == 1, f"{len(again)} lines: {again}")
            for said in (entry, again[0]):
                for word in [f"{region.config_path}:", key, "orders", *named]:
                    check(word in json.dumps(said), f"{word} is not in {said}")
            where = int(again[0]["where"].rsplit(":", 1)[1])
            with open(region.config_path) as file:
                line = file.read().splitlines()[where - 1]
            check(line.split(" =")[0] == key.rsplit(".", 1)[1], f"{where}: {line!r} is not where {key} is")
            mesh.tables = tables(V1)
            region.start()
        reload(region, tables(V1) + "\n[storage]\n", "config_bad")
        check_line(region, V1, "bad")
        note(f"{len(CONTRADICTIONS)} contradictions, each by reload and by start: refused with file, line and key")


@story("two regions declare at odds in a cut: one rule holds in all, the other is told and refused at its next start",
       seconds=120)
def at_odds():
    with Mesh(name="at-odds", tables=tables(V1)) as mesh:
        mesh.start()
        mesh.wait_connected()
        one, two, three = mesh.regions
        mesh.wan.cut_all()
        level = '[tables.fields.level]\nresolve = "{}"\n'
        first, second = level.format("max"), level.format("counter")
        left = ["OPEN", "CHECKED", "PAID", "SHIPPED"]
        right = ["OPEN", "PAID", "SHIPPED", "CLOSED"]
        reload(one, tables(left, first))
        reload(two, tables(right, second))
        reload(three, tables(right))
        with one.client() as client:
            client.call("HSET", "orders:1", "level", "7", "status", "CHECKED")
        with two.client() as client:
            client.call("HINCRBY", "orders:2", "level", "3")
            client.call("HSET", "orders:2", "status", "CLOSED")
        mesh.wan.heal_all()
        mesh.wait_converged()
        wait_until(lambda: two.metrics()["hawser_config_contradictions"] == 1, 20, "the loser says so in its metrics")
        mesh.wait_converged()
        (told,) = lines(two, "schema_overruled")
        for word in ["tables.fields.level.resolve", "counter", "max", f"{two.config_path}:"]:
            check(word in json.dumps(told), f"{word} is not in {told}")
        for region in (one, three):
            check(region.metrics()["hawser_config_contradictions"] == 0, f"{region.name} contradicts")
        everything = ["OPEN", "CHECKED", "PAID", "SHIPPED", "CLOSED"]
        for region in mesh.regions:
            check_line(region, everything, "healed")
            with region.client() as client:
                key = f"orders:level-{region.name}"
                client.call("HSET", key, "level", "9")
                client.call("HSET", key, "level", "8")
                check(client.call("HGET", key, "level") == b"9", f"{region.name}: level is no max")
                check(client.call("HGET", "orders:2", "level") == b"3", "what was counted before is gone")
        mesh.wait_converged()
        keys = reading.all_keys(one)
        check_same({region.name: reading.both(region, [k.decode() for k in keys]) for region in mesh.regions},
                   [k.decode() for k in keys], "at odds")
        two.stop()
        mesh.tables = tables(right, second)
        two.start(wait=False)
        check(two.wait_exit(20) == 78, f"exit {two.daemon.returncode}")
        mesh.tables = tables(everything, first)
        two.start()
        reload(one, tables(everything, first))
        time.sleep(1.5)
        check(two.metrics()["hawser_config_contradictions"] == 0, "still contradicts")
        note("a field declared max and counter at once: max, the earlier, in all regions; the loser was told, went on, "
             "was refused with 78, and started with the winner's rule; two extensions of one line both hold")
