"""Clients that keep what they read: CLIENT TRACKING tells them what has changed, in whatever region."""

import random
import threading
import time

from hawser_live.keeper import wait_until
from hawser_live.mesh import Mesh
from hawser_live.story import check, note, size, story


class Writer:
    def __init__(self, region, keys):
        self.region, self.keys, self.going, self.writes, self.errors = region, keys, True, 0, []
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def stop(self):
        self.going = False
        self.thread.join()
        if self.errors:
            raise self.errors[0]

    def _run(self):
        rng = random.Random(self.region.name)
        try:
            with self.region.client() as client:
                while self.going:
                    client.pipeline_ok([("SET", rng.choice(self.keys), f"{self.region.name}-{self.writes + i}")
                                        for i in range(5)])
                    self.writes += 5
                    time.sleep(0.003)
        except BaseException as error:
            self.errors.append(error)


class NearCache:
    """Reads a key once, and again only when it was told that the key has changed. Writes now and then, so that
    some of its reads travel behind its writes."""

    def __init__(self, region, keys, options=()):
        self.client, self.keys, self.cache = region.client(), keys, {}
        self.hits = self.told = self.flushes = 0
        self.rng = random.Random(region.name + str(options))
        self.client.call("HELLO", "3")
        self.client.call("CLIENT", "TRACKING", "ON", *options)

    def _take(self, replies):
        """Reads so many replies; pushes among them are taken as they come."""
        taken = []
        while len(taken) < replies:
            reply = self.client.read()
            if not isinstance(reply, list) or not reply or reply[0] != b"invalidate":
                taken.append(reply)
                continue
            self.told += 1
            if reply[1] is None:
                self.flushes += 1
                self.cache.clear()
            for key in reply[1] or []:
                self.cache.pop(key.decode(), None)
        return taken

    def read_some(self):
        wanted = [key for key in self.rng.sample(self.keys, 8) if key not in self.cache]
        self.hits += 8 - len(wanted)
        commands = [("GET", key) for key in wanted]
        writes = self.rng.random() < 0.3
        if writes:
            commands.insert(0, ("SET", "own:" + str(self.rng.randrange(10)), "x"))
        self.client.send(*commands)
        # Each reply is kept before the pushes behind it are taken.
        if writes:
            self._take(1)
        for key in wanted:
            self.cache[key] = self._take(1)[0]

    def settle(self):
        self.client.send(("PING",))
        self._take(1)


@story("what a client keeps of its reads is never stale for long, whichever region writes", seconds=90)
def near_cache():
    with Mesh(names=["us-east", "eu-west"], name="tracking") as mesh:
        mesh.start()
        mesh.wait_connected()
        one, two = mesh.regions
        with one.client() as client:
            client.call("HELLO", "3")
            client.call("CLIENT", "TRACKING", "ON")
            check(client.call("GET", "orders:1") is None, "orders:1 is there already")
            began = time.monotonic()
            with two.client() as other:
                other.call("SET", "orders:1", "x")
            check(client.read() == [b"invalidate", [b"orders:1"]], "no invalidation of a remote write")
            first_ms = (time.monotonic() - began) * 1000
        keys = [f"k:{number}" for number in range(100)]
        caches = [NearCache(one, keys), NearCache(one, keys, ("NOLOOP",)), NearCache(two, keys),
                  NearCache(one, keys, ("BCAST", "PREFIX", "k:"))]
        writers = [Writer(region, keys) for region in mesh.regions]
        until = time.monotonic() + size(5, 60)
        try:
            while time.monotonic() < until:
                for cache in caches:
                    cache.read_some()
        finally:
            for writer in writers:
                writer.stop()
        mesh.wait_converged()
        with one.client() as client:
            truth = dict(zip(keys, client.pipeline([("GET", key) for key in keys])))

        def stale(cache):
            cache.settle()
            return [key for key, value in cache.cache.items() if value != truth[key]]

        for number, cache in enumerate(caches):
            wait_until(lambda: not stale(cache), 5, f"cache {number} holds nothing stale")
            check(cache.told > 100 and cache.hits > 0, f"cache {number}: {cache.told} told, {cache.hits} hits")
        writes = sum(writer.writes for writer in writers)
        note(f"{writes} writes in two regions, {sum(c.hits for c in caches)} reads answered from four clients' own "
             f"memory, {sum(c.told for c in caches)} invalidations: nothing stale at the end; a remote write is told "
             f"after {first_ms:.1f} ms")
