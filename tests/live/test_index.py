"""Secondary keys: found in every region as soon as the record is, never stale, built when added later."""

import random
import signal
import threading
import time

from hawser_live import reading
from hawser_live.keeper import wait_until
from hawser_live.mesh import Mesh
from hawser_live.resp import ReplyError
from hawser_live.story import check, check_same, note, size, story


def tables(*fields):
    names = ", ".join(f'"{field}"' for field in fields)
    return f'[[tables]]\nname = "customers"\nindex = [{names}]\n'


def mail(number):
    return f"m{number}@x"


class Mover:
    """Gives customers other e-mails, now and then deletes one or lets it expire."""

    def __init__(self, region, keys, mails):
        self.region, self.keys, self.mails = region, keys, mails
        self.writes, self.errors, self.going = 0, [], True
        self.rng = random.Random(region.name)
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def stop(self):
        self.going = False
        self.thread.join()
        if self.errors:
            raise self.errors[0]

    def _run(self):
        while self.going:
            try:
                with self.region.client(timeout=10) as client:
                    while self.going:
                        self._write(client)
                        time.sleep(0.001)
            except (OSError, ConnectionError, ValueError):
                time.sleep(0.05)
            except BaseException as error:
                self.errors.append(error)
                return

    def _write(self, client):
        key, dice = self.rng.choice(self.keys), self.rng.random()
        if dice < 0.05:
            client.call("DEL", key)
        elif dice < 0.10:
            client.call("PEXPIRE", key, str(self.rng.randrange(1, 300)))
        elif dice < 0.15:
            client.call("HDEL", key, "email")
        else:
            client.call("HSET", key, "email", self.rng.choice(self.mails), "phone", str(self.rng.randrange(50)))
        self.writes += 1


def found(region, field, values):
    """{value: sorted keys}, by pages of seven."""
    answers = {}
    with region.client() as client:
        for value in values:
            keys, after = [], []
            while True:
                next_key, page = client.call("HAWSER", "LOOKUP", "customers", field, value, "LIMIT", "7", *after)
                keys += page
                if next_key is None:
                    break
                after = ["AFTER", next_key]
            check(keys == sorted(set(keys)), f"{region.name}: {value}: {keys}")
            answers[value] = keys
    return answers


def derived(customers, field, values):
    """The same, from what the records show."""
    answers = {value: [] for value in values}
    for key, fields in customers.items():
        value = fields.get(field.encode(), b"").decode()
        if value in answers:
            answers[value].append(key.encode())
    return {value: sorted(keys) for value, keys in answers.items()}


def check_index(mesh, keys, field, values):
    readings = {region.name: reading.hashes(region, keys) for region in mesh.regions}
    check_same(readings, keys, "customers")
    for region in mesh.regions:
        expected = derived(readings[region.name], field, values)
        answers = found(region, field, values)
        wrong = [value for value in values if answers[value] != expected[value]]
        check(not wrong, f"{region.name}: {field}: {len(wrong)} lookups differ, e.g. {wrong[0] if wrong else ''}: "
                         f"{answers[wrong[0]] if wrong else ''}, not {expected[wrong[0]] if wrong else ''}")
    return sum(len(each) for each in expected.values())


def ready(region, field):
    with region.client() as client:
        answer = client.pipeline([("HAWSER", "LOOKUP", "customers", field, "x")])[0]
    if isinstance(answer, ReplyError):
        check(answer.word in ("TRYAGAIN", "NOINDEX"), f"{region.name}: {answer}")
        return False
    return True


def settle(mesh):
    mesh.wait_converged()
    time.sleep(0.5)  # what expires has expired


@story("an e-mail is looked up rightly in every region, through a cut and a crash, and never stale", seconds=120)
def moving():
    with Mesh(name="index", tables=tables("email")) as mesh:
        mesh.start()
        mesh.wait_connected()
        one, two, three = mesh.regions
        keys = [f"customers:{number}" for number in range(size(300, 3000))]
        mails = [mail(number) for number in range(len(keys) // 2)]
        for region in mesh.regions:
            wait_until(lambda: ready(region, "email"), 20, f"{region.name} has its index")
        with one.client() as client:
            client.call("HSET", "customers:first", "email", "first@x")
            check(client.call("HAWSER", "LOOKUP", "customers", "email", "first@x") == [None, [b"customers:first"]],
                  "what was written is not found at once where it was written")
        movers = [Mover(region, keys, mails) for region in mesh.regions]
        try:
            time.sleep(1.5)
            mesh.wan.cut(two.name)
            time.sleep(1.5)
            three.kill()
            time.sleep(0.3)
            three.start()
            time.sleep(0.5)
            mesh.wan.heal(two.name)
            time.sleep(1)
        finally:
            for mover in movers:
                mover.stop()
        settle(mesh)
        entries = check_index(mesh, keys, "email", mails)
        three.kill()
        three.start()
        wait_until(lambda: ready(three, "email"), 20, "the index is there again")
        settle(mesh)
        check_index(mesh, keys, "email", mails)
        rest = one.rest()
        answer = rest.get(f"/v1/tables/customers/records?field=email&value={mails[0]}&limit=1000")
        check(answer.status == 200, f"{answer}")
        names = sorted(f"customers:{each['key']}".encode() for each in answer.json()["records"])
        check(names == found(one, "email", mails[:1])[mails[0]], f"REST finds {names}")
        note(f"{sum(mover.writes for mover in movers)} writes in three regions, one of them cut off and one killed: "
             f"{len(mails)} e-mails of {entries} customers are looked up rightly in all")


@story("an index added later is built in every region while writes go on", seconds=120)
def added():
    with Mesh(name="index-added", tables=tables("email")) as mesh:
        mesh.start()
        mesh.wait_connected()
        one, two, three = mesh.regions
        keys = [f"customers:{number}" for number in range(size(20_000, 200_000))]
        phones = [str(number) for number in range(50)]
        with two.client() as client:
            for at in range(0, len(keys), 5000):
                client.pipeline_ok([("HSET", key, "phone", phones[place % 50], "email", mail(place))
                                    for place, key in enumerate(keys[at:at + 5000])])
        mesh.wait_converged()
        check(not ready(one, "phone"), "an index that nobody declared is there")
        movers = [Mover(region, keys[:500], [mail(0), mail(1)]) for region in mesh.regions]
        try:
            one.mesh.tables = tables("email", "phone")
            one.write_config({})
            one.daemon.send_signal(signal.SIGHUP)
            began = time.monotonic()
            time.sleep(0.2)
            two.kill()  # in the middle of it, if it is slow enough
            two.start()
            for region in mesh.regions:
                wait_until(lambda: ready(region, "phone"), 60, f"{region.name} has built its index")
            took = time.monotonic() - began
        finally:
            for mover in movers:
                mover.stop()
        settle(mesh)
        entries = check_index(mesh, keys, "phone", phones)
        note(f"declared in one region; all three had it over {len(keys)} customers within {took:.1f} s, one of them "
             f"killed meanwhile; {entries} found by phone, in all regions alike")
