"""The two sides that are compared: two regions over one nats-server, and Redis with one replica."""

import os
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))

from hawser_live.keeper import free_port, wait_until  # noqa: E402
from hawser_live.mesh import ROOT, Mesh, program  # noqa: E402
from hawser_live.resp import Client  # noqa: E402

WORK = os.path.join(ROOT, "build", "bench")


def hawser(keeper, name="hawser", settings=None, regions=("us-east", "eu-west")):
    """Two regions, one shared nats-server, nothing between."""
    mesh = Mesh(list(regions), directory=os.path.join(WORK, name), keeper=keeper, wan=False,
                shared_nats=True, settings=settings)
    mesh.start()
    mesh.wait_connected()
    return mesh


class RedisPair:
    """Redis with `appendfsync always` and one replica of the same setting."""

    def __init__(self, keeper):
        self.keeper, self.dir = keeper, os.path.join(WORK, "redis")
        shutil.rmtree(self.dir, ignore_errors=True)
        self.ports = [free_port(), free_port()]
        for index, port in enumerate(self.ports):
            folder = os.path.join(self.dir, str(index))
            os.makedirs(folder)
            argv = [program("redis-server"), "--port", str(port), "--bind", "127.0.0.1", "--dir", folder,
                    "--appendonly", "yes", "--appendfsync", "always", "--save", "", "--daemonize", "no",
                    "--repl-diskless-sync-delay", "0"]
            if index:
                argv += ["--replicaof", "127.0.0.1", str(self.ports[0])]
            keeper.start(argv, os.path.join(folder, "log"))
        wait_until(lambda: self._role_is_up(), 30, "the Redis replica is in step", 0.1)

    def _role_is_up(self):
        try:
            with Client(self.ports[1]) as client:
                return client.call("ROLE")[3] == b"connected"
        except (OSError, ConnectionError, IndexError):
            return False

    def settle(self):
        """Until the replica has all that the master has."""
        with Client(self.ports[0]) as master, Client(self.ports[1]) as replica:
            wait_until(lambda: replica.call("ROLE")[4] >= master.call("ROLE")[1], 120, "the replica has it all", 0.05)
