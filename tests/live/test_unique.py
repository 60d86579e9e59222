"""Unique values: one owner worldwide, told honestly while it is not yet proved."""

import hmac
import http.server
import json
import os
import random
import socket
import threading
import time

from hawser_live import races
from hawser_live.keeper import wait_until
from hawser_live.mesh import Mesh
from hawser_live.resp import ReplyError
from hawser_live.story import check, note, size, story
from test_conflicts import conflicts

UNIQUE = '[[unique]]\nname = "login"'


def claim(client, value, owner, *more):
    """"pending", "confirmed", or ("TAKEN", owner)."""
    try:
        return client.call("UNIQ", "CLAIM", "login", value, owner, *more).decode()
    except ReplyError as error:
        if error.word != "TAKEN":
            raise
        return ("TAKEN", str(error).split(" ", 1)[1])


def look(reply):
    """(state, owner, silent regions) of a UNIQ GET."""
    if reply is None:
        return ("free", "", [])
    fields = dict(zip(reply[0::2], reply[1::2]))
    silent = [name.decode() for name in fields[b"silent_regions"]]
    return (fields[b"state"].decode(), fields[b"owner"].decode(), silent)


def shown(region, value):
    with region.client() as client:
        return look(client.call("UNIQ", "GET", "login", value))


@story("a claim is confirmed one round trip later: 40 ms each way", seconds=60)
def latency():
    count = size(100, 1000)
    with Mesh(name="unique_latency", tables=UNIQUE) as mesh:
        mesh.start()
        mesh.wan.delay(40)
        mesh.wait_connected()
        east = mesh.regions[0]
        wait_until(lambda: warm(east), 20, "logs are compared")
        took = []
        with east.client() as client:
            for i in range(count):
                begun = time.monotonic()
                state = claim(client, f"user{i}", f"u{i}", "WAITMS", 5000)
                took.append((time.monotonic() - begun) * 1000)
                check(state == "confirmed", f"user{i}: {state}")
        took.sort()
        p50, p99 = took[len(took) // 2], took[int(len(took) * 0.99)]
        note(f"{count} claims: confirmed after p50 {p50:.1f} ms, p99 {p99:.1f} ms")
        check(p50 >= 80, f"faster than the wire: {p50:.1f} ms")
        check(p50 <= 95, f"p50 {p50:.1f} ms, at most 95")
        check(p99 <= 200, f"p99 {p99:.1f} ms, at most 200")
        metrics = east.metrics()
        check(metrics['hawser_claim_confirm_seconds_count'] >= count, "confirm times are counted")


def warm(region):
    with region.client() as client:
        return claim(client, "warm", "w", "WAITMS", 200) == "confirmed"


@story("one region away: a claim stays pending, names it, and is confirmed after its return", seconds=60)
def away():
    with Mesh(name="unique_away", tables=UNIQUE) as mesh:
        mesh.start()
        mesh.wait_connected()
        east, west, south = mesh.regions
        wait_until(lambda: warm(east), 20, "logs are compared")
        mesh.wan.cut("ap-south")
        with east.client() as client:
            check(claim(client, "anna", "u1", "WAITMS", 1500) == "pending", "confirmed without ap-south")
            state, owner, silent = look(client.call("UNIQ", "GET", "login", "anna"))
            check((state, owner, silent) == ("pending", "u1", ["ap-south"]), f"{state} {owner} {silent}")
        with west.client() as client:
            # The other region that hears it says no at once, although one is silent.
            wait_until(lambda: shown(west, "anna")[1] == "u1", 10, "eu-west shows it")
            check(claim(client, "anna", "u2") == ("TAKEN", "u1"), "a second owner")
        with south.client() as client:
            check(claim(client, "anna", "u3") == "pending", "ap-south knows nothing of u1")
        mesh.wan.heal("ap-south")
        for region in mesh.regions:
            wait_until(lambda: shown(region, "anna") == ("confirmed", "u1", []), 20, f"{region.name} confirms")
        lost = [c for c in conflicts(south, "&kind=claim") if c["loser"]["value"] == "u3"]
        check(len(lost) == 1, f"ap-south does not say that u3 lost: {lost}")


class Watch:
    """What was ever said to be confirmed; a second owner is the end."""

    def __init__(self):
        self.confirmed = {}

    def take(self, region, values):
        with region.client() as client:
            replies = client.pipeline([("UNIQ", "GET", "login", value) for value in values])
        for value, reply in zip(values, replies):
            state, owner, _ = look(reply)
            before = self.confirmed.get(value)
            check(before in (None, owner), f"{value}: {before} was confirmed, {region.name} shows {owner}")
            if state == "confirmed":
                self.confirmed[value] = owner


@story("three regions race for every value, through cuts and kills: one owner, every loser told", seconds=240)
def contest():
    count, batch = size(500, 10_000), 50
    chance = random.Random(4)
    with Mesh(name="unique_race", tables=UNIQUE) as mesh:
        mesh.start()
        mesh.wait_connected()
        watch, told_pending, killed = Watch(), [], 0
        for number, begin in enumerate(range(0, count, batch)):
            values = [f"v{i}" for i in range(begin, min(begin + batch, count))]
            weather = ("calm", "cut", "kill", "one away")[number % 4]
            if weather == "cut":
                mesh.wan.cut_all()
            elif weather == "one away":
                mesh.wan.cut(chance.choice(mesh.regions).name)
            victim = chance.choice(mesh.regions) if weather == "kill" else None

            def run(region):
                mine = list(values)
                chance_here = random.Random(f"{number}{region.name}")
                chance_here.shuffle(mine)
                try:
                    with region.client() as client:
                        for i, value in enumerate(mine):
                            owner = f"{region.name}-{value}"
                            if claim(client, value, owner) in ("pending", "confirmed"):
                                told_pending.append((region.name, value, owner))
                            if region is victim and i == len(mine) // 2:
                                region.kill()
                except (ConnectionError, OSError):
                    check(region is victim, f"{region.name} ended the connection")

            races.in_parallel([lambda r=region: run(r) for region in mesh.regions])
            for region in mesh.running():
                watch.take(region, values)
            if victim:
                killed += 1
                victim.start()
            mesh.wan.heal_all()
            watch.take(chance.choice(mesh.regions), values)
        mesh.wait_converged()
        everything = [f"v{i}" for i in range(count)]

        def all_confirmed():
            for region in mesh.regions:
                watch.take(region, everything)
            return len(watch.confirmed) == count

        wait_until(all_confirmed, 60, "every value has a confirmed owner")
        for region in mesh.regions:
            watch.take(region, everything)
        logs = {
            region.name: {(c["loser"]["value"]) for c in conflicts(region, "&kind=claim")}
            for region in mesh.regions
        }
        lost = [claimed for claimed in told_pending if watch.confirmed[claimed[1]] != claimed[2]]
        untold = [claimed for claimed in lost if claimed[2] not in logs[claimed[0]]]
        check(not untold, f"{len(untold)} losers were not told where they asked: {untold[:5]}")
        check(len(lost) >= count // 10, f"only {len(lost)} claims lost: no race")
        metrics = [region.metrics() for region in mesh.regions]
        counted = sum(m["hawser_claims_lost_total"] for m in metrics)
        note(f"{count} values, {killed} kills: {len(told_pending)} told pending, {len(watch.confirmed)} confirmed, "
             f"never another; {len(lost)} lost, all told; claims_lost_total {counted:.0f} since the last starts")


@story("REST: claim, look, release and a bundle that a taken claim drops", seconds=40)
def rest():
    with Mesh(["us-east", "eu-west"], name="unique_rest", tables=UNIQUE) as mesh:
        mesh.start()
        mesh.wait_connected()
        east = mesh.regions[0]
        wait_until(lambda: warm(east), 20, "logs are compared")
        web = east.rest()

        def put(value, headers=None, **body):
            return web.call("PUT", f"/v1/unique/login/{value}", body, headers)

        answer = put("anna", {"Prefer": "wait=5"}, owner="u1", request_id="r1")
        check(answer.status == 201 and answer.json()["state"] == "confirmed", f"claim: {answer}")
        answer = put("anna", owner="another", request_id="r1")
        check(answer.status == 200 and answer.json()["owner"] == "u1", f"the same request: {answer}")
        check(put("berta", owner="u1", request_id="r1").status == 422, "a request id for another value")
        check(put("anna", owner="u2").status == 409, "a second owner")
        check(web.get("/v1/unique/login/anna").json()["owner"] == "u1", "look")
        check(web.get("/v1/unique/login/nobody").status == 404, "a free value")
        check(web.get("/v1/unique/phone/1").status == 422, "a name that is not declared")

        def txn(*changes):
            return web.call("POST", "/v1/txn", {"changes": changes})

        record = {"op": "put", "table": "account", "key": "u2", "fields": {"login": "anna"}}
        taken = txn(record, {"op": "claim", "name": "login", "value": "anna", "owner": "u2"})
        check(taken.status == 409, f"a bundle with a taken claim: {taken}")
        check(web.get("/v1/tables/account/records/u2").status == 404, "half of a bundle was written")
        moved = txn(record, {"op": "release", "name": "login", "value": "anna", "owner": "u1"},
                    {"op": "claim", "name": "login", "value": "anna", "owner": "u2"})
        check(moved.status == 200, f"handed over: {moved}")
        check(moved.json()["results"][2]["state"] == "pending", f"handed over: {moved.body}")
        check(web.get("/v1/unique/login/anna").json()["owner"] == "u2", "the new owner")
        check(web.call("DELETE", "/v1/unique/login/anna?owner=u1").status == 409, "a rival's release")
        check(web.call("DELETE", "/v1/unique/login/anna?owner=u2").status == 200, "release")
        check(web.get("/v1/unique/login/anna").status == 404, "released")


class Hook(http.server.ThreadingHTTPServer):
    """Takes webhook calls; answers 503 while `broken`."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), HookCall)
        self.broken, self.refused, self.taken = True, 0, []
        threading.Thread(target=self.serve_forever, daemon=True).start()


class HookCall(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.server.broken:
            self.server.refused += 1
        else:
            self.server.taken.append((dict(self.headers), body))
        self.send_response(503 if self.server.broken else 204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Events:
    """Messages of one subject, by a bare NATS connection."""

    def __init__(self, port, subject):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.stream = self.socket.makefile("rb")
        self.stream.readline()  # INFO
        self.socket.sendall(f'CONNECT {{"verbose":false}}\r\nSUB {subject} 1\r\nPING\r\n'.encode())
        while self.stream.readline() != b"PONG\r\n":
            pass

    def next(self):
        while True:
            line = self.stream.readline()
            if line == b"PING\r\n":
                self.socket.sendall(b"PONG\r\n")
            elif line.startswith(b"MSG "):
                return self.stream.read(int(line.split()[-1]) + 2)[:-2]
            elif not line:
                raise ConnectionError("NATS ended the connection")


@story("the loser is told: an event on NATS, a signed webhook, over a dead receiver and a kill", seconds=60)
def told():
    hook, secret = Hook(), "a-secret-of-more-than-sixteen-bytes"
    with Mesh(name="unique_told", tables=UNIQUE) as mesh:
        path = os.path.join(mesh.dir, "webhook.secret")
        with open(path, "w") as file:
            file.write(secret)
        os.chmod(path, 0o600)
        mesh.settings = {"webhook": {"url": f"http://127.0.0.1:{hook.server_port}/hook", "secret_file": path}}
        mesh.start()
        mesh.wait_connected()
        east, west, _ = mesh.regions
        events = Events(west.nats_port, "hw.live.events.eu-west.claim_lost")
        mesh.wan.cut_all()
        for region, owner in ((east, "u1"), (west, "u2")):
            with region.client() as client:
                check(claim(client, "anna", owner) == "pending", owner)
        mesh.wan.heal_all()
        event = json.loads(events.next())
        check((event["value"], event["owner"], event["winner"]) == ("anna", "u2", "u1"), f"{event}")
        wait_until(lambda: hook.refused >= 2, 20, "the webhook was tried twice")
        west.kill()
        hook.broken = False
        west.start()
        wait_until(lambda: hook.taken, 20, "the webhook takes it after the restart")
        time.sleep(1)
        headers, body = hook.taken[0]
        signed = hmac.new(secret.encode(), headers["Hawser-Timestamp"].encode() + b"." + body, "sha256")
        check(headers["Hawser-Signature"] == "sha256=" + signed.hexdigest(), f"signature: {headers}")
        check(json.loads(body) == event, f"the webhook says {body!r}")
        check(len(hook.taken) == 1, f"told {len(hook.taken)} times after it was taken")
        note(f"refused {hook.refused} times, then taken once; {event}")
