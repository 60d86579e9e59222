"""A small HTTP client for REST."""

import http.client
import json


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Rest:
    """One connection, kept open, dialled again when the server closed it."""

    def __init__(self, port, timeout=20):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def call(self, method, path, body=None, headers=None):
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers.setdefault("Content-Type", "application/json")
        for attempt in (1, 2):
            try:
                self.connection.request(method, path, body=body, headers=headers)
                reply = self.connection.getresponse()
                return Answer(reply.status, reply.headers, reply.read())
            except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
                self.connection.close()
                if attempt == 2 or method not in ("GET", "PUT", "DELETE"):
                    raise

    def get(self, path, **kwargs):
        return self.call("GET", path, **kwargs)

    def close(self):
        self.connection.close()


def records(rest, table, prefix="", limit=1000):
    """Every record of a table, page by page: key -> (version, fields)."""
    found, token = {}, ""
    while True:
        path = f"/v1/tables/{table}/records?limit={limit}&prefix={prefix}"
        answer = rest.get(path + (f"&page_token={token}" if token else ""))
        if answer.status != 200:
            raise AssertionError(f"{path}: {answer}")
        page = answer.json()
        for record in page["records"]:
            found[record["key"]] = (version_order(record["version"]), record["fields"])
        token = page.get("next_page_token", "")
        if not token:
            return found


def version_order(text):
    """`<ms>.<counter>-<region>[-<hash>]` as a tuple that orders as versions do."""
    stamp, region = text.split("-")[:2]
    ms, counter = stamp.split(".")
    return int(ms), int(counter), int(region)
