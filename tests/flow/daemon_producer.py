"""daemon_producer.py SOCKET FIRST STEP ENOUGH: sends jobs of 100 tasks `tally` with the numbers FIRST, FIRST + 1, ... over one
connection until the file ENOUGH is there or STEP numbers are used up. Who is told that there is no room comes again.
Prints how many tasks were taken and how often there was no room."""
import http.client
import json
import os
import socket
import sys
import time


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])


def send(connection, first):
    """Returns whether the job was taken."""
    tasks = [{"type": "tally", "params": {"n": n}} for n in range(first, first + 100)]
    body = json.dumps({"version": 1, "name": "load", "tasks": tasks})
    connection.request("POST", "/v1/jobs", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    told = json.load(answer)
    if answer.status == 202 and told["jobs"][0]["tasks"] == 100:
        return True
    if answer.status == 429 and answer.headers["Retry-After"] == "1" and told["error"]["code"] == "pending_full":
        return False
    sys.exit(f"{answer.status} {told}")


def main():
    first, step, enough = int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    connection = Connection("localhost", timeout=60)
    taken = refused = 0
    while taken < step and not os.path.exists(enough):
        if send(connection, first + taken):
            taken += 100
        else:
            refused += 1
            time.sleep(0.005)  # a polite client; nothing is waited for
    print(taken, refused)


main()
