"""Homes: a unit is written in one region, through one API, wherever its client is."""

import random
import threading
import time

from hawser_live.figures import percentile
from hawser_live.keeper import wait_until
from hawser_live.mesh import Mesh
from hawser_live.resp import ReplyError
from hawser_live.story import check, note, size, story

HOMED = """
[[tables]]
name = "customers"
placement = "homed"
"""


def home_of(region, key):
    with region.client() as client:
        rows = client.call("HOME", "GET", key)
    return {rows[i].decode(): rows[i + 1] for i in range(0, len(rows), 2)}


def at_home(region, key, name, state=b"confirmed"):
    home = home_of(region, key)
    return home["home"] == name.encode() and home["state"] == state


def check_alike(by_region, what):
    shown = list(by_region.values())
    check(all(one == shown[0] for one in shown), f"the regions differ in {what}: {by_region}")


def shown(mesh, key):
    by_region = {}
    for region in mesh.regions:
        with region.client() as client:
            by_region[region.name] = client.call("GET", key)
    return by_region


def refused(region, *command):
    """The error's text."""
    with region.client() as client:
        try:
            answer = client.call(*command)
        except ReplyError as error:
            return str(error)
    raise AssertionError(f"{command} was not refused: {answer}")


@story("a unit has one home: written from everywhere by one API, moved by its home, taken over when that is lost",
       seconds=90)
def one_home():
    with Mesh(name="one-home", tables=HOMED) as mesh:
        mesh.start()
        mesh.wait_connected()
        east, west, south = mesh.regions
        key = "customers:{42}:name"
        with east.client() as client:
            client.call("SET", key, "Ann")
        wait_until(lambda: all(at_home(r, key, "us-east") for r in mesh.regions), 20, "its home is confirmed everywhere")
        # Through its home, and readable here at once.
        with west.client() as client:
            client.call("SET", key, "Anna")
            check(client.call("GET", key) == b"Anna", "a forwarded write is not readable where it was made")
            check(client.call("HSET", "customers:{42}:address", "city", "Rome") == 1, "another key of the unit")
            client.call("MULTI")
            client.call("INCR", "customers:{42}:visits")
            client.call("SET", "seen:42", "yes")
            check(client.call("EXEC") == [1, b"OK"], "a bundle is carried out at the home as one")
            check(client.call("GET", "seen:42") == b"yes", "the bundle's other record")
        rest = south.rest()
        answer = rest.call("PATCH", "/v1/tables/customers/records/%7B42%7D%3Aaddress", {"fields": {"zip": "00100"}})
        check(answer.status == 200 and answer.headers["Hawser-Served-By"] == "us-east", f"{answer} {answer.headers}")
        check(answer.headers["Hawser-Local"] == "yes", f"{answer.headers}")
        check(south.client().call("HGET", "customers:{42}:address", "zip") == b"00100", "a forwarded REST write")
        stale = rest.call("PATCH", "/v1/tables/customers/records/%7B42%7D%3Aaddress", {"fields": {"zip": "1"}},
                          {"If-Match": '"1.0-1"'})
        check(stale.status == 412, f"compare-and-set is judged at the home: {stale}")
        told = rest.get("/v1/homes/customers/42").json()
        check((told["home"], told["epoch"], told["state"]) == ("us-east", "0", "confirmed"), f"{told}")
        mesh.wait_converged()
        check_alike(shown(mesh, key), key)

        # A strong read sees what the home has, whatever has arrived here.
        mesh.wan.delay(300)
        with east.client() as client, west.client() as reader:
            client.call("SET", key, "Anna II")
            check(reader.call("GET", key) == b"Anna", "reads are local unless said otherwise")
            reader.call("HAWSER", "READ", "HOME")
            check(reader.call("GET", key) == b"Anna II", "a read at the home shows what it has")
            reader.call("HAWSER", "READ", "LOCAL")
            client.call("SET", key, "Anna")
        mesh.wan.delay(0)
        mesh.wait_converged()

        # Two homes in one txn: nothing of it.
        with west.client() as client:
            client.call("SET", "customers:{7}:name", "Bob")
        wait_until(lambda: at_home(east, "customers:{7}:name", "eu-west"), 20, "the other unit is homed in eu-west")
        said = refused(west, "MSET", key, "x", "customers:{7}:name", "y")
        check(said.startswith("CROSSHOME"), said)
        check(west.client().call("GET", key) == b"Anna", "a refused txn wrote")

        # A planned move, asked of a third region.
        with south.client() as client:
            client.call("HOME", "MOVE", key, "eu-west")
        wait_until(lambda: all(at_home(r, key, "eu-west") for r in mesh.regions), 20, "moved, confirmed everywhere")
        check(home_of(east, key)["epoch"] == 1, f"epoch: {home_of(east, key)}")
        with east.client() as client:
            client.call("SET", key, "Anne")
            check(client.call("GET", key) == b"Anne", "the old home's clients write on")

        # The home is cut off: its units wait, all else goes on.
        mesh.wan.cut("eu-west")
        wait_until(lambda: refused(east, "SET", key, "x").split()[0] in ("HOMEDOWN", "UNKNOWN"), 20,
                   "a write whose home is away is refused")
        wait_until(lambda: refused(east, "SET", key, "x").startswith("HOMEDOWN eu-west"), 20, "and says so at once")
        with east.client() as client:
            client.call("SET", "global:1", "v")
            check(client.call("GET", key) == b"Anne", "reads stay local")
        with west.client() as client:
            client.call("SET", key, "Annie")  # its home still writes
        said = refused(east, "HOME", "MOVE", key, "us-east")
        check(said.split()[0] in ("HOMEDOWN", "UNKNOWN"), said)
        with east.client() as client:
            client.call("HOME", "MOVE", key, "us-east", "FORCE", "eu-west is dark")
            client.call("SET", key, "Annette")
            check(home_of(east, key)["state"] == b"pending", "a takeover is pending while a region has not heard")
        mesh.wan.heal("eu-west")
        mesh.wait_converged()
        wait_until(lambda: all(at_home(r, key, "us-east") for r in mesh.regions), 20, "the takeover stands")
        check(home_of(west, key)["epoch"] == 2, f"epoch: {home_of(west, key)}")
        check_alike(shown(mesh, key), key)
        # What the two homes wrote without knowing of each other: one gave way, and is in the log.
        answer = west.rest().get("/v1/conflicts?table=customers").json()["conflicts"]
        sides = {c["loser"]["value"] for c in answer} | {c["winner"]["value"] for c in answer}
        check({"Annie", "Annette"} <= sides, f"logged: {answer}")
        for region in mesh.regions:
            entries = region.rest().get("/v1/audit").json()
            check("eu-west is dark" in str(entries), f"{region.name}: the takeover is not in the audit log: {entries}")


@story("two regions that home a unit in a cut both write it, and agree on one home when they hear of each other",
       seconds=60)
def both_at_first():
    with Mesh(["us-east", "eu-west"], name="both-at-first", tables=HOMED) as mesh:
        mesh.start()
        mesh.wait_connected()
        mesh.wan.cut_all()
        for region in mesh.regions:
            with region.client() as client:
                client.call("SET", "customers:1", region.name)
            check(home_of(region, "customers:1")["state"] == b"pending", "a home is confirmed in a cut")
        mesh.wan.heal_all()
        mesh.wait_converged()
        east, west = mesh.regions
        wait_until(lambda: home_of(east, "customers:1") == home_of(west, "customers:1")
                   and home_of(east, "customers:1")["state"] == b"confirmed", 20, "one home")
        check_alike(shown(mesh, "customers:1"), "customers:1")
        kinds = {c["kind"] for c in east.rest().get("/v1/conflicts").json()["conflicts"]}
        check("home" in kinds and "write" in kinds, f"kinds logged: {kinds}")


@story("homes move under load and nothing acknowledged is lost", seconds=150)
def moves():
    units, seconds = 20, size(8, 60)
    with Mesh(name="moves", tables=HOMED) as mesh:
        mesh.start()
        mesh.wait_connected()
        done = threading.Event()
        acked, words, failures = {r.name: [] for r in mesh.regions}, {}, []

        def write(region):
            rng, count = random.Random(region.name), 0
            try:
                with region.client() as client:
                    while not done.is_set():
                        unit, count = rng.randrange(units), count + 1
                        field = f"{region.name}-{count}"
                        try:
                            client.call("HSET", f"customers:{unit}", field, "1")
                            acked[region.name].append((unit, field))
                        except ReplyError as error:
                            words[error.word] = words.get(error.word, 0) + 1
            except Exception as error:  # reported by the story
                failures.append(f"{region.name}: {error!r}")

        writers = [threading.Thread(target=write, args=(region,)) for region in mesh.regions]
        for writer in writers:
            writer.start()
        rng, moved, until = random.Random(5), 0, time.monotonic() + seconds
        while time.monotonic() < until:
            region, to = rng.choice(mesh.regions), rng.choice(mesh.regions)
            with region.client() as client:
                try:
                    client.call("HOME", "MOVE", f"customers:{rng.randrange(units)}", to.name)
                    moved += 1
                except ReplyError as error:
                    check(error.word in ("TRYAGAIN", "HOMEDOWN"), f"a move was refused: {error}")
            time.sleep(0.02)
        done.set()
        for writer in writers:
            writer.join()
        check(not failures, f"{failures}")
        mesh.wait_converged()
        total = sum(len(all_) for all_ in acked.values())
        held = {}
        for region in mesh.regions:
            with region.client() as client:
                held[region.name] = [client.call("HGETALL", f"customers:{unit}") for unit in range(units)]
        check_alike(held, "the customers")
        present = [set(rows[::2]) for rows in held["us-east"]]
        lost = [w for all_ in acked.values() for w in all_ if w[1].encode() not in present[w[0]]]
        check(not lost, f"{len(lost)} of {total} acknowledged writes are lost: {lost[:5]}")
        check(moved > 50 and min(len(all_) for all_ in acked.values()) > 100, f"{moved} moves, {total} writes")
        check(set(words) <= {"TRYAGAIN"}, f"refusals while all links were up: {words}")
        note(f"{moved} moves, {total} writes acknowledged, 0 lost; told to try again: {words}")


@story("a forwarded write takes a round trip and little more", seconds=60)
def forwarded():
    one_way_ms, writes = 20, size(100, 1000)
    with Mesh(["us-east", "eu-west"], name="forwarded", tables=HOMED) as mesh:
        mesh.start()
        mesh.wait_connected()
        east, west = mesh.regions
        with east.client() as client:
            client.call("SET", "customers:1", "v")
        wait_until(lambda: at_home(west, "customers:1", "us-east"), 20, "homed in us-east")
        mesh.wan.delay(one_way_ms)
        time.sleep(1)
        took, late = [], 0
        with west.client() as client:
            for i in range(writes):
                began = time.monotonic()
                client.call("SET", "customers:1", str(i))
                took.append((time.monotonic() - began) * 1000)
                late += client.call("GET", "customers:1") != str(i).encode()
        check(late == 0, f"{late} writes were not readable when answered")
        over = percentile(took, 0.5) - 2 * one_way_ms
        note(f"round trip {2 * one_way_ms} ms; p50 {percentile(took, 0.5):.1f}, p99 {percentile(took, 0.99):.1f} ms; "
             f"p50 over the round trip: {over:.1f} ms")
        check(over < 40, f"a forwarded write takes {over:.1f} ms more than a round trip")
