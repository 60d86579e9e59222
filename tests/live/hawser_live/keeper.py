"""Keeper: every process a test starts, ended by its pid when the test ends, however it ends."""

import atexit
import ctypes
import os
import random
import signal
import socket
import subprocess
import time

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


def _die_with_parent():
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Keeper:
    """Start from the main thread only: a child dies with the thread that started it."""

    def __init__(self, leave_running=False):
        self.leave_running = leave_running
        self.processes = []
        atexit.register(self.end_all)

    def start(self, argv, log_path, env=None, cwd=None):
        with open(log_path, "ab") as log:
            process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **env} if env else None,
                cwd=cwd,
                start_new_session=self.leave_running,
                preexec_fn=None if self.leave_running else _die_with_parent,
            )
        self.processes.append(process)
        return process

    def end(self, process, sig=signal.SIGTERM, timeout=20):
        """Ends one process; after `timeout` seconds by force. Returns its exit code."""
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.send_signal(sig)
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process in self.processes:
            self.processes.remove(process)
        return process.returncode

    def end_all(self):
        if self.leave_running:
            return
        for process in reversed(self.processes):
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
        for process in self.processes:
            process.wait()
        self.processes.clear()


_given = set()


def free_port():
    """A port nobody listens on, below the range that outgoing connections take theirs from."""
    while True:
        port = random.randint(15000, 32000)
        if port in _given:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given.add(port)
        return port


def wait_until(condition, timeout, what, interval=0.02):
    """Polls until `condition` gives something true and returns that; TimeoutError names `what`."""
    deadline = time.monotonic() + timeout
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {timeout} s still not: {what}")
        time.sleep(interval)


def can_connect(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False
