"""A listener on a nats-server, by its text protocol; and what its messages hold, if protobuf."""

import json
import socket
import struct


class Nats:
    def __init__(self, port, *subjects, timeout=20):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.file = self.socket.makefile("rb")
        assert self.file.readline().startswith(b"INFO")
        options = json.dumps({"verbose": False, "pedantic": False})
        lines = [f"CONNECT {options}"] + [f"SUB {s} {i + 1}" for i, s in enumerate(subjects)] + ["PING"]
        self.socket.sendall("".join(line + "\r\n" for line in lines).encode())
        while self.file.readline().strip() != b"PONG":
            pass

    def next(self):
        """(subject, payload)"""
        while True:
            words = self.file.readline().split()
            if not words:
                raise ConnectionError("the NATS connection ended")
            if words[0] == b"PING":
                self.socket.sendall(b"PONG\r\n")
            elif words[0] == b"MSG":
                payload = self.file.read(int(words[-1]) + 2)[:-2]
                return words[1].decode(), payload

    def close(self):
        self.socket.close()
        self.file.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def fields(message):
    """{field number: [values]} of a protobuf message; lengths as bytes, the rest as numbers."""
    found, at = {}, 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = message[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(message):
        key = varint()
        kind = key & 7
        if kind == 0:
            value = varint()
        elif kind == 1:
            (value,) = struct.unpack_from("<Q", message, at)
            at += 8
        else:
            assert kind == 2, kind
            size = varint()
            value = message[at : at + size]
            at += size
        found.setdefault(key >> 3, []).append(value)
    return found


def changes(payload):
    """(position, previous, gap, [(key, origin, value or None)]) of a hawser.feed.Changes."""
    message = fields(payload)
    told = []
    for each in message.get(6, []):
        change = fields(each)
        op = next(op for op in map(fields, change[8]) if 2 not in op)  # not the expiry
        told.append((change[1][0].decode(), change[2][0].decode(), op[3][0] if 3 in op else None))
    text = lambda number: message.get(number, [b""])[0].decode()
    return text(3), text(4), bool(message.get(5)), told
