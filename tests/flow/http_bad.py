"""http_bad.py CHECK DAEMON [ARGUMENT...]: what a daemon must bear. DAEMON is the path of its socket, or PORT:TOKENFILE.
Exit 0: it bore it, and answered the next request in time. Nothing that it says may hold what the environment LEAKS
names, words with a space between. Only the standard library; every wait has a deadline."""
import json
import os
import random
import resource
import select
import socket
import struct
import sys
import time

SECONDS = 30  # for an answer, on a busy machine under a sanitizer
LEAKS = [word.encode() for word in os.environ.get("LEAKS", "").split()]
NOTHING = (0, {}, b"")


def expect(right, *said):
    if not right:
        print("not so:", *said)
        sys.exit(1)


class Daemon:
    def __init__(self, where):
        self.port, self.token = None, None
        self.path = where
        if not where.startswith("/"):
            port, file = where.split(":", 1)
            self.port = int(port)
            with open(file, encoding="ascii") as token:
                self.token = token.read().strip()

    def connect(self, seconds=SECONDS):
        peer = socket.socket(socket.AF_INET if self.port else socket.AF_UNIX)
        # Without a time limit: else a Unix socket whose backlog is full refuses at once.
        peer.connect(("127.0.0.1", self.port) if self.port else self.path)
        peer.settimeout(seconds)
        return peer

    def head(self, method, path, *headers, token=True):
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost", *headers]
        if token and self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + b"\r\n\r\n"

    def raw(self, sent):
        """Sends bytes on a connection of its own; what comes back until one answer is there or it is closed."""
        with self.connect() as peer:
            try:
                peer.sendall(sent)
            except OSError:
                pass  # it was refused before all of it was read
            return receive(peer)

    def ask(self, method, path, body=None, *headers, **more):
        if body is not None:
            headers = (*headers, f"Content-Length: {len(body)}")
        return self.raw(self.head(method, path, *headers, **more) + (body or b""))

    def is_well(self, seconds=SECONDS):
        """The next request is answered in time; who is refused as one too many tries again."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                if self.ask("GET", "/healthz")[0] == 200 and self.ask("GET", "/v1/status")[0] == 200:
                    return
            except OSError:
                pass
        expect(False, f"the next request is answered within {seconds} s")


def receive(peer):
    """One answer: status, headers, body. NOTHING if the connection ends before there is one."""
    got = b""
    try:
        while b"\r\n\r\n" not in got:
            piece = peer.recv(65536)
            if not piece:
                return NOTHING
            got += piece
        head, body = got.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        headers = {k.lower(): v.strip() for k, v in (line.split(":", 1) for line in lines[1:])}
        status = int(lines[0].split()[1])
        while len(body) < int(headers.get("content-length", 0)):
            piece = peer.recv(65536)
            expect(piece, "an answer is as long as it says", head)
            body += piece
    except ConnectionError:
        return NOTHING
    for leak in LEAKS:
        expect(leak not in head + body, f"{leak} is not told", head, body)
    return status, headers, body


def expect_error(answer, statuses, what, code=None):
    """A refusal with one of the statuses, as JSON."""
    status, headers, body = answer
    statuses = statuses if isinstance(statuses, tuple) else (statuses,)
    expect(status in statuses, f"{what!r:.200} is answered by {statuses}, not by {status}", body[:300])
    expect(headers.get("content-type") == "application/json", f"{what!r:.200} is answered by JSON", headers)
    error = json.loads(body)["error"]
    expect(error["code"] and error["message"], f"{what!r:.200}: an error says something", body)
    expect(code in (None, error["code"]), f"{what!r:.200} is {code}", body[:300])
    return error


# ---- what is no HTTP, or nearly ----

# Each with the statuses there may be; 0: it is just closed. libmicrohttpd answers these by itself.
MALFORMED = [
    (b"GET\r\n\r\n", (0, 400)),
    (b"GET /healthz\r\n\r\n", (0, 400)),
    (b"\r\n" * 1000, (0, 400)),
    (b"GET /v1/status HTTP/9.9\r\nHost: a\r\n\r\n", (0, 400, 505)),
    (b"GET /v1/status HTTP/1.1\r\n\r\n", (200, 400)),  # on a Unix socket there is no name to check
    (b"GET /v1/status HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", (0, 400)),
    (b"GET /v1/status HTTP/1.1\r\nHost: a\r\nX : a\r\n\r\n", (400,)),
    (b"GET /v1/status HTTP/1.1\r\nHost: a\r\n: a\r\n\r\n", (0, 200, 400)),  # a header without a name is dropped
    (b"GET /v1/status HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", (400,)),
    (b"GET /v1/st\0atus HTTP/1.1\r\nHost: a\r\n\r\n", (0, 400, 404)),
    (b"GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n", (0, 400)),
    (b"GET * HTTP/1.1\r\nHost: a\r\n\r\n", (400,)),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"a" * 500 + b"\r\n\r\n", (0, 400)),
    (b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", (0, 400, 413, 414, 431)),
    (b"GET /v1/status HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 20000 + b"\r\n", (0, 413, 431)),
    (b"GET /v1/status HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 100000 + b"\r\n\r\n", (0, 413, 431)),
]
BROKEN_BODIES = [
    (b"Content-Length: abc\r\n\r\n", (0, 400)),
    (b"Content-Length: -1\r\n\r\n", (0, 400)),
    (b"Content-Length: 1, 2\r\n\r\na", (0, 400)),
    (b"Content-Length: 1\r\nContent-Length: 2\r\n\r\na", (0, 400)),
    (b"Content-Length: 99999999999999999999999\r\n\r\na", (0, 400, 413)),
    (b"Content-Length: 18446744073709551615\r\n\r\na", (0, 400, 413)),
    (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", (400,)),
    (b"Transfer-Encoding: gzip\r\n\r\n", (400, 501)),
    (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", (0, 400)),
    (b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\na", (0, 400, 413)),
    (b"Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n", (0, 400)),
]


def check_malformed(daemon):
    heads = [(sent, statuses) for sent, statuses in MALFORMED]
    heads += [(b"POST /v1/jobs HTTP/1.1\r\nHost: localhost\r\n" + rest, statuses) for rest, statuses in BROKEN_BODIES]
    for sent, statuses in heads:
        with daemon.connect(0.2 if 0 in statuses else SECONDS) as peer:
            try:
                peer.sendall(sent)
                status = receive(peer)[0]
            except OSError:
                status = 0  # it is waited for the rest, or cut off: the client leaves
        expect(status in statuses, f"{sent!r:.120} is answered by {statuses}, not by {status}")
    daemon.is_well()


def check_noise(daemon):
    """Anything may be answered, or waited for: not here."""
    source = random.Random(6)
    right = daemon.head("POST", "/v1/jobs", "Content-Length: 40") + b"version: 1\ntasks: [{type: noop}]        "
    for i in range(150):
        sent = bytearray(right if i % 3 else source.randbytes(200))
        for _ in range(source.randrange(1, 8)):
            sent[source.randrange(len(sent))] = source.randrange(256)
        with daemon.connect(0.2) as peer:
            try:
                peer.sendall(sent)
                status = receive(peer)[0]
            except OSError:
                status = 0  # it is waited for the rest, or cut off: the client leaves
        expect(status == 0 or 200 <= status < 300 or 400 <= status < 600, bytes(sent), status)
    daemon.is_well()


# ---- too slow, too many ----

def check_slow(daemon):
    """One byte a second, while others are answered. The headers have 10 s."""
    began = time.monotonic()
    with daemon.connect(1) as peer:
        for letter in daemon.head("GET", "/v1/status"):
            try:
                peer.sendall(bytes([letter]))
                daemon.is_well(5)
                if not peer.recv(100):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        took = time.monotonic() - began
    expect(9 <= took < 20, f"who is slow is cut off after 10 s, not after {took:.1f}")
    daemon.is_well()


def check_many(daemon, pid, most):
    """10,000 connections that say nothing: some are held, all others are told, nothing grows, and once they are gone
    the next one is answered."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (11000, 20000))
    peers, came, refused = [], {}, 0
    for _ in range(10000):
        peer = daemon.connect()
        peers.append(peer)
        came[peer] = time.monotonic()
    for peer in peers:
        peer.setblocking(False)
    end = time.monotonic() + SECONDS
    waits = peers
    while len(waits) > int(most) and time.monotonic() < end:
        left = []
        for peer in waits:
            try:
                got = peer.recv(4096)
                if got == b"" and time.monotonic() - came[peer] >= 9:
                    continue  # it was held, and is cut off after 10 s like all who say nothing
                expect(got.startswith(b"HTTP/1.1 503 ") and b"too_many_connections" in got, got)
                refused += 1
            except BlockingIOError:
                left.append(peer)
        waits = left
    expect(refused >= 10000 - int(most), f"all but {most} are refused, not {refused}")
    expect(len(os.listdir(f"/proc/{pid}/fd")) < int(most) + 64, "files are bounded")
    for peer in peers:
        peer.close()
    daemon.is_well()


# ---- bodies ----

def check_large(daemon, most, total):
    """A body over its limit, announced or not; several over the limit of all."""
    most, total = int(most), int(total)
    answer = daemon.raw(daemon.head("POST", "/v1/jobs", f"Content-Length: {most + 1}"))
    expect_error(answer, 413, "a body that is too large", "too_large")
    chunk = b"%x\r\n" % 1000 + b"#" * 1000 + b"\r\n"
    answer = daemon.raw(daemon.head("POST", "/v1/jobs", "Transfer-Encoding: chunked")
                        + chunk * (most // 1000 + 1) + b"0\r\n\r\n")
    expect_error(answer, 413, "chunks that are too large", "too_large")
    held = []
    for _ in range(total // most):
        peer = daemon.connect()
        peer.sendall(daemon.head("POST", "/v1/jobs", f"Content-Length: {most}", "Expect: 100-continue"))
        expect(receive(peer)[0] == 100, "there is room for this one")
        held.append(peer)
    answer = daemon.raw(daemon.head("POST", "/v1/jobs", f"Content-Length: {most}"))
    expect_error(answer, 503, "a body more than there is room for", "busy")
    expect(answer[1].get("retry-after") == "1", "it says when to come again", answer)
    for peer in held:
        peer.close()
    job = b"version: 1\ntasks: [{type: noop}]\n" + b"#" * 900
    end = time.monotonic() + SECONDS
    while (status := daemon.ask("POST", "/v1/jobs", job)[0]) == 503 and time.monotonic() < end:
        pass
    expect(status == 202, "there is room again", status)


BAD_JOBS = [
    ("nothing", b""),
    ("no map", b"[]"),
    ("a label of 1 MiB", b"version: 1\ntasks: [{type: noop, labels: {a: " + b"v" * (1 << 20) + b"}}]"),
    ("a text beyond all limits", b"version: 1\ntasks: [{type: noop, id: " + b"v" * (3 << 20) + b"}]"),
    ("the environment", b'version: 1\ntasks: [{type: noop, id: "${env.HOME}"}]'),
    ("the environment in a variable", b'version: 1\nvars: {a: "${env.SECRET_OF_THE_HOST}"}\ntasks: [{type: noop}]'),
    ("lines of a file", b"version: 1\ntasks: [{type: noop, for_each: {x: {lines: /etc/passwd}}}]"),
    ("rows of a file", b"version: 1\ntasks: [{type: noop, for_each: {x: {csv: /proc/self/environ}}}]"),
    ("deep nesting", b"version: 1\ntasks: " + b"[" * 100000),
    ("deep maps", b"version: 1\ntasks: " + b"{a: " * 100000),
    ("deep JSON", b'{"version":1,"tasks":' + b"[" * 50000 + b"]" * 50000 + b"}"),
    ("keys that stand twice", b'{"version":1,"version":1,"tasks":[{"type":"noop"}]}'),
    ("a key of a task that stands twice", b'{"version":1,"tasks":[{"type":"noop","type":"noop"}]}'),
    ("a NUL", b"version: 1\ntasks: [{type: no\0op}]"),
    ("an escaped NUL", b'{"version":1,"tasks":[{"type":"no\\u0000op"}]}'),
    ("no UTF-8", b"version: 1\ntasks: [{type: noop, id: \xff\xfe}]"),
    ("control characters", b"version: 1\ntasks: [{type: noop, id: \x1b[31m}]"),
    ("an alias without an anchor", b"version: 1\ntasks: [*a]"),
    ("an unknown type", b"version: 1\ntasks: [{type: ../../etc/passwd}]"),
    ("a number beyond all", b'{"version":1' + b"0" * 5000 + b',"tasks":[{"type":"noop"}]}'),
    ("a time beyond all", b"version: 1\ntasks: [{type: noop, timeout: 99999999999999999999h}]"),
]


def alias_bomb():
    lines = ["version: 1", "x: &a0 [y, y, y, y, y, y, y, y, y, y]"]
    lines += [f"x{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 10) + "]" for i in range(1, 12)]
    return "\n".join(lines + ["tasks: *a11"]).encode()


def check_jobs(daemon):
    for what, body in BAD_JOBS + [("an alias bomb", alias_bomb())]:
        error = expect_error(daemon.ask("POST", "/v1/jobs", body), 422, what, "invalid_job")
        for one in error["details"]:
            expect(one["message"] and one["code"], what, one)
            expect(all(c >= " " or c in "\t\n" for c in one["message"]), what, one)
        expect_error(daemon.ask("POST", "/v1/tasks", body), 422, what, "invalid_job")
    daemon.is_well()


def check_long(daemon):
    """A task that takes seconds to read holds up nobody."""
    body = b"{type: noop, params: {n: [" + b"1," * (15 << 20) + b"]}}"
    with daemon.connect(300) as peer:
        peer.sendall(daemon.head("POST", "/v1/tasks", f"Content-Length: {len(body)}") + body)
        daemon.is_well()
        expect(not select.select([peer], [], [], 0)[0], "others are answered before the task is read")
        expect_error(receive(peer), 422, "a long list")


ENVELOPES = [b"", b"{}", b"[]", b"null", b'{"text":1}', b'{"text":"a","text":"a"}', b'{"text":"a","other":1}',
             b'{"text":"a","env":[]}', b'{"text":"a","env":{"a":1}}', b'{"text":"a\\u0000"}', b'{"text":"\xff"}',
             b"[" * 100000, b'{"text":"version: 1\\ntasks: [{type: noop, for_each: {x: {lines: /etc/passwd}}}]"}',
             b'{"text":"version: 1\\ntasks: [{type: noop, id: \\"${env.SECRET_OF_THE_HOST}\\"}]","env":{}}']
NO_OBJECTS = [b"", b"{", b"[]", b"null", b"3", b'{"a":1,"a":1}', b"\xff", b'"' + b"a" * 100000, b"[" * 100000, b"{}\0"]
CHANGES = [("PUT", "/v1/scheduler"), ("PATCH", "/v1/groups/none"), ("POST", "/v1/dead/retry")]
WRONG_VALUES = [
    ("PUT", "/v1/scheduler", b'{"policy":"best"}'), ("PUT", "/v1/scheduler", b'{"policy":1}'),
    ("PUT", "/v1/scheduler", b"{}"), ("PUT", "/v1/scheduler", b'{"policy":"round_robin","more":1}'),
    ("PATCH", "/v1/groups/none", b'{"workers":0}'), ("PATCH", "/v1/groups/none", b'{"workers":1e99}'),
    ("PATCH", "/v1/groups/none", b'{"workers":1025}'), ("PATCH", "/v1/groups/none", b'{"paused":"yes"}'),
    ("PATCH", "/v1/groups/none", b'{"weight":1}'), ("POST", "/v1/dead/retry", b'{"type":1}'),
    ("POST", "/v1/dead/retry", b'{"all":true}'), ("POST", "/v1/dead/retry", b'{"dry_run":"no"}'),
]


def check_json(daemon):
    kind = "Content-Type: application/vnd.sluice.submission+json"
    for body in ENVELOPES:
        expect_error(daemon.ask("POST", "/v1/jobs", body, kind), 422, body, "invalid_job")
    for method, path in CHANGES:
        for body in NO_OBJECTS:
            expect_error(daemon.ask(method, path, body, "Content-Type: application/json"), 400, body)
    for method, path, body in WRONG_VALUES:
        expect_error(daemon.ask(method, path, body), 422, body, "invalid_value")
    expect_error(daemon.ask("PATCH", "/v1/groups/none", b'{"workers":1}'), 404, "no such group")
    daemon.is_well()


# ---- addresses, methods, types, headers ----

TRICKS = ["..%2f..%2fetc%2fpasswd", "%00", "a%00b", "%ff%fe", "%c0%ae%c0%ae", "%", "%2", "%zz", "%25%32%66", "a" * 20000,
          "%f0%9f%92%a5" * 100, "01ARZ3NDEKTSV4RRFFQ69G5FAV:", ":a", ":", "01ARZ3NDEKTSV4RRFFQ69G5FAV:%2e%2e%2f",
          "01arz3ndektsv4rrffq69g5fav", "%0d%0aSet-Cookie:%20a", "%1b%5b31m", "a:" + "b" * 5000, "*", "'%22%3b--", "~root"]
PLACES = ["/v1/jobs/{}", "/v1/jobs/{}/tasks", "/v1/tasks/{}", "/v1/tasks/{}/why", "/v1/tasks/{}/log",
          "/v1/tasks/{}/log?follow=1", "/v1/groups/{}", "/v1/types/{}", "/{}", "/v1/{}/../status"]
WRONG_QUERIES = ["/v1/jobs?limit=0", "/v1/jobs?limit=1001", "/v1/jobs?limit=-1", "/v1/jobs?limit=", "/v1/jobs?limit=9e9",
                 "/v1/jobs?limit=1%00", "/v1/jobs?state=sleeping", "/v1/jobs?none=1", "/v1/dead?since=soon",
                 "/v1/dead?label=a", "/v1/dead?after=a.b", "/v1/status?a=1", "/v1/jobs?limit=1&limit=2",
                 "/v1/jobs?" + "&".join(f"k{i}=1" for i in range(50)), "/v1/events?jobs=%ff"]


def check_addresses(daemon):
    for trick in TRICKS:
        for place in PLACES:
            expect_error(daemon.ask("GET", place.format(trick)), (400, 404), place.format(trick))
        for method, place in (("DELETE", "/v1/jobs/{}"), ("DELETE", "/v1/tasks/{}"), ("POST", "/v1/tasks/{}/retry")):
            expect_error(daemon.ask(method, place.format(trick)), (400, 404), place.format(trick))
    for path in WRONG_QUERIES:
        expect_error(daemon.ask("GET", path), 400, path)
    expect_error(daemon.ask("GET", "//v1/status"), (400, 404), "an empty part")
    expect_error(daemon.ask("GET", "/v1/status/"), (400, 404), "a slash at the end")
    expect_error(daemon.ask("GET", "/v1/status#a"), 400, "a fragment")
    daemon.is_well()


def check_methods(daemon):
    for method, path in (("PUT", "/v1/jobs"), ("POST", "/v1/status"), ("DELETE", "/v1/scheduler"), ("PATCH", "/metrics"),
                         ("BREW", "/v1/jobs"), ("TRACE", "/v1/status"), ("get", "/v1/status"), ("OPTIONS", "/v1/jobs")):
        answer = daemon.ask(method, path)
        expect_error(answer, (405, 501), (method, path))
        expect(answer[0] != 405 or answer[1].get("allow"), "it says what is allowed", answer)
    for kind in ("text/html", "application/jsonx", "multipart/form-data; boundary=a", "", "a" * 5000, "\udcff\udcfe",
                 "application/x-www-form-urlencoded"):
        expect_error(daemon.ask("POST", "/v1/jobs", b"version: 1\n", f"Content-Type: {kind}"), 415, kind)
    envelope = "Content-Type: application/vnd.sluice.submission+json"
    expect_error(daemon.ask("POST", "/v1/tasks", b"{}", envelope), 415, "an envelope of a task")
    expect_error(daemon.ask("PUT", "/v1/scheduler", b"{}", "Content-Type: text/yaml"), 415, "YAML where it is JSON")
    expect_error(daemon.ask("POST", "/v1/jobs", b"a", "Content-Encoding: gzip"), 415, "a packed body")
    expect_error(daemon.ask("GET", "/v1/status", b"body"), 400, "a body where there is none")
    for key in ("", " ", "a" * 201, "\udcc3\udca9", "a\tb"):
        answer = daemon.ask("POST", "/v1/jobs", b"version: 1\ntasks: [{type: noop}]", f"Idempotency-Key: {key}")
        expect_error(answer, 400, ("Idempotency-Key", key))
    daemon.is_well()


# ---- strangers ----

def check_strangers(daemon):
    """Of a TCP port: without the token nothing but /healthz, not even which addresses there are."""
    token = daemon.token
    wrong = ["Bearer", "Bearer ", "Bearer a", f"Bearer {token[:-1]}", f"Bearer {token}a", f"Bearer {token.upper()}x",
             f"Basic {token}", token, f"Bearer {token}, Bearer {token}", "Bearer " + "a" * 10000]
    for path in ("/v1", "/v1/status", "/v1/jobs", "/metrics", "/readyz", "/none", f"/v1/status?token={token}"):
        for headers in [()] + [(f"Authorization: {one}",) for one in wrong]:
            answer = daemon.ask("GET", path, None, *headers, token=False)
            expect_error(answer, 401, (path, headers), "unauthorized")
            expect("bearer" in answer[1].get("www-authenticate", "").lower(), "it says what it wants", answer)
    large = daemon.head("POST", "/v1/jobs", "Content-Length: 1000000", "Expect: 100-continue", token=False)
    expect_error(daemon.raw(large), 401, "a body is not read from a stranger")
    twice = f"Authorization: Bearer {token}"
    expect_error(daemon.ask("GET", "/v1/status", None, twice), (400, 401), "two of them")
    expect(daemon.ask("GET", "/healthz", token=False)[0] == 200, "/healthz is open")
    expect(daemon.ask("GET", "/v1/status")[0] == 200, "the token opens")
    daemon.is_well()


def check_names(daemon):
    """Of a TCP port: a web page that has its name point here is refused, and what it sends by a browser is."""
    for host in ("evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil.example:80", "[::2]", "",
                 "localhost:80:80", "localhost@evil.example", "127.0.0.2", "listed.example.evil.example", "\udcff"):
        lines = f"GET /v1/status HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {daemon.token}\r\n\r\n"
        answer = daemon.raw(lines.encode("utf-8", "surrogateescape"))
        expect_error(answer, (400, 403), host)
    old = f"GET /v1/status HTTP/1.0\r\nAuthorization: Bearer {daemon.token}\r\n\r\n"
    expect_error(daemon.raw(old.encode()), (400, 403), "no Host at all")
    for host in ("localhost", "LOCALHOST:8080", "127.0.0.1", "[::1]:80", "listed.example", "Listed.Example:443"):
        lines = f"GET /v1/status HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {daemon.token}\r\n\r\n"
        expect(daemon.raw(lines.encode())[0] == 200, f"{host} is one of ours")
    check_origins(daemon)


def check_origins(daemon):
    for origin in ("https://evil.example", "null", "", "http://localhost", "http://127.0.0.1:80", "file://",
                   "https://listed.example.evil.example", "https://evil.example/listed.example"):
        for method, path in (("GET", "/v1/status"), ("POST", "/v1/jobs"), ("POST", "/v1/stop")):
            expect_error(daemon.ask(method, path, None, f"Origin: {origin}"), 403, origin, "origin_not_allowed")
    daemon.is_well()


# ---- those who hang up ----

def leave(peer, hard):
    if hard:  # with a reset
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    peer.close()


def check_leavers(daemon, task):
    """Clients that go in the middle of everything; TASK runs and goes on."""
    body = b"version: 1\ntasks:\n" + b"  - {type: noop}\n" * 500
    post = daemon.head("POST", "/v1/jobs", f"Content-Length: {len(body)}") + body
    cuts = [*range(1, 150, 7), *range(150, len(post), 997), len(post)]
    for cut in cuts:
        peer = daemon.connect()
        peer.sendall(post[:cut])
        leave(peer, cut % 2)
    for i in range(60):
        path = ("/v1/events", f"/v1/tasks/{task}/log?follow=1", "/metrics", "/v1/schema", "/v1/jobs?limit=1000")[i % 5]
        peer = daemon.connect()
        peer.sendall(daemon.head("GET", path))
        if i % 3:
            expect(peer.recv(1), path, "is answered")
        leave(peer, i % 2)
    for i in range(20):  # several requests at once, and no look at the answers
        peer = daemon.connect()
        peer.sendall(daemon.head("GET", "/v1/jobs?limit=1000") * 20 + daemon.head("POST", "/v1/reload"))
        leave(peer, i % 2)
    daemon.is_well()


# ---- what grows ----

def every_kind(daemon, count):
    """So many requests of every kind over a few connections, right and wrong ones."""
    job, task = b"version: 1\ntasks: [{type: noop}, {type: noop}]\n", b"{type: noop}"
    requests = [daemon.head("GET", path) for path in (
        "/v1", "/v1/status", "/v1/jobs?limit=5", "/v1/groups", "/v1/plugins", "/v1/types", "/v1/types/noop", "/v1/schema",
        "/v1/dead", "/v1/scheduler", "/v1/nodes", "/metrics", "/healthz", "/readyz", "/v1/none", "/v1/jobs/%ff",
        "/v1/tasks/01ARZ3NDEKTSV4RRFFQ69G5FAV:a/why", "/v1/jobs?limit=x")]
    for path, body in (("/v1/jobs", job), ("/v1/tasks", task), ("/v1/jobs", b"version: 2\n"), ("/v1/dead/retry", b"{}")):
        requests.append(daemon.head("POST", path, f"Content-Length: {len(body)}") + body)
    policy = b'{"policy":"load_aware"}'
    requests.append(daemon.head("PUT", "/v1/scheduler", f"Content-Length: {len(policy)}") + policy)
    requests.append(daemon.head("GET", "/v1/events"))
    peer = daemon.connect()
    for i in range(count):
        request = requests[i % len(requests)]
        peer.sendall(request)
        expect(receive(peer)[0] in (200, 202, 400, 404, 422, 429), request)
        if i % len(requests) == len(requests) - 1:  # behind a stream there is only the end
            peer.close()
            peer = daemon.connect()
    peer.close()


def figures(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        memory = next(int(line.split()[1]) for line in status if line.startswith("VmRSS:"))
    return len(os.listdir(f"/proc/{pid}/fd")), memory


def check_growth(daemon, pid, count, most_kib):
    """Files and memory after so many requests, against those after a fifth of it."""
    every_kind(daemon, int(count) // 5)
    files, memory = figures(pid)
    every_kind(daemon, int(count))
    end = time.monotonic() + SECONDS
    while figures(pid)[0] > files + 2 and time.monotonic() < end:
        pass  # what was closed last is seen soon
    files_after, memory_after = figures(pid)
    print(f"files {files} -> {files_after}, KiB {memory} -> {memory_after}")
    expect(files_after <= files + 2, "no file is left open")
    expect(memory_after - memory <= int(most_kib), "memory does not grow")


def main():
    name, where, *arguments = sys.argv[1:]
    globals()["check_" + name](Daemon(where), *arguments)


main()
