"""Region: one hawserd with its own nats-server, store and configuration."""

import os
import signal
import subprocess
import time

from .keeper import can_connect, free_port, wait_until
from .resp import Client
from .rest import Rest


class Region:
    def __init__(self, mesh, name, number):
        self.mesh, self.name, self.id = mesh, name, number
        self.dir = os.path.join(mesh.dir, name)
        self.store = os.path.join(self.dir, "store")
        os.makedirs(self.store, exist_ok=True)
        self.nats_port, self.redis_port, self.rest_port = free_port(), free_port(), free_port()
        self.config_path = os.path.join(self.dir, "hawser.toml")
        self.log_path = os.path.join(self.dir, "hawserd.log")
        self.nats_log_path = os.path.join(self.dir, "nats.log")
        self.daemon = self.nats = None
        self.environment = {}  # of the next start

    # --- nats-server ---------------------------------------------------------------------------
    def start_nats(self):
        argv = [self.mesh.programs["nats-server"], "-a", "127.0.0.1", "-p", str(self.nats_port)]
        self.nats = self.mesh.keeper.start(argv, self.nats_log_path)
        wait_until(lambda: can_connect(self.nats_port), 20, f"nats-server of {self.name} listens")

    def freeze_nats(self):
        self.nats.send_signal(signal.SIGSTOP)

    def thaw_nats(self):
        self.nats.send_signal(signal.SIGCONT)

    # --- hawserd -------------------------------------------------------------------------------
    def write_config(self, settings):
        """`settings`: {section: {key: value}}, laid over the mesh's own."""
        sections = {
            "cluster": {"name": self.mesh.cluster},
            "region": {"name": self.name},
            "storage": {"path": self.store},
            "admin": {"listen": f"127.0.0.1:{self.rest_port}"},
            "redis": {"listen": f"127.0.0.1:{self.redis_port}"},
        }
        for layer in (self.mesh.settings, settings or {}):
            for section, values in layer.items():
                sections.setdefault(section, {}).update(values)
        text = []
        for section, values in sections.items():
            text.append(f"[{section}]")
            text += [f"{key} = {toml(value)}" for key, value in values.items()]
        for region in self.mesh.regions:
            port = region.nats_port if region is self else self.mesh.nats_port_for(self, region)
            text += [
                "[[regions]]",
                f'name = "{region.name}"',
                f"id = {region.id}",
                f'nats = ["nats://127.0.0.1:{port}"]',
            ]
        text.append(self.mesh.tables)
        with open(self.config_path, "w") as file:
            file.write("\n".join(text) + "\n")

    def start(self, settings=None, wait=True, timeout=60, wrapper=()):
        self.write_config(settings)
        argv = [*wrapper, self.mesh.programs["hawserd"], "--config", self.config_path]
        self.daemon = self.mesh.keeper.start(argv, self.log_path, env=self.environment)
        if wait:
            self.wait_ready(timeout)

    def wait_ready(self, timeout=60):
        wait_until(self.is_ready, timeout, f"{self.name} answers ({self.log_path})", 0.01)

    def is_ready(self):
        if self.daemon.poll() is not None:
            raise AssertionError(
                f"hawserd of {self.name} ended with {self.daemon.returncode}:\n{self.log_tail()}"
            )
        try:
            with Client(self.redis_port, timeout=5) as client:
                return client.call("PING") == b"PONG"
        except (OSError, ConnectionError):
            return False

    def running(self):
        return self.daemon is not None and self.daemon.poll() is None

    def kill(self):
        """kill -9."""
        self.mesh.keeper.end(self.daemon, signal.SIGKILL)

    def stop(self, timeout=30):
        """SIGTERM; returns the exit code."""
        return self.mesh.keeper.end(self.daemon, signal.SIGTERM, timeout)

    def wait_exit(self, timeout):
        try:
            return self.daemon.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {timeout} s") from None

    # --- clients and readings ------------------------------------------------------------------
    def client(self, timeout=60):
        return Client(self.redis_port, timeout)

    def rest(self, timeout=20):
        return Rest(self.rest_port, timeout)

    def cut(self):
        """The applied cut: {(region, incarnation): seq}."""
        with self.client() as client:
            rows = client.call("HAWSER", "CUT")
        return {(region.decode(), incarnation.decode()): seq for region, incarnation, seq in rows}

    def metrics(self):
        """{name or name{labels}: value}."""
        rest = self.rest()
        try:
            answer = rest.get("/metrics")
        finally:
            rest.close()
        assert answer.status == 200, answer
        values = {}
        for line in answer.body.decode().splitlines():
            if line and not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                values[name] = float(value)
        return values

    def rss_anon_bytes(self):
        return memory_field(self.daemon.pid, "RssAnon")

    def rss_anon_peak_watch(self):
        return PeakWatch(self.daemon.pid)

    def store_bytes(self):
        total = 0
        for folder, _, names in os.walk(self.store):
            for name in names:
                total += os.stat(os.path.join(folder, name)).st_blocks * 512
        return total

    def log_text(self):
        try:
            with open(self.log_path, errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def log_tail(self, lines=25):
        return "\n".join(self.log_text().splitlines()[-lines:])


class PeakWatch:
    """The most RssAnon seen by calls of `look`."""

    def __init__(self, pid):
        self.pid, self.peak = pid, 0

    def look(self):
        self.peak = max(self.peak, memory_field(self.pid, "RssAnon"))
        return self.peak


def memory_field(pid, field):
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            if line.startswith(field + ":"):
                return int(line.split()[1]) * 1024
    return 0


def toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, list):
        return "[" + ", ".join(toml(item) for item in value) + "]"
    return '"' + str(value).replace("\\", "\\\\").replace('"', '\\"') + '"'


def now():
    return time.monotonic()
