"""Feeds: what was applied is told in every region, each thing once, also to who was cut off."""

import json
import socket
import time

from hawser_live.mesh import Mesh
from hawser_live.keeper import wait_until
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
