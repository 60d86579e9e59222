"""Load that remembers: which writes were acknowledged, and which may or may not have happened."""

import threading

from .resp import Client, ReplyError


class Ledger:
    """What was written, over all cycles. Every key is written once; its value follows from its name."""

    def __init__(self, counters=8):
        self.lock = threading.Lock()
        self.acked, self.unknown = [], []  # keys
        self.pairs_acked, self.pairs_unknown = [], []  # (key, key), written in one MULTI
        self.counters = [f"ctr:{number}" for number in range(counters)]
        self.added_acked = dict.fromkeys(self.counters, 0)
        self.added_unknown = dict.fromkeys(self.counters, 0)
        self.acks = 0
        self.refused = {}

    @staticmethod
    def value_of(key, size):
        unit = (key + "/").encode()
        return (unit * (size // len(unit) + 1))[:size]

    def note(self, kind, thing, reply):
        """`reply`: None if none came."""
        if isinstance(reply, ReplyError) and reply.word != "UNKNOWN":
            self.refused[reply.word] = self.refused.get(reply.word, 0) + 1
            return
        ok = reply is not None and not isinstance(reply, ReplyError)
        self.acks += ok
        if kind == "incr":
            (self.added_acked if ok else self.added_unknown)[thing] += 1
        elif kind == "pair":
            (self.pairs_acked if ok else self.pairs_unknown).append(thing)
        else:
            (self.acked if ok else self.unknown).append(thing)


class Load:
    """Several connections to one region, `depth` writes under way on each, until stopped or cut off."""

    def __init__(self, port, ledger, label, connections=4, depth=16, value_bytes=2000):
        self.ledger, self.label, self.depth, self.value_bytes = ledger, label, depth, value_bytes
        self.stopping = threading.Event()
        self.begun_acks = ledger.acks
        self.in_flight_at_end = 0
        self.threads = [
            threading.Thread(target=self._run, args=(port, number)) for number in range(connections)
        ]
        for thread in self.threads:
            thread.start()

    def acked(self):
        return self.ledger.acks - self.begun_acks

    def join(self):
        for thread in self.threads:
            thread.join()

    def stop(self):
        self.stopping.set()
        self.join()

    def _write(self, connection, number):
        """(kind, what the ledger keeps, commands, replies to read)"""
        name = f"{self.label}:{connection}:{number}"
        if number % 10 == 7:
            counter = self.ledger.counters[number // 10 % len(self.ledger.counters)]
            return "incr", counter, [("INCR", counter)]
        if number % 10 == 3:
            pair = (f"pa:{name}", f"pb:{name}")
            commands = [("MULTI",), ("SET", pair[0], name), ("SET", pair[1], name), ("EXEC",)]
            return "pair", pair, commands
        key = f"k:{name}"
        return "set", key, [("SET", key, Ledger.value_of(key, self.value_bytes))]

    def _run(self, port, connection):
        number, waiting = 0, []
        try:
            client = Client(port, timeout=30)
        except OSError:
            return
        try:
            while not self.stopping.is_set():
                batch = [self._write(connection, number + i) for i in range(self.depth)]
                number += self.depth
                waiting = batch[:]
                client.send(*[command for write in batch for command in write[2]])
                while waiting:
                    kind, thing, commands = waiting[0]
                    reply = None
                    for _ in commands:
                        reply = client.read()
                    with self.ledger.lock:
                        self.ledger.note(kind, thing, reply)
                    waiting.pop(0)
        except (OSError, ConnectionError, ValueError):
            with self.ledger.lock:
                self.in_flight_at_end += len(waiting)
                for kind, thing, _ in waiting:
                    self.ledger.note(kind, thing, None)
        finally:
            client.close()


def check_kept(region, ledger, keys, unknown, pairs, pairs_unknown, value_bytes):
    """Every acknowledged write is there, every other one wholly or not at all. Returns what is wrong."""
    wrong = []
    with region.client() as client:
        for key, value in zip(keys, client.pipeline([("GET", key) for key in keys])):
            if value != Ledger.value_of(key, value_bytes):
                wrong.append(f"{key} acknowledged, reads {_short(value)}")
        for key, value in zip(unknown, client.pipeline([("GET", key) for key in unknown])):
            if value is not None and value != Ledger.value_of(key, value_bytes):
                wrong.append(f"{key} unknown, reads {_short(value)}")
        every = pairs + pairs_unknown
        replies = client.pipeline([("MGET", *pair) for pair in every])
        for index, (pair, values) in enumerate(zip(every, replies)):
            name = pair[0][3:].encode()
            if values != [name, name] and (index < len(pairs) or values != [None, None]):
                wrong.append(f"{pair} {'acknowledged' if index < len(pairs) else 'unknown'}: {values}")
        for counter in ledger.counters:
            value = int(client.call("GET", counter) or 0)
            low = ledger.added_acked[counter]
            high = low + ledger.added_unknown[counter]
            if not low <= value <= high:
                wrong.append(f"{counter} is {value}, not within [{low}, {high}]")
    return wrong


def _short(value):
    return repr(value if value is None or len(value) < 60 else value[:60] + b"...")
