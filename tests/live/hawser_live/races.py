"""Writes of several regions to the same keys, and what the documented rules make of them.

Operations are modelled by the cells they write: {field: value or None}, the empty field being the
plain string. With all links cut and the regions taking turns, a later turn has a later version (one
machine, one clock), so the final cell is that of the latest turn that wrote it.
"""

import itertools
import threading
import time

from .resp import ReplyError


class Op:
    """One region's write to one key: the commands, and the cells it writes given what it saw."""

    def __init__(self, commands, cells):
        self.commands, self.cells = commands, cells


def set_op(key, value, seen):
    return Op([("SET", key, value)], {**{f: None for f in seen if f}, "": value})


def delete_op(key, seen):
    return Op([("DEL", key)], {field: None for field in seen})


def hset_op(key, fields):
    flat = [part for pair in fields.items() for part in pair]
    return Op([("HSET", key, *flat)], dict(fields))


def replace_hash_op(key, fields, seen):
    """MULTI, DEL, HSET, EXEC: one txn, one net change."""
    flat = [part for pair in fields.items() for part in pair]
    commands = [("MULTI",), ("DEL", key), ("HSET", key, *flat), ("EXEC",)]
    return Op(commands, {**{field: None for field in seen}, **fields})


def turns(region_count):
    return list(itertools.permutations(range(region_count)))


def write_in_turns(regions, keys, op_of, pause=0.05):
    """Every region writes every key once; key number i goes round in turn order i mod n!.

    `op_of(region index, key, number)` gives the Op. Returns {key: [ops, earliest turn first]}.
    """
    orders = turns(len(regions))
    done = {key: [] for key in keys}
    clients = [region.client() for region in regions]
    try:
        for turn in range(len(regions)):
            batches = [[] for _ in regions]
            for number, key in enumerate(keys):
                writer = orders[number % len(orders)][turn]
                op = op_of(writer, key, number)
                batches[writer].extend(op.commands)
                done[key].append(op)
            in_parallel(
                [lambda c=client, b=batch: c.pipeline_ok(b) for client, batch in zip(clients, batches)]
            )
            time.sleep(pause)
    finally:
        for client in clients:
            client.close()
    return done


def last_wins(start, ops):
    """The visible (string, hash) after merging concurrent ops that all saw `start`."""
    cells = dict(start)
    for op in ops:
        cells.update(op.cells)
    string = cells.pop("", None)
    encode = lambda text: None if text is None else str(text).encode()
    return encode(string), {encode(f): encode(v) for f, v in cells.items() if v is not None}


def in_parallel(jobs):
    """Runs them in threads; the first error comes out here."""
    errors = []

    def guarded(job):
        try:
            job()
        except BaseException as error:  # handed on to the caller
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def race(regions, keys, op_of, batch=250):
    """All regions write all keys at once, in step by batches. {key: [(begun, answered, Op), …]}.

    A write that is refused because the key has become of another type is none; ops that may meet
    that are of one command.
    """
    seen = {key: [] for key in keys}
    barrier = threading.Barrier(len(regions))
    lock = threading.Lock()

    def run(index, region):
        with region.client() as client:
            try:
                for begin in range(0, len(keys), batch):
                    part = keys[begin : begin + batch]
                    ops = [op_of(index, key, begin + i) for i, key in enumerate(part)]
                    commands = [command for op in ops for command in op.commands]
                    barrier.wait(60)
                    begun = time.monotonic()
                    replies = iter(client.pipeline(commands, depth=2000))
                    answered = time.monotonic()
                    with lock:
                        for key, op in zip(part, ops):
                            if all([_taken(next(replies)) for _ in op.commands]):
                                seen[key].append((begun, answered, op))
            except BaseException:
                barrier.abort()
                raise

    in_parallel([lambda i=i, r=r: run(i, r) for i, r in enumerate(regions)])
    return seen


def _taken(reply):
    if isinstance(reply, ReplyError):
        if reply.word != "WRONGTYPE":
            raise reply
        return False
    return True


def overlapping(windows):
    """True if two of the writes were under way at the same time."""
    return any(
        a[0] < b[1] and b[0] < a[1] for a, b in itertools.combinations(windows, 2)
    )


def may_be_last(windows):
    """The ops that no other began after the answer of: any of them may have the highest version."""
    return [w[2] for w in windows if not any(o[0] > w[1] for o in windows)]
