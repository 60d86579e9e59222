"""A peer grows slow, then dies: what it is not asked for does not feel it."""

import threading
import time

from hawser_live.figures import percentile
from hawser_live.keeper import wait_until
from hawser_live.mesh import Mesh
from hawser_live.region import memory_field
from hawser_live.resp import ReplyError
from hawser_live.story import LONG, check, note, size, story
from test_homes import HOMED, at_home

SLOWED_MS = 1000  # each way: a call takes 2 s
BACK_WITHIN_S = 5


class Client(threading.Thread):
    """Writes one key of `region` every `pace` seconds, and notes how each write went."""

    def __init__(self, region, key, pace, done):
        super().__init__()
        self.region, self.key, self.pace, self.done = region, key, pace, done
        self.rows, self.failure = [], None  # (begun, ms, "" or the refusal)

    def run(self):
        try:
            with self.region.client() as client:
                count, due = 0, time.monotonic()
                while not self.done.is_set():
                    count, begun = count + 1, time.monotonic()
                    try:
                        client.call("SET", f"{self.key}:{count % 50}", str(count))
                        said = ""
                    except ReplyError as error:
                        said = str(error)
                    ended = time.monotonic()
                    self.rows.append((begun, (ended - begun) * 1000, said))
                    due = max(due + self.pace, ended)  # what was missed is not made up for
                    time.sleep(max(0, due - time.monotonic()))
        except Exception as error:  # reported by the story
            self.failure = error


def within(clients, windows):
    """The rows that began in one of the windows."""
    return [row for client in clients for row in list(client.rows)
            if any(begun <= row[0] < ended for begun, ended in windows)]


def p99(clients, windows):
    took = [ms for _, ms, said in within(clients, windows) if not said]
    check(len(took) >= 100, f"only {len(took)} writes")
    return percentile(took, 0.99)


def taken_per_s(clients, begun, ended):
    return sum(not said for _, _, said in within(clients, [(begun, ended)])) / (ended - begun)


def held(region):
    pid = region.daemon.pid
    with open(f"/proc/{pid}/status") as status:
        threads = next(int(line.split()[1]) for line in status if line.startswith("Threads:"))
    return threads, memory_field(pid, "RssAnon")


@story("a peer slowed to 2 s a call, then dead, costs the calls to it and nothing else", seconds=120)
def one_peer():
    pairs, window = size(2, 10), 4 if LONG else 3
    with Mesh(name="brownout", tables=HOMED) as mesh:
        mesh.start()
        mesh.wait_connected()
        east, west, south = mesh.regions
        for region, unit in ((west, "w"), (south, "s")):
            with region.client() as client:
                for i in range(50):
                    client.call("SET", f"customers:{{{unit}}}:{i}", "0")
            wait_until(lambda: at_home(east, f"customers:{{{unit}}}:0", region.name), 20, "homed there")
        done = threading.Event()
        local = [Client(east, "here", 0.004, done)]
        to_south = [Client(east, "customers:{s}", 0.008, done)]
        to_west = [Client(east, "customers:{w}", 0.05, done) for _ in range(24)]
        clients = local + to_south + to_west
        for client in clients:
            client.start()
        try:
            brownout(mesh, pairs, window, local, to_south, to_west)
        finally:
            done.set()
            for client in clients:
                client.join()
        for client in clients:
            check(client.failure is None, f"{client.key}: {client.failure!r}")
        refused = [said for client in local + to_south for _, _, said in client.rows if said]
        check(not refused, f"{len(refused)} writes that had nothing to do with eu-west: {refused[:3]}")
        mesh.wait_converged()


def brownout(mesh, pairs, window, local, to_south, to_west):
    east, west, _ = mesh.regions
    time.sleep(3)  # warm
    calm, slow, seen = [], [], []

    def look(windows):
        begun = time.monotonic()
        while time.monotonic() < begun + window:
            time.sleep(0.2)
            seen.append(held(east))
        windows.append((begun, time.monotonic()))

    threads, rss = held(east)
    for _ in range(pairs):
        look(calm)
        mesh.wan.delay_of("eu-west", SLOWED_MS)
        look(slow)
        mesh.wan.delay_of("eu-west", 0)
        back(to_west, calm, "is fast again")
    ratio = p99(local, slow) / p99(local, calm), p99(to_south, slow) / p99(to_south, calm)
    note(f"{pairs} pairs of {window} s; p99 slowed : calm, local {p99(local, slow):.2f} : {p99(local, calm):.2f} ms "
         f"= {ratio[0]:.2f}, to the other peer {p99(to_south, slow):.2f} : {p99(to_south, calm):.2f} ms = {ratio[1]:.2f}")
    tell_refusals(to_west, slow, "slowed")

    west.kill()
    dead = []
    time.sleep(2.5)  # what is under way ends
    look(dead)
    rows = tell_refusals(to_west, dead, "dead")
    check(rows and all(said for _, _, said in rows), "a write was taken by a dead region")
    west.start()
    back(to_west, calm, "has started again")
    after, rss_after = held(east)
    note(f"threads {threads} to {max(t for t, _ in seen)}; RssAnon {rss / 1e6:.1f} MB, at most "
         f"{max(r for _, r in seen) / 1e6:.1f}, at the end {rss_after / 1e6:.1f}")
    check({t for t, _ in seen} | {after} == {threads}, f"threads: {threads}, then {sorted({t for t, _ in seen})}")
    grown = max(r for _, r in seen) / rss
    check(grown <= 1.05, f"RssAnon grew by {(grown - 1) * 100:.1f} %")
    if LONG:
        check(ratio[0] <= 1.2, f"the local p99 is {ratio[0]:.2f} times the calm one")
        check(ratio[1] <= 1.2, f"the p99 of calls to the other peer is {ratio[1]:.2f} times the calm one")


def tell_refusals(to_west, windows, what):
    """Who asks of the slow region gets an answer that names it, most of them at once."""
    rows = within(to_west, windows)
    refused = [(ms, said) for _, ms, said in rows if said]
    check(refused, f"{what}: nothing was refused, of {len(rows)}")
    strange = [said for _, said in refused if "eu-west" not in said or said.split()[0] not in ("HOMEDOWN", "UNKNOWN")]
    check(not strange, f"{what}: {strange[:3]}")
    at_once = percentile([ms for ms, _ in refused], 0.5)
    note(f"eu-west {what}: {len(rows) - len(refused)} taken, {len(refused)} refused, half of them within {at_once:.1f} ms")
    check(at_once < 100, f"{what}: refused after {at_once:.0f} ms")
    return rows


def back(to_west, calm, what):
    """Until the slow one takes as much as in the first calm window."""
    usual = taken_per_s(to_west, *calm[0])
    begun = time.monotonic()
    while taken_per_s(to_west, time.monotonic() - 0.5, time.monotonic()) < 0.9 * usual:
        check(time.monotonic() < begun + BACK_WITHIN_S + 10,
              f"{usual:.0f} writes/s before; 15 s after eu-west {what} the last second took "
              f"{taken_per_s(to_west, time.monotonic() - 1, time.monotonic()):.0f}")
        time.sleep(0.05)
    took = time.monotonic() - begun
    note(f"eu-west {what}: {usual:.0f} writes/s again after {took:.1f} s")
    check(took <= BACK_WITHIN_S, f"eu-west {what}: full rate only after {took:.1f} s")
