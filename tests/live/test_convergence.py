"""Three regions write the same keys without having heard of each other, or racing; all end the same."""

import random

from hawser_live import races, reading, rest
from hawser_live.mesh import Mesh
from hawser_live.story import check, check_expected, check_same, note, size, story


def keys_of(table):
    return [f"{table}:{number}" for number in range(size(10_000, 50_000))]


def read_everywhere(mesh, keys):
    return {region.name: reading.both(region, keys) for region in mesh.regions}


def prepare(mesh, commands):
    if commands:
        with mesh.regions[0].client() as client:
            client.pipeline_ok(commands)
    mesh.wait_converged()


def count_overlapped(mesh, keys, done, start):
    """Keys that in each region show that region's own write alone: no write had seen another."""
    readings = [reading.both(region, keys) for region in mesh.regions]
    orders = races.turns(len(mesh.regions))
    count = 0
    for number, key in enumerate(keys):
        order = orders[number % len(orders)]
        own = {writer: op for writer, op in zip(order, done[key])}
        count += all(
            readings[index][key] == races.last_wins(start(key), [own[index]])
            for index in range(len(mesh.regions))
        )
    return count


def cut_write_heal(mesh, keys, op_of, start, what):
    """The story all "concurrent" tests share. `start(key)`: cells that all regions hold before."""
    mesh.wan.cut_all()
    done = races.write_in_turns(mesh.regions, keys, op_of)
    overlapped = count_overlapped(mesh, keys, done, start)
    mesh.wan.heal_all()
    mesh.wait_converged(90)

    readings = read_everywhere(mesh, keys)
    check_same(readings, keys, what)
    expected = {key: races.last_wins(start(key), ops) for key, ops in done.items()}
    check_expected(readings[mesh.regions[0].name], expected, what)
    note(f"{what}: {overlapped} of {len(keys)} keys overlapped, 0 differ, all as the rule says")
    check(overlapped >= 0.9 * len(keys), f"only {overlapped} keys were written concurrently")


def race_and_read(mesh, keys, op_of, start, what, batch=250):
    seen = races.race(mesh.regions, keys, op_of, batch)
    mesh.wait_converged(90)
    readings = read_everywhere(mesh, keys)
    check_same(readings, keys, what)
    overlapped = sum(races.overlapping(windows) for windows in seen.values())
    note(f"{what}: {overlapped} of {len(keys)} keys overlapped, 0 differ")
    return seen, readings[mesh.regions[0].name]


@story("keys written in three regions while all links are cut end as the latest version", seconds=150)
def strings_concurrent():
    with Mesh(name="strings-concurrent") as mesh:
        mesh.start()
        mesh.wait_connected()
        keys = keys_of("s")
        names = [region.name for region in mesh.regions]
        cut_write_heal(
            mesh, keys, lambda i, key, n: races.set_op(key, f"{names[i]}-{n}", ()), lambda key: {},
            "SET against SET",
        )
        # The same again over records that exist, and judged by the versions that REST shows.
        mesh.wan.cut_all()
        races.write_in_turns(mesh.regions, keys, lambda i, key, n: races.set_op(key, f"{names[i]}+{n}", ()))
        versions = [rest.records(region.rest(), "s") for region in mesh.regions]
        mesh.wan.heal_all()
        mesh.wait_converged(90)
        latest = {
            key: max(found[key.split(":")[1]] for found in versions)[1][""].encode() for key in keys
        }
        readings = {region.name: reading.strings(region, keys) for region in mesh.regions}
        check_same(readings, keys, "by version")
        check_expected(readings[names[0]], latest, "by version")
        note(f"by the versions that REST shows: {len(keys)} keys, 0 differ, all the highest version")


@story("keys written in three regions racing end the same everywhere", seconds=150)
def strings_racing():
    with Mesh(name="strings-racing") as mesh:
        mesh.start()
        mesh.wait_connected()
        keys = keys_of("s")
        names = [region.name for region in mesh.regions]
        seen, final = race_and_read(
            mesh, keys, lambda i, key, n: races.set_op(key, f"{names[i]}-{n}", ()), None,
            "SET racing SET",
        )
        for key in keys:
            allowed = [op.cells[""].encode() for op in races.may_be_last(seen[key])]
            check(final[key][0] in allowed, f"{key} is {final[key]!r}, not one of {allowed}")


@story("deletes against writes: the later one stands, everywhere", seconds=150)
def deletes():
    with Mesh(name="deletes") as mesh:
        mesh.start()
        keys = keys_of("d")
        start = {"": "first"}

        def op(index, key, number):
            if index == number // 6 % 3:
                return races.delete_op(key, start)
            return races.set_op(key, f"{index}-{number}", start)

        prepare(mesh, [("SET", key, "first") for key in keys])
        cut_write_heal(mesh, keys, op, lambda key: start, "DEL against SET")

        prepare(mesh, [("SET", key, "first") for key in keys])
        seen, final = race_and_read(mesh, keys, op, start, "DEL racing SET")
        for key in keys:
            allowed = [op.cells[""] for op in races.may_be_last(seen[key])]
            value = final[key][0]
            check((value.decode() if value else None) in allowed, f"{key} is {value!r}, not in {allowed}")


HASH = {"a": "1", "b": "2"}


def check_sent(final, seen, start):
    """Each part of each key is one that was sent (or was there) in that field."""
    for key, (string, fields) in final.items():
        shown = {**({"": string} if string is not None else {}),
                 **{f.decode(): v for f, v in fields.items()}}
        for field, value in shown.items():
            sent = {w[2].cells.get(field) for w in seen[key]} | {start.get(field)}
            check(value.decode() in sent, f"{key} field {field!r} is {value!r}, never sent")


def check_latest(final, seen, start):
    """A field that was there from the start, so that every write saw it, is of a write that no other
    write of the field began after."""
    for key, (_, fields) in final.items():
        for field, was in start.items():
            writers = [w for w in seen[key] if field in w[2].cells]
            allowed = [op.cells[field] for op in races.may_be_last(writers)] if writers else [was]
            value = fields.get(field.encode())
            value = value.decode() if value is not None else None
            check(value in allowed, f"{key} field {field} is {value!r}, not in {allowed}")


@story("SET over a hash against HSET: each field is the latest that wrote it", seconds=180)
def set_over_hash():
    with Mesh(name="set-over-hash") as mesh:
        mesh.start()
        keys = keys_of("h")

        def op(index, key, number):
            kind = (index + number // 6) % 3
            if kind == 0:
                return races.set_op(key, f"{index}-{number}", HASH)
            if kind == 1:
                return races.hset_op(key, {"a": f"{index}-{number}", "c": f"{index}"})
            return races.hset_op(key, {"b": f"{index}-{number}"})

        setup = [("HSET", key, "a", "1", "b", "2") for key in keys]
        prepare(mesh, setup)
        cut_write_heal(mesh, keys, op, lambda key: HASH, "SET over a hash against HSET")

        fresh = [f"r{key}" for key in keys]
        prepare(mesh, [("HSET", key, "a", "1", "b", "2") for key in fresh])

        # An HSET that comes after the SET is refused with WRONGTYPE, and is no write.
        seen, final = race_and_read(mesh, fresh, op, HASH, "SET over a hash racing HSET")
        refused = 3 * len(fresh) - sum(len(windows) for windows in seen.values())
        note(f"{refused} of {3 * len(fresh)} writes met a string and were refused")
        check_sent(final, seen, HASH)
        check_latest(final, seen, HASH)


@story("MULTI with DEL and HSET is one change: no field of the old hash comes back", seconds=180)
def replaced_hash():
    with Mesh(name="replaced-hash") as mesh:
        mesh.start()
        keys = keys_of("m")

        def op(index, key, number):
            if (index + number // 6) % 3 < 2:
                return races.replace_hash_op(key, {"a": f"{index}-{number}", f"x{index}": "new"}, HASH)
            return races.hset_op(key, {"b": f"{index}-{number}"})

        prepare(mesh, [("HSET", key, "a", "1", "b", "2") for key in keys])
        cut_write_heal(mesh, keys, op, lambda key: HASH, "MULTI DEL HSET against HSET")

        fresh = [f"r{key}" for key in keys]
        prepare(mesh, [("HSET", key, "a", "1", "b", "2") for key in fresh])
        seen, final = race_and_read(mesh, fresh, op, HASH, "MULTI DEL HSET racing HSET")
        check_sent(final, seen, HASH)
        check_latest(final, seen, HASH)


@story("increments count whatever SET they meet", seconds=180)
def increments_against_set():
    with Mesh(name="increments") as mesh:
        mesh.start()
        keys = keys_of("n")
        prepare(mesh, [("SET", key, "100") for key in keys])
        mesh.wan.cut_all()

        def command(index, number):
            kind = (index + number // 6) % 3
            if kind == 0:
                return "SET", number * 1000
            if kind == 1 and number % 4 == 0:
                return "SET", number * 1000 + 500
            if kind == 1 and number % 4 == 1:
                return "DEL", None
            return "INCRBY", index + 5

        def op(index, key, number):
            name, value = command(index, number)
            return races.Op([(name, key) if value is None else (name, key, value)], {"": (name, value)})

        done = races.write_in_turns(mesh.regions, keys, op)
        mesh.wan.heal_all()
        mesh.wait_converged(90)
        readings = {region.name: reading.strings(region, keys) for region in mesh.regions}
        check_same(readings, keys, "INCRBY against SET and DEL")
        expected = {}
        for key in keys:
            base, added = 100, 0
            for each in done[key]:
                name, value = each.cells[""]
                if name == "INCRBY":
                    added += value
                else:
                    base = value or 0
            expected[key] = b"%d" % (base + added)
        check_expected(readings[mesh.regions[0].name], expected, "INCRBY against SET and DEL")
        note(f"{len(keys)} keys: INCRBY against SET and DEL, all links cut: 0 differ, all as the rule says")

        # Racing: increments alone add up exactly; with a SET among them nothing is counted twice.
        totals = {key: 0 for key in keys}
        fresh = [f"r{key}" for key in keys]
        rng = random.Random(1)
        amounts = [[rng.randint(1, 9) for _ in fresh] for _ in mesh.regions]
        seen, final = race_and_read(
            mesh, fresh,
            lambda i, key, n: races.Op([("INCRBY", key, amounts[i][n])], {"": amounts[i][n]}), None,
            "INCRBY racing INCRBY",
        )
        sums = {key: (b"%d" % sum(a[n] for a in amounts), {}) for n, key in enumerate(fresh)}
        check_expected(final, sums, "INCRBY racing INCRBY")

        mixed = [f"x{key}" for key in keys]

        def mixed_op(index, key, number):
            if index == number % 3:
                return races.Op([("SET", key, 1000)], {"": 1000})
            return races.Op([("INCRBY", key, 7)], {"": 7})

        seen, final = race_and_read(mesh, mixed, mixed_op, None, "INCRBY racing SET")
        for key in mixed:
            check(final[key][0] in (b"1000", b"1007", b"1014"), f"{key} is {final[key][0]!r}")
