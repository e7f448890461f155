"""client.py SOCKET LOG TRACE STOP [KIND...]: sends single tasks and jobs of the usual kinds, and of others, over several
connections, as fast as it can, until the file STOP is there; a daemon that is gone is looked for again. LOG gets a line of
JSON for each answer:
    {"name": .., "kind": .., "job": ..}    it was acknowledged
    {"name": .., "kind": .., "doubt": 1}   the connection broke before an answer came
    {"name": .., "refused": CODE}          it was refused: it is to be in no store
    {"over": JOB, "trace": BYTES}          the daemon has told that the job is over; the trace was that long then"""
import collections
import http.client
import itertools
import json
import os
import socket
import sys
import threading
import time

import kinds

SOCKET, LOG, TRACE, STOP = sys.argv[1:5]
AGAIN = 0.004  # between two looks whether the daemon is back, or has room
USUAL = ["chain", "retries", "unique", "each", "delayed", "wide", "dead", "slow", "unique"]
KINDS = itertools.cycle(USUAL + sys.argv[5:])
numbers = itertools.count()
unfinished = collections.deque()
log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(SOCKET)


def say(**facts):
    os.write(log, (json.dumps(facts) + "\n").encode())


def stopped():
    return os.path.exists(STOP)


def ask(connection, method, path, body=None):
    """Returns status and answer; None if the daemon is gone."""
    try:
        connection.request(method, path, body)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError):
        connection.close()
        return None


def is_there(connection):
    try:
        connection.close()
        connection.connect()
        return True
    except OSError:
        return False


def make(number, single):
    if single:
        return "one", "/v1/tasks", {"id": "o", "labels": {}, **kinds.trace(says=f"one-{number}")}
    kind = next(KINDS)
    return kind, "/v1/jobs", {"version": 1, "name": f"{kind}-{number}", "tasks": kinds.MAKE[kind](number)}


def send(connection, single):
    number = next(numbers)
    kind, path, body = make(number, single)
    name = f"{kind}-{number}"
    told = ask(connection, "POST", path, json.dumps(body))
    if told is None:
        say(name=name, kind=kind, doubt=1)
    elif told[0] == 202:
        job = told[1]["job"] if single else told[1]["jobs"][0]["id"]
        say(name=name, kind=kind, job=job)
        unfinished.append(job)
    else:
        say(name=name, refused=told[1]["error"]["code"])
        time.sleep(AGAIN)


def sender(single):
    connection = Connection("localhost")
    while not stopped():
        if connection.sock is None and not is_there(connection):
            time.sleep(AGAIN)
            continue
        send(connection, single)


def next_job():
    """None if there is none: another watcher may have been faster."""
    try:
        return unfinished.popleft()
    except IndexError:
        return None


def watcher():
    """Asks for one job after the other whether it is over: what it is told is committed."""
    connection = Connection("localhost")
    while not stopped():
        job = next_job() if connection.sock is not None or is_there(connection) else None
        if job is None:
            time.sleep(AGAIN)
            continue
        told = ask(connection, "GET", f"/v1/jobs/{job}")
        if told is not None and told[0] == 200 and told[1]["state"] == "over":
            say(over=job, trace=os.path.getsize(TRACE))
        else:
            unfinished.append(job)


threads = [threading.Thread(target=sender, args=(single,)) for single in (True, True, False, False)]
threads += [threading.Thread(target=watcher) for _ in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
