#!/usr/bin/env python3
"""The demo: three regions, real data, a region cut off and healed. Run by demo.sh.

A process in the background keeps the regions; this one shows what it says and leaves when it is done.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from hawser_live import keeper, mesh as meshes, reading  # noqa: E402
from hawser_live.races import in_parallel  # noqa: E402

DIRECTORY = os.path.join(meshes.ROOT, "build", "demo")
PID_FILE = os.path.join(meshes.ROOT, "build", "demo.pid")
ISO_CODES = "/usr/share/iso-codes/json"
# file, the name of its list, table, the field that is the key, records in Debian 12's package
SETS = [
    ("iso_3166-1", "3166-1", "country", "alpha_2", 249),
    ("iso_639-3", "639-3", "language", "alpha_3", 7910),
    ("iso_4217", "4217", "currency", "alpha_3", 181),
    ("iso_3166-2", "3166-2", "subdivision", "code", 5127),
]


TABLES = """
[[tables]]
name = "customers"
placement = "homed"
[[unique]]
name = "login"
"""


class False_(Exception):
    """A claim of the demo that is not true."""


def say(text=""):
    print(text, flush=True)


step_number = 0


def step(text):
    global step_number
    step_number += 1
    say(f"\n{step_number}. {text}")


def claim(condition, text):
    if not condition:
        raise False_(text)
    say(f"   ✓ {text}")


def iso_records():
    """[(key, {field: text})] of all four lists."""
    found = []
    for file, name, table, key_field, count in SETS:
        with open(f"{ISO_CODES}/{file}.json", encoding="utf-8") as f:
            entries = json.load(f)[name]
        if len(entries) != count:
            say(f"   ({file} holds {len(entries)} records here, {count} in Debian 12)")
        found += [(f"{table}:{entry[key_field]}", entry) for entry in entries]
    return found


def picture(region, keys):
    """What the region shows of these keys, and the digest of it all."""
    shown = reading.both(region, keys)
    digest = hashlib.sha256()
    for key in sorted(shown):
        string, fields = shown[key]
        digest.update(repr((key, string, sorted(fields.items()))).encode())
    return shown, digest.hexdigest()[:16]


def prove_identical(mesh):
    """Reads every key in every region and compares. Returns how many."""
    lists = [reading.all_keys(region) for region in mesh.regions]
    claim(all(keys == lists[0] for keys in lists), f"each region lists the same {len(lists[0])} keys")
    pictures = [picture(region, lists[0]) for region in mesh.regions]
    different = reading.differing([shown for shown, _ in pictures])
    claim(not different, f"record by record, {len(different)} of {len(lists[0])} differ; digest in each region: "
          + ", ".join(digest for _, digest in pictures))
    return len(lists[0])


def load(mesh):
    step("Loads Debian's iso-codes into us-east through the Redis protocol")
    records = iso_records()
    us_east = mesh["us-east"]
    begun = time.monotonic()
    with us_east.client() as client:
        client.pipeline_ok([
            ("HSET", key, *[part for pair in fields.items() for part in pair]) for key, fields in records
        ])
        took = time.monotonic() - begun
        claim(client.call("DBSIZE") == len(records),
              f"{len(records)} records, each durable when answered, in {took:.2f} s")
        token = client.call("HAWSER", "TOKEN")
    for region in mesh.regions[1:]:
        with region.client() as client:
            client.call("HAWSER", "AWAIT", token, 30_000)
            took = time.monotonic() - begun
            claim(client.call("DBSIZE") == len(records), f"{region.name} shows all of them {took:.2f} s after the start")
    keys = [key for key, _ in records]
    expected = {key: {f.encode(): v.encode() for f, v in fields.items()} for key, fields in records}
    for region in mesh.regions:
        wrong = [k for k, fields in reading.hashes(region, keys).items() if fields != expected[k]]
        claim(not wrong, f"{region.name}: {len(keys) - len(wrong)} of {len(keys)} as in the package's files")
    with mesh["ap-south"].client() as client:
        name = client.call("HGET", "country:NO", "name").decode()
        say(f"     ap-south> HGET country:NO name  →  {name}")


def write_and_read(mesh):
    step("A write here, a read there")
    with mesh["us-east"].client() as here, mesh["eu-west"].client() as there:
        times = []
        for number in range(100):
            begun = time.perf_counter()
            here.call("SET", "demo:clock", number)
            while there.call("GET", "demo:clock") != b"%d" % number:
                claim_time = time.perf_counter() - begun
                if claim_time > 10:
                    raise False_("a write was not readable in eu-west after 10 s")
            times.append((time.perf_counter() - begun) * 1000)
        times.sort()
        claim(True, f"100 times SET in us-east, read in eu-west: median {times[50]:.2f} ms, slowest {times[-1]:.2f} ms")
        here.call("SET", "demo:acked", "1")
        claim(here.call("WAIT", "2", "10000") == 2, "WAIT 2: both other regions have it durably")


def write_everywhere(mesh, label, count):
    """Own keys and shared counters from every region at once; how many each."""
    def run(region):
        with region.client() as client:
            client.pipeline_ok([("SET", f"{label}:{region.name}:{n}", n) for n in range(count)])
            client.pipeline_ok([("INCR", f"visits:{n % 100}") for n in range(count)])

    in_parallel([lambda r=region: run(r) for region in mesh.regions])


def all_at_once(mesh):
    step("All three regions write at once")
    count = 3000
    write_everywhere(mesh, "together", count)
    mesh.wait_converged(60)
    with mesh["eu-west"].client() as client:
        total = sum(int(v) for v in client.call("MGET", *[f"visits:{n}" for n in range(100)]))
    claim(total == 3 * count, f"{3 * count} increments of 100 shared counters add up to {total}")
    return count


def link_of(region, peer):
    rest = region.rest()
    lag = rest.get("/v1/lag").json()
    rest.close()
    return next(each for each in lag["lag"] if peer in json.dumps(each))


def cut_off(mesh, counted):
    step("Cuts ap-south off from the others")
    mesh.wan.cut("ap-south")
    mesh_two = mesh["us-east"], mesh["eu-west"]
    with mesh["us-east"].client() as client:
        client.call("HSET", "country:TR", "name", "Turkey, said us-east")
    time.sleep(0.05)
    with mesh["ap-south"].client() as client:
        client.call("HSET", "country:TR", "name", "Türkiye, said ap-south later")
        client.call("HSET", "country:TR", "capital", "Ankara")
    write_everywhere(mesh, "apart", counted)
    claim(True, f"every region went on: {6 * counted} more writes were acknowledged")
    with mesh["us-east"].client() as us, mesh["ap-south"].client() as ap:
        claim(us.call("GET", "apart:ap-south:0") is None and ap.call("GET", "apart:us-east:0") is None,
              "us-east and ap-south do not know each other's writes")
        us.call("SET", "demo:apart", "1")
        claim(us.call("WAIT", "2", "300") < 2, "WAIT 2 after a write in us-east says that not both others have it")
        for name, client in (("us-east", us), ("ap-south", ap)):
            say(f"     {name}> HGET country:TR name  →  {client.call('HGET', 'country:TR', 'name').decode()}")
    keeper.wait_until(lambda: mesh_two[0].cut() == mesh_two[1].cut(), 30, "the two level each other")
    claim(True, "us-east and eu-west are level with each other")


def heal(mesh, counted):
    step("Heals the links")
    begun = time.monotonic()
    mesh.wan.heal("ap-south")
    mesh.wait_converged(60)
    claim(True, f"all three have applied the same txns {time.monotonic() - begun:.2f} s later")
    with mesh["eu-west"].client() as client:
        total = sum(int(v) for v in client.call("MGET", *[f"visits:{n}" for n in range(100)]))
        claim(total == 6 * counted, f"the counters, raised on both sides of the cut, add up to {total}")
    step("The conflict is settled the same way everywhere")
    for region in mesh.regions:
        with region.client() as client:
            name, capital = client.call("HMGET", "country:TR", "name", "capital")
            claim(name.decode() == "Türkiye, said ap-south later" and capital == b"Ankara",
                  f"{region.name}: country:TR name = {name.decode()}, capital = {capital.decode()} "
                  "(the later write; a field only one side wrote stays)")


def control_tool(region, *words):
    """Shows what hawserctl says; gives it back."""
    tool = os.path.join(meshes.BUILD, "hawserctl")
    server = f"http://127.0.0.1:{region.rest_port}"
    done = subprocess.run([tool, "--server", server, *words], capture_output=True, text=True, timeout=20)
    said = " ".join(f'"{word}"' if " " in word else word for word in words)
    say(f"\n     $ hawserctl --server {server} {said}")
    for line in (done.stdout + done.stderr).splitlines():
        say(f"     {line}")
    claim(done.returncode == 0, "hawserctl answers")
    return done.stdout


def show_control_tool(mesh):
    control_tool(mesh.regions[0], "lag")


def take_back(mesh):
    step("An operator finds what gave way, and takes it back")
    region = mesh["eu-west"]
    rest = region.rest()
    logged = rest.get("/v1/conflicts?table=country&key=TR").json()["conflicts"]
    claim(len(logged) == 1 and logged[0]["loser"]["value"] == "Turkey, said us-east",
          "the conflict log of eu-west holds the value that lost, the one that won, and why")
    control_tool(region, "conflict", "show", logged[0]["id"])
    control_tool(region, "conflict", "resolve", logged[0]["id"], "--take", "loser", "--reason", "the demo wants it back")
    mesh.wait_converged(60)
    for each in mesh.regions:
        with each.client() as client:
            name = client.call("HGET", "country:TR", "name").decode()
        claim(name == "Turkey, said us-east", f"{each.name}: country:TR name = {name}")
    audit = rest.get("/v1/audit").json()
    claim(audit["chain"]["verified"] and "the demo wants it back" in json.dumps(audit["entries"]),
          "the audit log says who did it and why, in a chain that verifies")
    rest.close()


def race_for_login(mesh):
    step("Two regions race for one login while ap-south is cut off")
    mesh.wan.cut("ap-south")
    names = {"us-east": "ann@us", "ap-south": "ann@ap"}
    for name, owner in names.items():
        with mesh[name].client() as client:
            state = client.call("UNIQ", "CLAIM", "login", "ann", owner).decode()
            client.call("HSET", f"account:{owner}", "login", "ann")
        claim(state == "pending", f"{name} answers {owner} at once: {state}")
    mesh.wan.heal("ap-south")

    def settled():
        answers = []
        for region in mesh.regions:
            rest = region.rest()
            found = rest.get("/v1/unique/login/ann").json()
            rest.close()
            answers.append((found["owner"], found["state"]))
        return answers[0] if answers[0][1] == "confirmed" and len(set(answers)) == 1 else None

    owner, _ = keeper.wait_until(settled, 30, "one owner, confirmed in every region")
    claim(owner in names.values(), f"every region: login ann belongs to {owner}, confirmed")
    loser = next(each for each in names.values() if each != owner)
    home = next(name for name, each in names.items() if each == loser)
    rest = mesh[home].rest()
    told = [c for c in rest.get("/v1/conflicts?kind=claim").json()["conflicts"] if c["loser"]["value"] == loser]
    rest.close()
    claim(len(told) == 1, f"{home} is told that {loser} lost it")
    with mesh["eu-west"].client() as client:
        both = [client.call("HGET", f"account:{each}", "login") for each in names.values()]
    claim(both == [b"ann", b"ann"], "both accounts still exist")


def move_home(mesh):
    step("A customer homed in eu-west shops in us-east, then moves")
    key = "customers:{42}:basket"
    us_east, eu_west = mesh["us-east"], mesh["eu-west"]
    with eu_west.client() as client:
        client.call("HSET", key, "tea", 1)

    def home(region):
        with region.client() as client:
            rows = client.call("HOME", "GET", key)
        return (rows[3] or b"nobody").decode(), rows[7].decode()

    keeper.wait_until(lambda: home(us_east) == ("eu-west", "confirmed"), 30, "its home is confirmed")
    claim(True, "the first write homed the unit 42 in eu-west")
    with us_east.client() as client:
        client.call("HSET", key, "cups", 2)
        claim(client.call("HGET", key, "cups") == b"2", "a write in us-east is made in eu-west, and readable in us-east when answered")
        client.call("HOME", "MOVE", key, "us-east")
        claim(home(us_east)[0] == "us-east", "HOME MOVE: us-east is its home now")
        client.call("HSET", key, "spoons", 3)
    mesh.wait_converged(60)
    with eu_west.client() as client:
        claim(client.call("HGETALL", key) == [b"cups", b"2", b"spoons", b"3", b"tea", b"1"], "nothing is lost on the way")


def addresses(mesh):
    say("\nThe regions are running:")
    for region in mesh.regions:
        say(f"   {region.name:9} redis-cli -p {region.redis_port}    "
            f"http://127.0.0.1:{region.rest_port}/v1/lag    nats://127.0.0.1:{region.nats_port}")
    say(f"   cut ap-south off: see tests/live/hawser_live/wan.py; logs and stores: {DIRECTORY}")
    say("   ./demo.sh --stop ends them")


def prefer_known_ports(mesh):
    for index, region in enumerate(mesh.regions):
        for attribute, port in (("nats_port", 4231 + index), ("redis_port", 7381 + index), ("rest_port", 7081 + index)):
            if not keeper.can_connect(port):
                setattr(region, attribute, port)


def demo(once):
    begun = time.monotonic()
    step("Starts three regions, each with a nats-server, a daemon and a store of its own")
    mesh = meshes.Mesh(["us-east", "eu-west", "ap-south"], directory=DIRECTORY, tables=TABLES)
    prefer_known_ports(mesh)
    try:
        mesh.start()
        for region in mesh.regions:
            rest = region.rest()
            claim(rest.get("/readyz").status == 200, f"{region.name} is ready (Redis protocol on port {region.redis_port})")
            rest.close()
        load(mesh)
        write_and_read(mesh)
        counted = all_at_once(mesh)
        cut_off(mesh, counted)
        heal(mesh, counted)
        take_back(mesh)
        race_for_login(mesh)
        move_home(mesh)
        step("Every region holds the same records")
        records = prove_identical(mesh)
        show_control_tool(mesh)
        say(f"\nAll claims hold: {records} records, the same in three regions, after {time.monotonic() - begun:.0f} s.")
        if once:
            step("Stops everything")
            for region in mesh.regions:
                claim(region.stop() == 0, f"{region.name} ended with 0")
        else:
            addresses(mesh)
        return mesh
    except BaseException as error:
        if not isinstance(error, (SystemExit, KeyboardInterrupt)):
            mesh.print_logs()
            if isinstance(error, False_):
                say(f"   ✗ not true: {error}")
            else:
                say(f"   ✗ {type(error).__name__}: {error}")
        mesh.close()
        raise


def keep(once, report):
    """In the background process: the demo, then the regions until SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        mesh = demo(once)
    except BaseException:
        os.write(report, b"1")
        os._exit(1)
    if once:
        mesh.close()
        os.write(report, b"0")
        os._exit(0)
    with open(PID_FILE, "w") as file:
        file.write(str(os.getpid()))
    os.write(report, b"0")
    os.close(report)
    quiet = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(quiet, fd)
    try:
        while True:
            signal.pause()
    finally:
        mesh.close()
        os.unlink(PID_FILE)


def stop():
    """Ends an earlier demo by the id it left, if that is still the same program."""
    try:
        with open(PID_FILE) as file:
            pid = int(file.read())
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            if b"demo.py" not in file.read():
                raise ProcessLookupError
        os.kill(pid, signal.SIGTERM)
        keeper.wait_until(lambda: not os.path.exists(PID_FILE), 30, "the earlier demo has ended")
        return True
    except (FileNotFoundError, ProcessLookupError, ValueError):
        if os.path.exists(PID_FILE):
            os.unlink(PID_FILE)
        return False


def main():
    if "--stop" in sys.argv:
        say("stopped" if stop() else "nothing is running")
        return 0
    if stop():
        say("(an earlier demo was stopped)")
    told, report = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        os.setsid()
        keep("--once" in sys.argv, report)
    os.close(report)
    try:
        answer = os.read(told, 1)
    except KeyboardInterrupt:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)
        return 130
    return 0 if answer == b"0" else 1


if __name__ == "__main__":
    sys.exit(main())
