"""Feeds: what was applied is told in every region, each thing once, also to who was cut off."""

import json
import socket
import time

from hawser_live.mesh import Mesh
from hawser_live.keeper import wait_until
from hawser_live.nats import Nats, changes
from hawser_live.story import check, note, size, story


class Events:
    """One stream of server-sent events; a cut is a closed socket."""

    def __init__(self, region, path, last_id=None, timeout=30):
        self.socket = socket.create_connection(("127.0.0.1", region.rest_port), timeout=timeout)
        resume = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{resume}\r\n".encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline().strip():
            pass
        self.last_id = last_id

    def block(self):
        """(event or None, data or None); keeps the position."""
        event = data = None
        while True:
            line = self.file.readline()
            if not line:
                raise ConnectionError("the stream ended")
            line = line.decode().rstrip("\n")
            if line.startswith("id: "):
                self.last_id = line[4:]
            elif line.startswith("event: "):
                event = line[7:]
            elif line.startswith("data: "):
                data = json.loads(line[6:])
            elif not line:
                return event, data

    def next(self):
        while True:
            event, data = self.block()
            if event:
                return event, data

    def close(self):
        self.socket.close()
        self.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def conflict_keys(region):
    """Keys of the region's log, oldest first."""
    rest, found, token = region.rest(), [], ""
    while True:
        page = rest.get("/v1/conflicts?limit=1000&table=feed" + (f"&page_token={token}" if token else "")).json()
        found += [entry["key"] for entry in page["conflicts"]]
        token = page.get("next_page_token", "")
        if not token:
            return found[::-1]


def disagree(mesh, keys):
    mesh.wan.cut_all()
    for region in mesh.regions:
        with region.client() as client:
            client.pipeline([("SET", f"feed:{key}", region.name) for key in keys])
    mesh.wan.heal_all()
    mesh.wait_converged()


@story("conflicts made in a cut are told in every region, each once, over a cut stream and a kill", seconds=120)
def conflicts_told():
    count = size(400, 5000)
    with Mesh(name="conflicts-told") as mesh:
        mesh.start()
        mesh.wait_connected()
        streams = {region.name: Events(region, "/v1/conflicts/stream?table=feed") for region in mesh.regions}
        for region in mesh.regions:
            streams[region.name].block()  # where it begins
        told = {region.name: [] for region in mesh.regions}

        def hear(region, until):
            """Reads up to that many; comes back on a new connection every 37 events."""
            stream, heard = streams[region.name], told[region.name]
            while len(heard) < until:
                event, data = stream.next()
                check(event == "conflict", f"{region.name}: {event} {data}")
                heard.append(data["key"])
                if len(heard) % 37 == 0:
                    stream.close()
                    stream = streams[region.name] = Events(region, "/v1/conflicts/stream?table=feed", stream.last_id)

        disagree(mesh, [f"a{i}" for i in range(count)])
        logs = {region.name: conflict_keys(region) for region in mesh.regions}
        for region in mesh.regions:
            check(len(logs[region.name]) >= count, f"{region.name} logged {len(logs[region.name])}")
            hear(region, len(logs[region.name]) // 2)

        # A region is killed in the middle of its stream; more comes while nobody listens.
        victim = mesh.regions[1]
        victim.kill()
        victim.start()
        mesh.wait_connected()
        streams[victim.name] = Events(victim, "/v1/conflicts/stream?table=feed", streams[victim.name].last_id)
        disagree(mesh, [f"b{i}" for i in range(count)])
        for region in mesh.regions:
            log = conflict_keys(region)
            hear(region, len(log))
            check(told[region.name] == log, f"{region.name}: the stream and the log differ")

        # And promptly: from the healing of a link to the event is a matter of replication.
        began = time.monotonic()
        disagree(mesh, ["prompt"])
        for region in mesh.regions:
            check(streams[region.name].next()[1]["key"] == "prompt", region.name)
        note(f"{sum(len(heard) for heard in told.values())} conflicts told in three regions, each once and in the "
             f"log's order; the last {1000 * (time.monotonic() - began):.0f} ms after the writes")


@story("what a region applies is told in its order over REST and NATS, of others too, over a cut and a kill", seconds=120)
def changes_told():
    count = size(1500, 20_000)
    with Mesh(["us-east", "eu-west"], name="changes-told", settings={"feeds": {"changes": True}}) as mesh:
        mesh.start()
        mesh.wait_connected()
        east, west = mesh.regions
        subject = f"hw.{mesh.cluster}.changes.us-east.feed"
        with Nats(east.nats_port, subject, f"hw.{mesh.cluster}.events.us-east.*") as nats:
            stream = Events(east, "/v1/changes?table=feed")
            begin = stream.block() and stream.last_id

            def write(region, label, number):
                with region.client() as client:
                    client.pipeline([("SET", f"feed:{label}{i}", f"{label}{i}") for i in range(number)])

            write(east, "e", count)
            write(west, "w", count)
            mesh.wait_converged()
            told = []
            while len(told) < 2 * count:
                event, data = stream.next()
                check(event == "change", f"{event}: {data}")
                told.append((data["key"], data["dot"]["region"]))
                if len(told) % 499 == 0:  # cut, and resumed
                    stream.close()
                    stream = Events(east, "/v1/changes?table=feed", stream.last_id)
            for label, region in (("e", "us-east"), ("w", "eu-west")):
                mine = [entry for entry in told if entry[1] == region]
                check(mine == [(f"{label}{i}", region) for i in range(count)], f"{region}: not each once, in order")

            # The same order on NATS, and each message names the one before.
            heard, last = [], ""
            while len(heard) < 2 * count:
                position, previous, gap, some = changes(nats.next()[1])
                check(previous == last and not gap, f"after {last!r} comes {previous!r}, gap {gap}")
                last = position
                heard += [(key, origin) for key, origin, _ in some]
            check(heard == told, "NATS and REST tell different things")

            # A position of NATS is one of REST.
            with Events(east, f"/v1/changes?table=feed&from={last}") as rest:
                write(west, "n", 1)
                check(rest.next()[1]["key"] == "n0", "from a position that NATS named")
            check(changes(nats.next()[1])[3] == [("n0", "eu-west", b"n0")], "the value on NATS")

            # A conflict is an event there.
            disagree(mesh, ["both"])
            while True:
                subject_of, payload = nats.next()
                if subject_of.endswith(".conflict"):
                    break
            event = json.loads(payload)
            check(event["key"] == "both" and event["loser"] and event["winner"], f"{event}")

        # Over a kill -9: the stream goes on where it was.
        east.kill()
        east.start()
        mesh.wait_connected()
        write(west, "k", 5)
        mesh.wait_converged()
        with Events(east, "/v1/changes?table=feed", stream.last_id) as again:
            keys = []
            while keys[-1:] != ["k4"]:
                keys.append(again.next()[1]["key"])
        check(keys[-6:] == ["both", "k0", "k1", "k2", "k3", "k4"], f"after the kill: {keys}")

        # How long an idle stream takes to hear of a write.
        delays = []
        with Events(east, "/v1/changes?table=feed") as quick, east.client() as client:
            quick.block()
            for i in range(50):
                client.call("SET", f"feed:q{i}", "1")
                began = time.monotonic()
                check(quick.next()[1]["key"] == f"q{i}", "the write")
                delays.append(1000 * (time.monotonic() - began))
                time.sleep(0.01)
        # Trimmed: it says so, rather than leave a hole.
        write(east, "t", 200)
        mesh.wait_converged()

        def trimmed():
            try:
                stream_status = Events(east, "/v1/changes", begin)
                stream_status.close()
                return stream_status.status == 410
            except OSError:
                return False

        wait_until(trimmed, 60, "the first position is gone")
        note(f"{2 * count} changes of two regions over REST and NATS, each once and in one order; an idle stream hears of "
             f"a write {sorted(delays)[len(delays) // 2]:.1f} ms after its answer (p50), {max(delays):.1f} ms at most")
