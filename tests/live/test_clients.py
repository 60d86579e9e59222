"""Clients that people have: redis-cli, redis-benchmark, hiredis, node-redis, curl-like REST."""

import os
import re
import shutil
import subprocess

from hawser_live.mesh import Mesh, program
from hawser_live.story import Skip, check, note, story

HERE = os.path.dirname(os.path.abspath(__file__))
NODE_MODULES = "/usr/share/nodejs"  # where Debian's node packages are


def run(argv, text=None, timeout=60, environment=None):
    done = subprocess.run(
        argv, input=text, capture_output=True, text=True, timeout=timeout,
        env={**os.environ, **environment} if environment else None,
    )
    check(done.returncode == 0, f"{argv[0]} exit {done.returncode}: {done.stdout[-800:]}{done.stderr[-800:]}")
    return done.stdout


@story("redis-cli, redis-benchmark and a C client work unchanged", seconds=120)
def usual_clients():
    with Mesh(["us-east", "eu-west"], name="clients") as mesh:
        mesh.start()
        mesh.wait_connected()
        port, peer = (str(region.redis_port) for region in mesh.regions)

        cli = ["redis-cli", "-p", port]
        check(run([*cli, "SET", "greeting", "hello"]) == "OK\n", "redis-cli SET")
        check(run([*cli, "-3", "HSET", "h", "a", "1", "b", "2"]) == "2\n", "redis-cli HSET, RESP3")
        check("hawser" in run([*cli, "INFO"]).lower(), "INFO names the server")
        piped = "".join(f"SET piped:{n} {n}\r\n" for n in range(1000))
        out = run([*cli, "--pipe"], text=piped)
        check("errors: 0, replies: 1000" in out, f"redis-cli --pipe: {out}")
        check(run([*cli, "WAIT", "1", "5000"]).strip() in ("1", "0"), "WAIT")
        mesh.wait_converged()
        check(run(["redis-cli", "-p", peer, "GET", "piped:999"]) == "999\n", "the peer reads it")
        check(run(["redis-cli", "-p", peer, "DBSIZE"]).strip().isdigit(), "DBSIZE")
        note("redis-cli: RESP2 and RESP3, --pipe of 1,000: all as expected")

        out = run(["redis-benchmark", "-p", port, "-t", "set,get,incr,mset,ping", "-n", "20000",
                   "-P", "16", "-c", "20", "-r", "1000", "--csv"], timeout=100)
        out += run(["redis-benchmark", "-p", port, "-t", "hset", "-n", "5000", "-P", "4", "-c", "20", "-r", "100",
                    "--csv"], timeout=100)
        rates = re.findall(r'^"(\w+)[^"]*","([\d.]+)"', out, re.MULTILINE)
        check(len(rates) >= 6, f"redis-benchmark: {out}")
        note("redis-benchmark, 20,000 each: " + ", ".join(f"{n} {float(r) / 1000:.0f} k/s" for n, r in rates))

        note(run([program("hiredis_client"), port, peer]).strip())
        mesh.wait_converged()


@story("a Node client works unchanged", seconds=60)
def node_client():
    if not shutil.which("node") or not os.path.isdir(os.path.join(NODE_MODULES, "redis")):
        raise Skip("Debian's nodejs and node-redis are not installed")
    with Mesh(["us-east", "eu-west"], name="node-client") as mesh:
        mesh.start()
        mesh.wait_connected()
        port, peer = (str(region.redis_port) for region in mesh.regions)
        note(run(["node", os.path.join(HERE, "node_client.js"), port, peer],
                 environment={"NODE_PATH": NODE_MODULES}).strip())


@story("REST writes here are read there by Redis clients, and the other way round", seconds=60)
def rest_and_redis():
    with Mesh(["us-east", "eu-west"], name="rest") as mesh:
        mesh.start()
        mesh.wait_connected()
        here, there = mesh.regions
        rest = here.rest()
        for path in ("/livez", "/readyz", "/version", "/metrics", "/v1/openapi.json", "/v1/regions", "/v1/lag",
                     "/v1/cut"):
            answer = rest.get(path)
            check(answer.status == 200, f"{path}: {answer}")
        answer = rest.call("PUT", "/v1/tables/orders/records/42", {"fields": {"status": "OPEN", "total": "7"}},
                           {"Prefer": "wait=5", "Hawser-Wait-Regions": "all"})
        check(answer.status in (200, 201), f"PUT: {answer}")
        with there.client() as client:
            check(client.call("HGET", "orders:42", "status") == b"OPEN", "the other region reads it")
            client.call("HSET", "orders:42", "status", "PAID")
            token = client.call("HAWSER", "TOKEN").decode()
        answer = rest.get("/v1/tables/orders/records/42", headers={"Hawser-Token": token, "Prefer": "wait=5"})
        check(answer.status == 200 and answer.json()["fields"]["status"] == "PAID", f"GET after token: {answer}")
        etag = answer.headers["ETag"]
        stale = rest.call("PUT", "/v1/tables/orders/records/42", {"fields": {"status": "X"}}, {"If-Match": '"1.0-1"'})
        check(stale.status == 412, f"a stale If-Match: {stale}")
        good = rest.call("PUT", "/v1/tables/orders/records/42", {"fields": {"status": "SHIPPED"}}, {"If-Match": etag})
        check(good.status == 200, f"a fresh If-Match: {good}")
        txn = rest.call("POST", "/v1/txn", {"changes": [
            {"op": "put", "table": "orders", "key": "43", "fields": {"status": "OPEN"}},
            {"op": "incr", "table": "stock", "key": "7", "field": "left", "by": "-1"},
        ]})
        check(txn.status == 200, f"txn: {txn}")
        mesh.wait_converged()
        with there.client() as client:
            check(client.call("HGET", "stock:7", "left") == b"-1", "the txn's increment is there")
            check(client.call("HGET", "orders:42", "total") is None, "PUT replaces the record")
        note("REST: 8 read-only calls, PUT with wait, causal token, If-Match, txn: all as expected")
