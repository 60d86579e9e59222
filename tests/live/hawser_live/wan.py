"""The links between regions: every connection to another region's NATS passes one wan_proxy."""

import socket

from .keeper import wait_until


class Wan:
    """`links`: (from region, to region, port of the NATS there). `port(a, b)` is what a dials for b."""

    def __init__(self, keeper, program, links, log_path):
        self.pairs = [(a, b) for a, b, _ in links]
        argv = [program]
        for _, _, port in links:
            argv += ["--listen", "127.0.0.1:0", "--target", f"127.0.0.1:{port}"]
        argv += ["--control", "127.0.0.1:0"]
        self.process = keeper.start(argv, log_path)
        lines = wait_until(lambda: self._ready_lines(log_path), 10, "wan_proxy listens")
        self.ports = {}
        for line in lines:
            words = line.split()
            if words[0] == "pair":
                self.ports[self.pairs[int(words[1])]] = int(words[2].rsplit(":", 1)[1])
            elif words[0] == "control":
                control = int(words[1].rsplit(":", 1)[1])
        self.control = socket.create_connection(("127.0.0.1", control), timeout=10)
        self.answers = self.control.makefile("r")

    @staticmethod
    def _ready_lines(log_path):
        with open(log_path) as log:
            lines = log.read().splitlines()
        return lines if "ready" in lines else None

    def port(self, a, b):
        return self.ports[(a, b)]

    def say(self, command):
        self.control.sendall(command.encode() + b"\n")
        answer = self.answers.readline().strip()
        assert answer.startswith("ok"), f"wan_proxy: {command}: {answer}"
        return answer

    def _each(self, command, chosen):
        for index, (a, b) in enumerate(self.pairs):
            if chosen(a, b):
                self.say(f"{command} {index}")

    def cut_all(self):
        self.say("cut")

    def heal_all(self):
        self.say("heal")

    def cut(self, region, silent=False):
        """All links of one region, both ways."""
        self._each("blackhole" if silent else "cut", lambda a, b: region in (a, b))

    def heal(self, region):
        self._each("heal", lambda a, b: region in (a, b))

    def cut_between(self, one, other):
        self._each("cut", lambda a, b: {a, b} == {one, other})

    def heal_between(self, one, other):
        self._each("heal", lambda a, b: {a, b} == {one, other})

    def delay(self, ms):
        self.say(f"delay {ms}")

    def delay_of(self, region, ms):
        """All links of one region, both ways: a round trip takes twice as long."""
        self._each(f"delay {ms}", lambda a, b: region in (a, b))

    def close(self):
        self.control.close()
