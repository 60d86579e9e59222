"""Mesh: regions whose links can be cut, each with its own nats-server.

    with Mesh(["us-east", "eu-west"]) as mesh:
        mesh.start()
        mesh.wan.cut("eu-west")
        ...
        mesh.wait_converged()

Every daemon reaches its own NATS directly and every other region's through the wan_proxy, so a cut
takes away exactly what a broken WAN takes away. What a failed test leaves is in build/live/NAME/.
"""

import os
import shutil

from .keeper import Keeper, wait_until
from .region import Region
from .wan import Wan

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
BUILD = os.environ.get("HAWSER_BUILD", os.path.join(ROOT, "build"))
WORK = os.environ.get("HAWSER_LIVE_DIR", os.path.join(ROOT, "build", "live"))

REGIONS = ["us-east", "eu-west", "ap-south"]


def program(name):
    for folder in (BUILD, "/usr/sbin", "/usr/bin", "/usr/local/bin"):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    raise FileNotFoundError(f"no program {name}: run ./test.sh, which builds and installs")


class Mesh:
    def __init__(self, names=None, name="mesh", settings=None, tables="", wan=True, keeper=None,
                 directory=None, shared_nats=False):
        self.name = name
        self.dir = directory or os.path.join(WORK, name)
        shutil.rmtree(self.dir, ignore_errors=True)
        os.makedirs(self.dir)
        self.cluster = "live"
        self.settings = settings or {}
        self.tables = tables
        self.keeper = keeper or Keeper()
        self.programs = {p: program(p) for p in ("hawserd", "nats-server")}
        self.use_wan, self.shared_nats = wan, shared_nats
        self.wan = None
        self.regions = [Region(self, n, i + 1) for i, n in enumerate(names or REGIONS)]
        if shared_nats:
            for region in self.regions[1:]:
                region.nats_port = self.regions[0].nats_port

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if kind is not None:
            self.print_logs()
        self.close()

    def __getitem__(self, name):
        return next(region for region in self.regions if region.name == name)

    def nats_port_for(self, region, other):
        return self.wan.port(region.name, other.name) if self.wan else other.nats_port

    def start(self, daemons=True):
        for region in self.regions[:1] if self.shared_nats else self.regions:
            region.start_nats()
        if self.use_wan and len(self.regions) > 1:
            links = [
                (a.name, b.name, b.nats_port)
                for a in self.regions
                for b in self.regions
                if a is not b
            ]
            self.wan = Wan(self.keeper, program("wan_proxy"), links, os.path.join(self.dir, "wan.log"))
        if daemons:
            for region in self.regions:
                region.start(wait=False)
            for region in self.regions:
                region.wait_ready()
        return self

    def running(self):
        return [region for region in self.regions if region.running()]

    def converged(self):
        cuts = [region.cut() for region in self.running()]
        return all(cut == cuts[0] for cut in cuts[1:])

    def wait_converged(self, timeout=60):
        """Until all running regions have applied the same txns. Nobody may be writing."""
        try:
            wait_until(self.converged, timeout, "all regions at the same cut", 0.05)
        except TimeoutError as error:
            cuts = {region.name: region.cut() for region in self.running()}
            raise AssertionError(f"{error}: {cuts}") from None

    def wait_connected(self, timeout=60):
        """Until a write in every region is readable in every other: the links are all up."""
        for region in self.regions:
            with region.client() as client:
                client.call("SET", f"probe:{region.name}", "1")
        self.wait_converged(timeout)

    def print_logs(self):
        for region in self.regions:
            print(f"--- the end of {region.log_path}\n{region.log_tail()}", flush=True)

    def close(self):
        if self.wan:
            self.wan.close()
        self.keeper.end_all()
