"""Conflicts: found exactly, the same winner everywhere, seen and taken back by an operator."""

import json
import os
import random
import subprocess

from hawser_live import races, reading
from hawser_live.keeper import wait_until
from hawser_live.mesh import BUILD, Mesh
from hawser_live.story import check, check_expected, check_same, note, size, story


def ctl(region, *words):
    """(exit code, what it printed)."""
    ended = subprocess.run(
        [os.path.join(BUILD, "hawserctl"), "--server", f"http://127.0.0.1:{region.rest_port}", *words],
        capture_output=True, timeout=30,
    )
    return ended.returncode, (ended.stdout + ended.stderr).decode()


def conflicts(region, query=""):
    """The whole log of a region, page by page, newest first."""
    rest, found, token = region.rest(), [], ""
    try:
        while True:
            path = f"/v1/conflicts?limit=1000{query}" + (f"&page_token={token}" if token else "")
            answer = rest.get(path)
            check(answer.status == 200, f"{path}: {answer}")
            page = answer.json()
            found += page["conflicts"]
            token = page.get("next_page_token", "")
            if not token:
                return found
    finally:
        rest.close()


def shown(region, key):
    with region.client() as client:
        return client.call("GET", key)


def eventually(mesh, key, value):
    for region in mesh.regions:
        wait_until(lambda: shown(region, key) == value, 20, f"{region.name} shows {value!r} for {key}")


def explained(region, key):
    with region.client() as client:
        return json.loads(client.call("HAWSER", "EXPLAIN", key))


@story("a record is explained: what every region holds, when it came, who won; who is away is named", seconds=60)
def explain():
    with Mesh(["us-east", "eu-west", "ap-south"], name="explain") as mesh:
        mesh.start()
        mesh.wait_connected()
        east, west, south = mesh.regions
        mesh.wan.cut_all()
        for region, value in ((east, "east"), (west, "west")):
            with region.client() as client:
                client.call("SET", "orders:7", value)

        told = explained(east, "orders:7")
        check(told["state"] == "alive" and told["cells"][0]["value"] == "east", f"in the cut: {told}")
        check(told["regions_agree"] == "as far as they answered", f"in the cut: {told}")
        for peer in told["peers"]:
            check(not peer["answered"] and peer["detail"], f"a region that is cut off answered: {peer}")

        mesh.wan.heal_all()
        mesh.wait_converged()
        wait_until(lambda: explained(south, "orders:7")["regions_agree"] == "yes", 20, "the regions agree")
        told = explained(south, "orders:7")
        by_name = {part["region"]: part for part in [told, *told["peers"]]}
        check(sorted(by_name) == ["ap-south", "eu-west", "us-east"], f"regions: {sorted(by_name)}")
        winner = shown(south, "orders:7").decode()
        for name, part in by_name.items():
            cell = part["cells"][0]  # the expiry is another
            check(cell["value"] == winner and cell["region"] in ("us-east", "eu-west"), f"{name}: {cell}")
            check(part["conflicts"][0]["winner"]["value"] == winner, f"{name}: {part['conflicts']}")
        # Until it has left a journal, the region that wrote it had it first.
        arrivals = {name: part["cells"][0]["arrived_at"] for name, part in by_name.items()}
        origin = by_name["ap-south"]["cells"][0]["region"]
        if all(arrivals.values()):
            check(min(arrivals, key=arrivals.get) == origin, f"{origin} wrote it, but: {arrivals}")
        note(f"arrived: {arrivals}")

        code, text = ctl(west, "record", "explain", "orders", "7")
        check(code == 0 and "us-east" in text and "yes" in text and "gave way" in text, f"{code} {text}")
        south.stop()
        wait_until(lambda: not [p for p in explained(east, "orders:7")["peers"] if p["region"] == "ap-south"][0]["answered"],
                   20, "a region that is down is said not to answer")


@story("an operator takes a lost value back in every region, and takes that back again", seconds=90)
def taken_back():
    with Mesh(["us-east", "eu-west"], name="taken-back") as mesh:
        mesh.start()
        mesh.wait_connected()
        east, west = mesh.regions
        mesh.wan.cut_all()
        with east.client() as client:
            client.call("SET", "orders:42", "east")
        with west.client() as client:
            client.call("SET", "orders:42", "west")
        mesh.wan.heal_all()
        mesh.wait_converged()

        winner = shown(east, "orders:42")
        check(shown(west, "orders:42") == winner, "the regions show different winners")
        loser = b"east" if winner == b"west" else b"west"
        logs = {region.name: conflicts(region, "&table=orders&key=42") for region in mesh.regions}
        for name, log in logs.items():
            check(len(log) == 1, f"{name} logged {len(log)} conflicts, not 1")
            check(log[0]["winner"]["value"].encode() == winner, f"{name}: {log[0]}")
            check(log[0]["loser"]["value"].encode() == loser, f"{name}: {log[0]}")
            check((log[0]["kind"], log[0]["rule"]) == ("write", "lww"), f"{name}: {log[0]}")
        for rule, changes in (("lww", 0), ("first", 1)):
            code, said = ctl(east, "-o", "json", "conflict", "replay", "--table", "orders", "--field", "",
                             "--resolver", rule)
            found = json.loads(said)
            check(code == 0 and found["looked_at"] == 1 and len(found["would_change"]) == changes,
                  f"replay by {rule}: {code}, {said}")
        check(shown(east, "orders:42") == winner, "a replay changed the record")
        ids = {log[0]["id"] for log in logs.values()}
        check(len(ids) == 1, f"the regions know it under different ids: {ids}")
        (one,) = ids

        code, text = ctl(west, "conflict", "list", "--table", "orders")
        check(code == 0 and one in text and "east" in text and "west" in text, f"list: {code} {text}")
        code, text = ctl(west, "conflict", "show", one)
        check(code == 0 and "east" in text and "west" in text and "lww" in text, f"show: {text}")

        # One call, in one region; both show it, and both audits tell of it.
        code, text = ctl(west, "conflict", "resolve", one, "--take", "loser", "--reason", "the customer called")
        check(code == 0, f"resolve: {code} {text}")
        eventually(mesh, "orders:42", loser)
        for region in mesh.regions:
            (entry,) = conflicts(region, "&table=orders")
            check(entry["resolution"]["reason"] == "the customer called", f"{region.name}: {entry}")
            check(entry["resolution"]["in_effect"] is True, f"{region.name}: {entry}")
            audit = region.rest().get("/v1/audit").json()
            check(audit["chain"]["verified"] and len(audit["entries"]) == 1, f"{region.name}: {audit}")
            told = audit["entries"][0]
            check((told["by"], told["region"]) == ("local", "eu-west"), f"{region.name}: {told}")
            check((told["before"].encode(), told["after"].encode()) == (winner, loser), f"{told}")

        # Undone from the other region, by REST.
        answer = east.rest().call(
            "POST", f"/v1/conflicts/{one}/resolution", {"take": "winner", "reason": "they called again"}
        )
        check(answer.status == 200, f"undo: {answer}")
        eventually(mesh, "orders:42", winner)

        # A write that follows is none of it, and is not overruled unseen.
        with east.client() as client:
            client.call("SET", "orders:42", "newer")
        eventually(mesh, "orders:42", b"newer")
        code, text = ctl(west, "conflict", "resolve", one, "--take", "loser", "--reason", "late")
        check(code == 5 and "CHANGED" in text, f"late: {code} {text}")

        # All of it outlives a kill.
        west.kill()
        west.start()
        mesh.wait_converged()
        check(len(conflicts(west, "&table=orders")) == 1, "the log after kill -9")
        for region in mesh.regions:
            code, text = ctl(region, "audit", "verify")
            check(code == 0 and "2 entries" in text, f"{region.name}: audit verify: {code} {text}")
        note("listed by REST and hawserctl, resolved, undone, audited twice in both regions, kept over kill -9")


@story("a resolution wins over what had not seen it, whatever the rule", seconds=90)
def wins_everywhere():
    tables = """
[[tables]]
name = "o"
[tables.fields.born]
resolve = "first"
[tables.fields.most]
resolve = "max"
[tables.fields.least]
resolve = "min"
[tables.fields.stock]
resolve = "counter"
[tables.fields.state]
resolve = "states"
order = ["OPEN", "PAID", "SHIPPED"]
"""
    # Two values each, and a third that would beat both by the field's own rule.
    fields = {"plain": ("a", "b", "c"), "born": ("2001", "2002", "2000"), "most": ("1", "2", "9"),
              "least": ("8", "7", "1"), "stock": ("5", "6", "70"), "state": ("OPEN", "PAID", "SHIPPED")}
    with Mesh(["us-east", "eu-west"], name="wins-everywhere", tables=tables) as mesh:
        mesh.start()
        mesh.wait_connected()
        east, west = mesh.regions
        mesh.wan.cut_all()
        for region, number in ((east, 0), (west, 1)):
            with region.client() as client:
                for field, values in fields.items():
                    client.call("HSET", f"o:{field}", field, values[number])
        # A state, a maximum and a minimum only move on when they meet: the plain fields have losers.
        mesh.wan.heal_all()
        mesh.wait_converged()
        logged = {entry["field"]: entry for entry in conflicts(east, "&table=o")}
        check(set(logged) == {"plain", "born", "stock"}, f"logged: {sorted(logged)}")

        # The others get one by a delete that had not seen the last write.
        mesh.wan.cut_all()
        for field in ("most", "least", "state"):
            with east.client() as client:
                client.call("DEL", f"o:{field}")
            with west.client() as client:
                client.call("HSET", f"o:{field}", field, {"state": "SHIPPED", "most": "5", "least": "3"}[field])
        mesh.wan.heal_all()
        mesh.wait_converged()
        logged = {entry["field"]: entry for entry in conflicts(west, "&table=o")}
        check(set(logged) == set(fields), f"logged: {sorted(logged)}")

        # Resolved in one region while the other, cut off, writes what its rule would prefer.
        mesh.wan.cut_all()
        for field, entry in logged.items():
            answer = east.rest().call(
                "POST", f"/v1/conflicts/{entry['id']}/resolution",
                {"take": {"value": fields[field][0]}, "reason": "as agreed"},
            )
            check(answer.status == 200, f"{field}: {answer}")
        with west.client() as client:
            for field, values in fields.items():
                if field != "born":
                    client.call("HSET", f"o:{field}", field, values[2])
        mesh.wan.heal_all()
        mesh.wait_converged()
        for region in mesh.regions:
            with region.client() as client:
                for field, values in fields.items():
                    value = client.call("HGET", f"o:{field}", field).decode()
                    check(value == values[0], f"{region.name}: {field} is {value}, not {values[0]}")
        note(f"{len(fields)} rules: the resolution stands in both regions over later unseen writes")


@story("of concurrent writes the log holds exactly the losers", seconds=120)
def exactly_the_losers():
    with Mesh(name="exactly-the-losers") as mesh:
        mesh.start()
        mesh.wait_connected()
        rng = random.Random(7)
        keys = [f"p:{number}" for number in range(size(10_000, 50_000))]
        names = [region.name for region in mesh.regions]
        # Each key: two regions write it, neither having heard of the other; a third of the keys were
        # read and written before by all, which is never a conflict.
        pairs = {key: rng.sample(range(3), 2) for key in keys}
        before = keys[::3]
        with mesh.regions[0].client() as client:
            client.pipeline_ok([("SET", key, "before") for key in before])
        mesh.wait_converged()

        mesh.wan.cut_all()
        for turn in (0, 1):
            batches = [[] for _ in mesh.regions]
            for key, pair in pairs.items():
                writer = pair[turn]
                if len(batches[writer]) % 5 == 0:  # its own next write follows at once
                    batches[writer].append(("SET", key, f"{names[writer]}:{key}:first"))
                batches[writer].append(("SET", key, f"{names[writer]}:{key}"))
            clients = [region.client() for region in mesh.regions]
            races.in_parallel(
                [lambda c=c, b=b: c.pipeline_ok(b) for c, b in zip(clients, batches)]
            )
            for client in clients:
                client.close()
        mesh.wan.heal_all()
        mesh.wait_converged(60)

        readings = {region.name: reading.strings(region, keys) for region in mesh.regions}
        check_same(readings, keys, "pairs")
        # One machine, one clock, turns: the second wrote later.
        winners = {key: f"{names[pair[1]]}:{key}".encode() for key, pair in pairs.items()}
        losers = {key: f"{names[pair[0]]}:{key}" for key, pair in pairs.items()}
        check_expected(readings[names[0]], winners, "pairs")
        logged = 0
        for index, region in enumerate(mesh.regions):
            log = conflicts(region, "&table=p")
            found = {(f"p:{entry['key']}", entry["loser"]["value"]) for entry in log}
            check(len(found) == len(log), f"{region.name}: {len(log) - len(found)} logged twice")
            expected = set(losers.items())
            missing = expected - found
            check(not missing, f"{region.name}: {len(missing)} losers not logged, such as {list(missing)[:3]}")
            # Beyond these only what the loser's region had itself replaced before it was heard of
            # elsewhere: it arrived there after the winner, and gave way to it.
            for key, value in found - expected:
                own = pairs[key][0] == index
                check(value == losers[key] + ":first" and not own, f"{region.name}: {key} {value} is no loser")
            if index == 0:
                note(f"{len(found - expected)} of them replaced by their own region before they came")
            for entry in log:
                check(entry["winner"]["value"].encode().removesuffix(b":first")
                      == winners[f"p:{entry['key']}"], f"{region.name}: wrong winner: {entry}")
            counted = sum(value for name, value in region.metrics().items()
                          if name.startswith("hawser_conflicts_total") and 'table="p"' in name)
            check(counted == len(log), f"{region.name}: {len(log)} logged, the metric says {counted}")
            logged += len(expected)
        note(f"{len(keys)} concurrent pairs, 3 regions: 0 keys differ; all {logged} losers are in the "
             f"logs, and nothing that is none")


@story("writes that follow each other through alternating regions are never a conflict", seconds=120)
def merely_followed():
    with Mesh(name="merely-followed") as mesh:
        mesh.start()
        mesh.wait_connected()
        count, lanes = size(10_000, 50_000), 500
        clients = [region.client() for region in mesh.regions]
        # Many keys side by side, each written in turn by region after region: every round is read
        # there (by its causal token) before it is written again.
        token = clients[0].call("HAWSER", "TOKEN")
        for turn in range(count // lanes):
            client = clients[turn % len(clients)]
            client.call("HAWSER", "AWAIT", token, "20000")
            seen = client.pipeline([("GET", f"q:{lane}") for lane in range(lanes)])
            wanted = None if turn == 0 else f"{turn - 1}".encode()
            check(all(value == wanted for value in seen), f"turn {turn} does not see the one before")
            client.pipeline_ok([("SET", f"q:{lane}", turn) for lane in range(lanes)])
            token = client.call("HAWSER", "TOKEN")
        for client in clients:
            client.close()
        mesh.wait_converged()
        for region in mesh.regions:
            log = conflicts(region)
            check(not log, f"{region.name} logged {len(log)}: {json.dumps(log[:2])}")
        note(f"{count} writes, each after reading the last, through 3 regions: 0 conflicts logged")
