"""A peer grows slow, then dies: what it is not asked for does not feel it."""

import multiprocessing
import threading
import time

from hawser_live.figures import median, percentile
from hawser_live.keeper import wait_until
from hawser_live.mesh import Mesh
from hawser_live.region import memory_field
from hawser_live.resp import ReplyError
from hawser_live.story import LONG, check, note, size, story
from test_homes import HOMED, at_home

SLOWED_MS = 1000  # each way: a call takes 2 s
BACK_WITHIN_S = 5


class Client:
    """Writes one key of `region` every `pace` seconds, and notes how each write went."""

    def __init__(self, region, key, pace):
        self.region, self.key, self.pace = region, key, pace
        self.rows, self.failure = [], None  # (begun, ms, "" or the refusal)

    def start(self):
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def stop(self):
        self.done.set()
        self.thread.join()

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


class Apart(Client):
    """The same in a process of its own, so that the latencies are not those of this one's threads."""

    def start(self):
        self.done = multiprocessing.Event()
        self.ours, theirs = multiprocessing.Pipe(duplex=False)

        def run():
            self.run()
            theirs.send((self.rows, self.failure))

        self.process = multiprocessing.get_context("fork").Process(target=run, daemon=True)
        self.process.start()

    def stop(self):
        self.done.set()
        self.rows, self.failure = self.ours.recv()
        self.process.join()


def within(clients, windows):
    """The rows that began in one of the windows."""
    return [row for client in clients for row in list(client.rows)
            if any(begun <= row[0] < ended for begun, ended in windows)]


def p99(client, windows):
    """Of the middle window."""
    by_window = []
    for window in windows:
        took = [ms for _, ms, said in within([client], [window]) if not said]
        check(len(took) >= 50, f"{client.key}: only {len(took)} writes in a window")
        by_window.append(percentile(took, 0.99))
    return median(by_window)


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
        apart = local, to_south = Apart(east, "here", 0.004), Apart(east, "customers:{s}", 0.008)
        to_west = [Client(east, "customers:{w}", 0.05) for _ in range(24)]
        clients = [*apart, *to_west]
        for client in clients:
            client.start()
        try:
            calm, slow = brownout(mesh, pairs, window, to_west)
        finally:
            for client in clients:
                client.stop()
        for client in clients:
            check(client.failure is None, f"{client.key}: {client.failure!r}")
        refused = [said for client in apart for _, _, said in client.rows if said]
        check(not refused, f"{len(refused)} writes that had nothing to do with eu-west: {refused[:3]}")
        for client, what in zip(apart, ("local", "to the other peer")):
            ratio = p99(client, slow) / p99(client, calm)
            note(f"{what}: p99 {p99(client, slow):.2f} ms while eu-west is slow, {p99(client, calm):.2f} ms else: "
                 f"{ratio:.2f} times, over {len(slow)} and {len(calm)} windows of {window} s")
            check(ratio <= 1.2 or not LONG, f"{what}: the p99 is {ratio:.2f} times the calm one")
        mesh.wait_converged()


def brownout(mesh, pairs, window, to_west):
    """The calm windows and the slow ones."""
    east, west, south = mesh.regions
    time.sleep(3)  # warm
    calm, slow, seen, beside = [], [], [], []

    def look(windows):
        begun = time.monotonic()
        while time.monotonic() < begun + window:
            time.sleep(0.2)
            seen.append(held(east))
            beside.append(held(south)[1])
        windows.append((begun, time.monotonic()))

    (threads, rss), rss_beside = held(east), held(south)[1]
    for _ in range(pairs):
        look(calm)
        mesh.wan.delay_of("eu-west", SLOWED_MS)
        look(slow)
        mesh.wan.delay_of("eu-west", 0)
        back(to_west, calm, "is fast again")
    tell_refusals(to_west, slow, "slowed")

    west.kill()
    dead = []
    time.sleep(2.5)  # what is under way ends
    look(dead)
    rows = tell_refusals(to_west, dead, "dead")
    check(rows and all(said for _, _, said in rows), "a write was taken by a dead region")
    west.start()
    back(to_west, calm, "has started again")
    seen.append(held(east))
    beside.append(held(south)[1])
    most, most_beside = max(r for _, r in seen), max(beside)
    note(f"threads {threads} to {max(t for t, _ in seen)}; RssAnon {rss / 1e6:.1f} MB, at most {most / 1e6:.1f}; "
         f"of the region that calls nobody {rss_beside / 1e6:.1f}, at most {most_beside / 1e6:.1f}")
    check({t for t, _ in seen} == {threads}, f"threads: {threads}, then {sorted({t for t, _ in seen})}")
    # What is written, and its checkpoints, take the same room in every region: the rest is of the calls.
    grown = (most / rss) / (most_beside / rss_beside)
    check(grown <= 1.05, f"RssAnon grew by {(grown - 1) * 100:.1f} % more than beside it")
    return calm, slow


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
