"""A small client for the Redis protocol (RESP2, and the RESP3 types that replies may hold)."""

import socket


class ReplyError(Exception):
    """An error reply. `word` is its first word, which is stable."""

    def __init__(self, text):
        super().__init__(text)
        self.word = text.split(" ", 1)[0]


def encode(command):
    parts = [b"*%d\r\n" % len(command)]
    for arg in command:
        if not isinstance(arg, bytes):
            arg = str(arg).encode()
        parts.append(b"$%d\r\n%b\r\n" % (len(arg), arg))
    return b"".join(parts)


class Client:
    """One connection; one owner. Strings come back as bytes, errors inside a pipeline as ReplyError."""

    def __init__(self, port, timeout=60, host="127.0.0.1"):
        self.socket = socket.create_connection((host, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stream = self.socket.makefile("rb", buffering=1 << 16)

    def close(self):
        self.stream.close()
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, *commands):
        self.socket.sendall(b"".join(encode(command) for command in commands))

    def read(self):
        line = self.stream.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the connection ended")
        kind, rest = line[:1], line[1:-2]
        if kind == b"+":
            return rest
        if kind == b"-":
            return ReplyError(rest.decode(errors="replace"))
        if kind == b":":
            return int(rest)
        if kind == b"$" or kind == b"=":
            length = int(rest)
            if length < 0:
                return None
            data = self.stream.read(length + 2)
            if len(data) != length + 2:
                raise ConnectionError("the connection ended")
            return data[:-2]
        if kind in (b"*", b"~", b">"):
            count = int(rest)
            return None if count < 0 else [self.read() for _ in range(count)]
        if kind == b"%":
            return {self.read(): self.read() for _ in range(int(rest))}
        if kind == b"_":
            return None
        if kind == b",":
            return float(rest)
        if kind == b"#":
            return rest == b"t"
        raise ValueError(f"not RESP: {line[:80]!r}")

    def call(self, *command):
        self.send(command)
        reply = self.read()
        if isinstance(reply, ReplyError):
            raise reply
        return reply

    def pipeline(self, commands, depth=400):
        """Replies in order; at most `depth` commands are under way, so neither side can fill up."""
        replies = []
        for begin in range(0, len(commands), depth):
            part = commands[begin : begin + depth]
            self.send(*part)
            replies.extend(self.read() for _ in part)
        return replies

    def pipeline_ok(self, commands, depth=400):
        replies = self.pipeline(commands, depth)
        for command, reply in zip(commands, replies):
            if isinstance(reply, ReplyError):
                raise AssertionError(f"{command[:3]} was refused: {reply}")
        return replies
