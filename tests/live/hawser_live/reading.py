"""What clients see of many keys: the string part and the hash part of each, through pipelines."""

from .resp import ReplyError


def strings(region, keys):
    """{key: value or None}. A hash reads as None."""
    with region.client() as client:
        replies = client.pipeline([("GET", key) for key in keys])
    return dict(zip(keys, (_plain(reply) for reply in replies)))


def hashes(region, keys):
    """{key: {field: value}}; empty if there is none. A string reads as empty."""
    with region.client() as client:
        replies = client.pipeline([("HGETALL", key) for key in keys])
    found = {}
    for key, reply in zip(keys, replies):
        pairs = _plain(reply) or []
        found[key] = dict(zip(pairs[0::2], pairs[1::2]))
    return found


def both(region, keys):
    """{key: (string or None, {field: value})}: all that a client can see of a key."""
    plain, fields = strings(region, keys), hashes(region, keys)
    return {key: (plain[key], fields[key]) for key in keys}


def _plain(reply):
    if isinstance(reply, ReplyError):
        if reply.word == "WRONGTYPE":
            return None
        raise reply
    return reply


def differing(readings):
    """Keys that any two regions read differently. `readings`: one dict per region, of the same keys."""
    first = readings[0]
    return [key for key in first if any(other[key] != first[key] for other in readings[1:])]


def all_keys(region):
    with region.client() as client:
        cursor, keys = b"0", []
        while True:
            cursor, page = client.call("SCAN", cursor, "COUNT", "2000")
            keys += page
            if cursor == b"0":
                return sorted(set(keys))
