"""Scarce things: sold in every region at once, never one too many, and none left over."""

import random
import threading
import time

from hawser_live.keeper import wait_until
from hawser_live.mesh import Mesh
from hawser_live.resp import ReplyError
from hawser_live.story import check, note, size, story

TABLES = """
[[tables]]
name = "tickets"
[tables.fields.left]
resolve = "counter"
min = 0
"""


class Seller:
    """Takes one to three at a time until told that nothing is left; what broke is unknown."""

    def __init__(self, region, shows, patience):
        self.region, self.patience = region, patience
        self.sold, self.unknown = dict.fromkeys(shows, 0), dict.fromkeys(shows, 0)
        self.refused = {"TRYAGAIN": 0, "NOTENOUGH": 0}
        self.lowest = 0
        self.rng = random.Random(region.name)
        self.stop = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            while not self.stop.is_set():
                try:
                    with self.region.client(timeout=10) as client:
                        self._sell(client)
                except (OSError, ConnectionError):
                    time.sleep(0.05)
        except Exception as failure:  # told by the story
            self.failure = failure

    def _sell(self, client):
        while not self.stop.is_set():
            batch = [(self.rng.choice(list(self.sold)), self.rng.choice([1, 1, 1, 2, 3])) for _ in range(40)]
            waiting = batch[:]
            try:
                client.send(*[("HINCRBY", f"tickets:{show}", "left", -amount) for show, amount in batch])
                short = False
                while waiting:
                    reply = client.read()
                    show, amount = waiting.pop(0)
                    if not isinstance(reply, ReplyError):
                        self.sold[show] += amount
                        self.lowest = min(self.lowest, int(reply))
                    elif reply.word == "UNKNOWN":
                        self.unknown[show] += amount
                    elif reply.word in self.refused:
                        self.refused[reply.word] += 1
                        short = True
                    else:
                        raise AssertionError(f"a sale was refused: {reply}")
                if short:
                    time.sleep(self.patience)
            except (OSError, ConnectionError, ValueError):
                for show, amount in waiting:
                    self.unknown[show] += amount
                raise ConnectionError("broken") from None


def left(region, shows):
    with region.client() as client:
        return {show: int(client.call("HGET", f"tickets:{show}", "left") or 0) for show in shows}


@story("three regions sell through cuts and kills: never one too many, and all is sold when links are up", seconds=180)
def sold_out():
    total, shows = size(30_000, 1_000_000), [f"show{i}" for i in range(5)]
    rng = random.Random(7)
    with Mesh(name="escrow_sold_out", tables=TABLES) as mesh:
        mesh.start()
        mesh.wait_connected()
        with mesh.regions[0].client() as client:
            for show in shows:
                client.call("HSET", f"tickets:{show}", "left", total // len(shows))
        mesh.wait_converged(20)
        sellers = [Seller(region, shows, patience=0.02) for region in mesh.regions]
        kills = cuts = 0
        try:
            until = time.monotonic() + 12
            while time.monotonic() < until or sum(left_anywhere(mesh, shows).values()) > total * 0.05:
                time.sleep(0.2)
                victim = rng.choice(mesh.regions)
                if rng.random() < 0.3:
                    victim.kill()
                    time.sleep(rng.uniform(0, 0.2))
                    victim.start()
                    kills += 1
                else:
                    mesh.wan.cut(victim.name)
                    time.sleep(rng.uniform(0.1, 0.5))
                    mesh.wan.heal(victim.name)
                    cuts += 1
            wait_until(lambda: not any(left_anywhere(mesh, shows).values()), 60, "all is sold")
        finally:
            for seller in sellers:
                seller.stop.set()
            for seller in sellers:
                seller.thread.join()
        for seller in sellers:
            check(seller.failure is None, f"{seller.region.name}: {seller.failure!r}")
            check(seller.lowest >= 0, f"{seller.region.name} showed {seller.lowest}")
        mesh.wait_converged(60)
        each = total // len(shows)
        for show in shows:
            acked = sum(seller.sold[show] for seller in sellers)
            unknown = sum(seller.unknown[show] for seller in sellers)
            check(acked <= each, f"{show}: {acked} sold of {each}")
            check(each <= acked + unknown, f"{show}: {each - acked - unknown} were lost")
        for region in mesh.regions:
            check(not any(left(region, shows).values()), f"{region.name} shows {left(region, shows)}")
        acked = sum(sum(seller.sold.values()) for seller in sellers)
        unknown = sum(sum(seller.unknown.values()) for seller in sellers)
        refused = {word: sum(seller.refused[word] for seller in sellers) for word in ("TRYAGAIN", "NOTENOUGH")}
        check(kills > 0 and cuts > 0, "no fault happened")
        note(f"{acked} of {total} sold and acknowledged, {unknown} in replies that never came; {kills} kills, "
             f"{cuts} cuts; told to try again {refused['TRYAGAIN']} times, nothing within reach "
             f"{refused['NOTENOUGH']} times; 0 too many, 0 left")


def left_anywhere(mesh, shows):
    """By a region that answers; in the end the same everywhere."""
    for region in mesh.regions:
        try:
            return left(region, shows)
        except (OSError, ConnectionError):
            continue
    return dict.fromkeys(shows, 1)


@story("a region that is cut off sells what it holds; one that lacks fetches, and asks before it is empty", seconds=60)
def fetched():
    with Mesh(name="escrow_fetched", tables=TABLES) as mesh:
        mesh.start()
        mesh.wait_connected()
        east, west, south = mesh.regions

        def take(region, amount):
            """The number left, or the word of the refusal."""
            with region.client() as client:
                try:
                    return client.call("HINCRBY", "tickets:x", "left", -amount)
                except ReplyError as error:
                    return error.word

        with east.client() as client:
            check(client.call("HSET", "tickets:x", "left", 100) == 1, "stock is added")
        mesh.wait_converged(20)
        check(take(west, 10) == "TRYAGAIN", "rights are elsewhere")
        wait_until(lambda: take(west, 10) == 90, 10, "rights arrive")
        check(take(west, 1000) == "NOTENOUGH", "more than there is")

        mesh.wan.cut(west.name)
        wait_until(lambda: all(region.get("link", "down") == "down" for region in west.rest().get("/v1/regions").json()["regions"]),
                   20, "eu-west knows that it is alone")
        sold_west = 0
        while take(west, 1) not in ("TRYAGAIN", "NOTENOUGH"):
            sold_west += 1
        check(0 < sold_west < 90, f"{sold_west} sold alone")
        check(take(west, 1) == "NOTENOUGH", "nothing is within reach")
        check(isinstance(take(east, 5), int), "the others go on")
        mesh.wan.heal(west.name)
        wait_until(lambda: isinstance(take(west, 1), int), 20, "rights come again")

        with east.client() as client:
            for words in (("DEL", "tickets:x"), ("EXPIRE", "tickets:x", 100), ("HDEL", "tickets:x", "left")):
                try:
                    client.call(*words)
                    check(False, f"{words} was taken")
                except ReplyError as error:
                    check(error.word == "SCARCE", str(error))

        def sell_out():
            for region in mesh.regions:
                while isinstance(take(region, 1), int):
                    pass
            return left(east, ["x"])["x"] == 0

        wait_until(sell_out, 20, "all is sold")
        mesh.wait_converged(20)

        def deleted():
            with south.client() as client:
                try:
                    return client.call("DEL", "tickets:x") == 1
                except ReplyError as error:
                    check(error.word == "SCARCE", str(error))
                    return False

        wait_until(deleted, 20, "what is over may go")
        mesh.wait_converged(20)
        with west.client() as client:
            check(client.call("EXISTS", "tickets:x") == 0, "it is gone everywhere")
            check(client.call("HINCRBY", "tickets:x", "left", 3) == 3, "and may come again")
        note(f"{sold_west} sold by a region alone; refusals say what to do; deleted when over")
