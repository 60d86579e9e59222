"""What must be refused is refused clearly, and nothing breaks."""

import os
import shutil
import socket
import subprocess
import time

from hawser_live.keeper import wait_until
from hawser_live.mesh import Mesh
from hawser_live.resp import Client, ReplyError
from hawser_live.story import Skip, check, note, story

BAD_CONFIGS = [
    # what is added or replaced, what the message must name
    (("[storage]\n", "[storage]\nmemtable_maxx = \"8MiB\"\n"), ["memtable_maxx", "memtable_max"]),
    (("[storage]\n", "[storage]\nmemtable_max = \"8\"\n"), ["memtable_max"]),
    (("[storage]\n", "[storage]\njournal_max = \"8 parsec\"\n"), ["journal_max"]),
    (("id = 2", "id = 1"), ["id"]),
    (("id = 2", "id = 64"), ["id"]),
    (('[region]\nname = "us-east"', '[region]\nname = "us-eest"'), ["us-eest", "us-east"]),
    (("[cluster]\n", "[clutser]\n"), ["clutser", "cluster"]),
    (("[storage]\n", "[storage\n"), ["line"]),
    (("[redis]\nlisten = \"127.0.0.1:", "[redis]\nlisten = \"0.0.0.0:"), ["listen"]),
    (("[storage]\n", "[wan]\nbeat_interval = 200\n[storage]\n"), ["beat_interval"]),
]


@story("a bad configuration ends with 78, names file, line and key, and touches no disk", seconds=60)
def bad_configs():
    with Mesh(["us-east", "eu-west"], name="bad-configs", wan=False) as mesh:
        region = mesh.regions[0]
        region.write_config({})
        with open(region.config_path) as file:
            good = file.read()
        bad_path = os.path.join(mesh.dir, "bad.toml")
        for (old, new), named in BAD_CONFIGS:
            check(old in good, f"{old!r} is in the configuration")
            with open(bad_path, "w") as file:
                file.write(good.replace(old, new, 1))
            for mode in ([], ["--check"]):
                done = subprocess.run([mesh.programs["hawserd"], "--config", bad_path, *mode],
                                      capture_output=True, text=True, timeout=10)
                check(done.returncode == 78, f"{new!r} {mode}: exit {done.returncode}: {done.stderr}")
                for word in [bad_path, *named]:
                    check(word in done.stderr or word == "line", f"{new!r}: {word} not in: {done.stderr}")
        check(os.listdir(region.store) == [], "something was written to the store")
        usage = subprocess.run([mesh.programs["hawserd"], "--nonsense"], capture_output=True, timeout=10)
        check(usage.returncode == 64, f"wrong usage: exit {usage.returncode}")
        note(f"{len(BAD_CONFIGS)} bad configurations, each as --check and as a start: exit 78; wrong usage: 64")


@story("a store of another region, or one that is in use, is refused and left alone", seconds=60)
def wrong_stores():
    with Mesh(["us-east", "eu-west"], name="wrong-stores") as mesh:
        mesh.start()
        mesh.wait_connected()
        one, other = mesh.regions
        second = subprocess.run([mesh.programs["hawserd"], "--config", one.config_path],
                                capture_output=True, text=True, timeout=20)
        check(second.returncode == 75, f"a second daemon on the store: exit {second.returncode}: {second.stderr}")
        with one.client() as client:
            check(client.call("SET", "still", "here") == b"OK", "the first goes on")
        other.stop()
        one.stop()
        swapped = os.path.join(mesh.dir, "swapped.toml")
        with open(other.config_path) as file:
            text = file.read().replace(other.store, one.store)
        with open(swapped, "w") as file:
            file.write(text)
        foreign = subprocess.run([mesh.programs["hawserd"], "--config", swapped],
                                 capture_output=True, text=True, timeout=20)
        check(foreign.returncode in (74, 78), f"a store of another region: exit {foreign.returncode}")
        check(one.store in foreign.stderr, f"the message names the store: {foreign.stderr}")
        one.start()
        with one.client() as client:
            check(client.call("GET", "still") == b"here", "its own region opens it as before")
        note(f"second daemon: exit 75; another region's store: exit {foreign.returncode}; its own: opens as before")


RESP_JUNK = [
    b"*1000000000\r\n", b"*-5\r\n", b"*1\r\n$1000000000000\r\n", b"*1\r\n$-7\r\n", b"*2\r\n$3\r\nGET\r\n:5\r\n",
    b"*1\r\n$4\r\nPINGxx", b"$5\r\nhello\r\n", b"\x00" * 2000, b"A" * 100_000, b"*1\r\n$99999999999999999999\r\n",
    b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$600000000\r\n", b"'unbalanced \"quotes\r\n", b"\xff\xfe\xfd\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"*1\r\n*1\r\n*1\r\n", b"\r\n" * 1000, b"*0\r\n" * 1000,
]
HTTP_JUNK = [
    b"GET\r\n\r\n", b"GET /livez HTTP/9.9\r\n\r\n", b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n\r\n",
    b"GET /livez HTTP/1.1\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", b"\x00\x01\x02" * 500,
    b"PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999\r\n\r\n",
    b"PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
    b"PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"PUT /v1/tables/t/records/k HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
    b"POST /v1/txn HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 40000\r\n\r\n" + b"[" * 40000,
    b"POST /v1/txn HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"a\":\xff\xfe}",
    b"GET /v1/tables/%00/records/%zz HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
]


def throw(port, junk):
    """Sends it, in two pieces, and reads what comes until nothing more does."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as s:
        answer = b""
        try:
            s.sendall(junk[: len(junk) // 2])
            time.sleep(0.005)
            s.sendall(junk[len(junk) // 2 :])
            s.shutdown(socket.SHUT_WR)
            s.settimeout(3)
            while len(answer) < 1 << 16:
                part = s.recv(65536)
                if not part:
                    break
                answer += part
        except OSError:
            pass
        return answer


@story("junk on the Redis and REST ports is answered or dropped, and takes no memory", seconds=90)
def junk():
    with Mesh(["us-east"], name="junk", wan=False) as mesh:
        mesh.start()
        (region,) = mesh.regions
        with region.client() as client:
            client.call("SET", "k", "v")
            before = region.rss_anon_bytes()
            for each in RESP_JUNK:
                throw(region.redis_port, each)
                check(client.call("GET", "k") == b"v", f"after {each[:40]!r}")
            refused = 0
            for each in HTTP_JUNK:
                answer = throw(region.rest_port, each)
                status = answer[9:12].decode(errors="replace") if answer.startswith(b"HTTP/") else ""
                refused += status.startswith("4") or status.startswith("5") or not answer
                check(not status.startswith("5") or status in ("501", "505"), f"{each[:60]!r}: {answer[:100]!r}")
                check(client.call("GET", "k") == b"v", f"after {each[:60]!r}")
            slow = [socket.create_connection(("127.0.0.1", region.rest_port)) for _ in range(50)]
            for s in slow:
                s.sendall(b"GET /livez HTTP/1.1\r\nX: ")
            rest = region.rest()
            check(rest.get("/livez").status == 200, "50 half requests do not stop a whole one")
            for s in slow:
                s.close()
            grown = (region.rss_anon_bytes() - before) / (1 << 20)
            for args, word in (
                (("SET", "x" * 481, "v"), "TOOBIG"),
                (("SET", "big", b"x" * (2 << 20)), "TOOBIG"),
                (("LPUSH", "l", "1"), "ERR"),
                (("NOSUCH",), "ERR"),
                (("HSET", "h", "f"), "ERR"),
                (("INCR", "notnumber"), "ERR"),
            ):
                if args[0] == "INCR":
                    client.call("SET", "notnumber", "abc")
                try:
                    client.call(*args)
                    check(False, f"{args[0]} was taken")
                except ReplyError as error:
                    check(error.word == word, f"{args[0]}: {error}")
            check(client.call("GET", "k") == b"v", "it still answers")
        note(f"{len(RESP_JUNK)} + {len(HTTP_JUNK)} pieces of junk ({refused} of HTTP refused), 50 half requests: "
             f"no crash, RssAnon grew {grown:.1f} MiB; 6 bad commands refused by word")
        check(grown < 40, f"RssAnon grew by {grown} MiB")


class SmallDisk:
    """An ext4 file system of some MiB in a file."""

    def __init__(self, folder, mib):
        self.image, self.mount = os.path.join(folder, "disk.img"), os.path.join(folder, "disk")
        os.makedirs(self.mount, exist_ok=True)
        with open(self.image, "wb") as file:
            file.truncate(mib << 20)
        if os.geteuid() != 0:
            raise Skip("a small file system needs root")
        for argv in (["mkfs.ext4", "-q", "-m", "0", "-O", "^has_journal", self.image],
                     ["mount", "-o", "loop", self.image, self.mount]):
            try:
                done = subprocess.run(argv, capture_output=True, text=True, timeout=30)
            except FileNotFoundError:
                raise Skip(f"no program {argv[0]}") from None
            if done.returncode != 0:
                raise Skip(f"no loop mounts here: {done.stderr.strip()[:100]}")

    def fill(self):
        """Takes all that is left, as another program's log might. Returns how much."""
        path = os.path.join(self.mount, "ballast")
        written = 0
        with open(path, "ab") as file:
            for step in (1 << 20, 1 << 16, 1 << 12):
                try:
                    while True:
                        file.write(b"x" * step)
                        file.flush()
                        written += step
                except OSError:
                    pass
        return written

    def free(self):
        os.unlink(os.path.join(self.mount, "ballast"))

    def close(self):
        subprocess.run(["umount", "-l", self.mount], capture_output=True)


def write_until_refused(region, limit=200_000):
    """Writes until the first refusal; (keys acknowledged, the refusal)."""
    acked = []
    with Client(region.redis_port, timeout=30) as client:
        for begin in range(0, limit, 50):
            keys = [f"fill:{begin + n}" for n in range(50)]
            replies = client.pipeline([("SET", key, key * 100) for key in keys])
            for key, reply in zip(keys, replies):
                if isinstance(reply, ReplyError):
                    return acked, reply
                acked.append(key)
    return acked, None


@story("a full disk refuses writes with FULL, reads go on, and it heals by itself", seconds=150)
def disk_full():
    settings = {"storage": {"memtable_max": "8MiB", "max_txn": "1MiB", "journal_max": "32MiB",
                            "map_max": "64MiB"}}
    with Mesh(["us-east", "eu-west"], name="disk-full", settings=settings) as mesh:
        small, roomy = mesh.regions
        disk = SmallDisk(small.dir, 320)  # a fresh journal and the reserve take 128 of it
        try:
            small.store = os.path.join(disk.mount, "store")
            mesh.start()
            mesh.wait_connected()
            with small.client() as client:
                client.pipeline_ok([("SET", f"early:{n}", n) for n in range(500)])
            mesh.wait_converged()
            ballast = disk.fill()
            acked, refusal = write_until_refused(small)
            check(refusal is not None and refusal.word == "FULL", f"after {len(acked)} writes: {refusal}")
            check(small.running(), "it was to go on")
            with small.client() as client:
                replies = client.pipeline([("GET", f"early:{n}") for n in range(500)])
                check(all(r == b"%d" % n for n, r in enumerate(replies)), "reads were to go on")
                kept = client.pipeline([("GET", key) for key in acked])
                check(all(v == (k * 100).encode() for k, v in zip(acked, kept)), "an acknowledged write is lost")
            note(f"disk full ({ballast >> 20} MiB of ballast): {refusal}; {len(acked)} writes taken before, all readable")

            check(small.stop() == 0, f"exit {small.daemon.returncode}")
            disk.free()
            disk.fill()
            small.start()
            with small.client() as client:
                check(client.call("GET", "early:7") == b"7", "a start on a full disk was to read")
                try:
                    client.call("SET", "more", "x" * 3000)
                    taken = True
                except ReplyError as error:
                    taken = False
                    check(error.word in ("FULL", "READONLY"), f"refused with {error}")
            check(not taken, "a start on a full disk was to come up read-only")
            disk.free()
            with small.client() as client:
                def writes_again():
                    try:
                        return client.call("SET", "healed", "1") == b"OK"
                    except ReplyError:
                        return False
                begun = time.monotonic()
                wait_until(writes_again, 30, "writes are taken again")
            note(f"a start on the full disk: reads, no writes; {time.monotonic() - begun:.1f} s after room was made: writes")
            with roomy.client() as client:
                client.pipeline_ok([("SET", f"late:{n}", n) for n in range(500)])
            mesh.wait_converged(60)
            note("then both regions at the same cut")
        finally:
            mesh.keeper.end_all()
            disk.close()
            if os.path.exists(disk.image):
                os.unlink(disk.image)
