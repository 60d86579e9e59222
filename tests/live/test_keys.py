"""Idempotency keys: what was not answered is sent again, and is carried out once."""

import random
import threading
import time

from hawser_live.keeper import wait_until
from hawser_live.mesh import Mesh
from hawser_live.story import check, note, size, story

TABLES = """
[[tables]]
name = "stock"
[tables.fields.sold]
resolve = "counter"

[[tables]]
name = "customers"
placement = "homed"
default_home = "us-east"
[tables.fields.sold]
resolve = "counter"
"""


def incr(table, key, by=1):
    return {"changes": [{"op": "incr", "table": table, "key": key, "field": "sold", "by": by}]}


def lasting(answer):
    """What must be the same in every answer to one key; a token may name more than it did."""
    told = answer.json()
    told.pop("token", None)
    return answer.status, answer.headers["ETag"], told


def post(region, body, key, timeout=20):
    rest = region.rest(timeout)
    try:
        return rest.call("POST", "/v1/txn", body, {"Idempotency-Key": key})
    finally:
        rest.close()


def until_answered(region, body, key, seconds=60):
    """As a client does it: again and again with the same key. How often, and the answer."""
    until, tries = time.monotonic() + seconds, 0
    while True:
        tries += 1
        try:
            answer = post(region, body, key, 5)
            if answer.status < 500:
                return tries, answer
        except OSError:
            pass
        except Exception as error:  # http.client: the daemon was killed while it answered
            if type(error).__module__ != "http.client":
                raise
        check(time.monotonic() < until, f"{region.name}: no answer to {key} within {seconds} s")
        time.sleep(0.02)


def sold(region, table, key):
    return int(region.rest().get(f"/v1/tables/{table}/records/{key}").json()["fields"]["sold"])


@story("a retry gets the first answer: after kill -9, in another region, while the home is away; another body is refused",
       seconds=120)
def first_answer():
    with Mesh(name="first-answer", tables=TABLES) as mesh:
        mesh.start()
        mesh.wait_connected()
        east, west, south = mesh.regions
        first = post(east, incr("stock", "1", 3), "order-1")
        check(first.status == 200 and first.headers["Hawser-Replayed"] is None, f"{first}")
        path, body = "/v1/tables/stock/records/note", {"fields": {"text": "one"}}
        put = east.rest().call("PUT", path, body, {"Idempotency-Key": "note-1"})
        check(put.status == 201, f"{put}")

        east.kill()
        east.start()
        again = post(east, incr("stock", "1", 3), "order-1")
        check(lasting(again) == lasting(first) and again.headers["Hawser-Replayed"] == "true", f"{first} {again}")
        put_again = east.rest().call("PUT", path, body, {"Idempotency-Key": "note-1"})
        check(lasting(put_again) == lasting(put), f"{put} {put_again}")
        check(east.rest().get(path).headers["ETag"] == put.headers["ETag"], "the version told is not the record's")
        other = post(east, incr("stock", "1", 4), "order-1")
        check(other.status == 422 and other.json()["code"] == "IDEMPOTENCY", f"{other}")

        # In another region, which has applied it.
        mesh.wait_converged()
        there = post(west, incr("stock", "1", 3), "order-1")
        check(lasting(there) == lasting(first) and there.headers["Hawser-Replayed"] == "true", f"{there}")
        check(post(south, incr("stock", "1", 5), "order-1").status == 422, "another body elsewhere")
        check(sold(west, "stock", "1") == 3, "carried out again")

        # A homed table: the key travels to the home, and its answer is known here when the home is away.
        _, forwarded = until_answered(west, incr("customers", "7"), "order-2")  # the home has just started
        check(forwarded.status == 200 and forwarded.headers["Hawser-Served-By"] == "us-east", f"{forwarded.headers}")
        at_home = post(east, incr("customers", "7"), "order-2")
        check(lasting(at_home) == lasting(forwarded) and at_home.headers["Hawser-Replayed"] == "true", f"{at_home}")
        mesh.wait_converged()
        mesh.wan.cut("us-east")
        wait_until(lambda: post(west, incr("customers", "7"), "order-3").status == 503, 30, "the home is away")
        away = post(west, incr("customers", "7"), "order-2")
        check(lasting(away) == lasting(forwarded) and away.headers["Hawser-Replayed"] == "true", f"{away}")
        check(post(west, incr("customers", "8"), "order-2").status == 422, "another body while the home is away")
        mesh.wan.heal("us-east")
        mesh.wait_converged()
        tries, answer = until_answered(west, incr("customers", "7"), "order-3")
        check(answer.status == 200, f"{answer}")
        mesh.wait_converged()
        for region in mesh.regions:
            check((sold(region, "stock", "1"), sold(region, "customers", "7")) == (3, 2), f"{region.name} counts otherwise")


@story("two regions in a cut both carry a key out: both are in the sum, and the second is a logged conflict", seconds=60)
def carried_out_twice():
    with Mesh(["us-east", "eu-west"], name="carried-out-twice", tables=TABLES) as mesh:
        mesh.start()
        mesh.wait_connected()
        east, west = mesh.regions
        mesh.wan.cut_all()
        first = post(east, incr("stock", "1"), "order-1")
        time.sleep(0.05)
        second = post(west, incr("stock", "1"), "order-1")
        check(first.status == second.status == 200 and second.headers["Hawser-Replayed"] is None, f"{first} {second}")
        mesh.wan.heal_all()
        mesh.wait_converged()
        for region in mesh.regions:
            told = region.rest().get("/v1/conflicts?kind=idempotency").json()["conflicts"]
            check(len(told) == 1, f"{region.name} logged {told}")
            sides = (told[0]["winner"]["region"], told[0]["loser"]["region"])
            check(sides == ("us-east", "eu-west") and told[0]["key"] == "rest\0order-1", f"{told}")
            check(sold(region, "stock", "1") == 2, "a write was undone")
            again = post(region, incr("stock", "1"), "order-1")
            check(lasting(again) == lasting(first), f"{region.name} answers {again}, the first was {first}")


@story("increments that are sent again at random, through kills, restarts and cuts, are exact", seconds=180)
def exact():
    per_client, clients = size(70, 700), 3
    with Mesh(name="keys-exact", tables=TABLES) as mesh:
        mesh.start()
        mesh.wait_connected()
        east, west, _ = mesh.regions
        tries, failures = [], []

        def sell(number, region, table):
            rng = random.Random(number)
            try:
                for i in range(per_client):
                    key = f"{number}-{i}"
                    count, answer = until_answered(region, incr(table, "1"), key)
                    check(answer.status == 200, f"{key}: {answer}")
                    tries.append(count)
                    while rng.random() < 0.3:  # the client did not hear it
                        _, again = until_answered(region, incr(table, "1"), key)
                        check(lasting(again) == lasting(answer), f"{key}: {answer}, then {again}")
                        check(again.headers["Hawser-Replayed"] == "true", f"{key} was carried out again")
            except Exception as error:  # reported by the story
                failures.append(f"{region.name} {table}: {error!r}")

        sellers = [threading.Thread(target=sell, args=args) for args in
                   ((1, east, "stock"), (2, west, "customers"), (3, west, "customers"))]
        for seller in sellers:
            seller.start()

        # From this thread: a daemon ends with the thread that started it.
        rng = random.Random(7)
        while any(seller.is_alive() for seller in sellers):
            time.sleep(rng.uniform(0.3, 1.2))
            if rng.random() < 0.5:
                east.kill()
                east.start()
            else:
                mesh.wan.cut("us-east")
                time.sleep(rng.uniform(0.1, 0.5))
                mesh.wan.heal("us-east")
        check(not failures, f"{failures}")
        mesh.wait_converged()
        for region in mesh.regions:
            found = sold(region, "stock", "1"), sold(region, "customers", "1")
            check(found == (per_client, 2 * per_client), f"{region.name}: {found} instead of {per_client} and twice that")
            told = region.rest().get("/v1/conflicts?kind=idempotency").json()["conflicts"]
            check(not told, f"{region.name} logged {told}")
        note(f"{clients * per_client} increments, {sum(tries)} tries until answered, exact in all regions")
