"""A service manager for tests: starts a program as systemd does a service with Type=notify, and writes down what it hears.

manager.py HEARD [listen=PATH] COMMAND...: each datagram is one line of the file HEARD, its assignments divided by
spaces, with the milliseconds since the one before in front. listen: a socket there is opened and passed on. SIGTERM and
SIGHUP are handed on; ends as the program does, whose process id is in the file `started`.
"""
import os
import select
import signal
import socket
import sys
import time

heard = open(sys.argv[1], "w", buffering=1)
arguments = sys.argv[2:]
listener = None
if arguments[0].startswith("listen="):
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(arguments.pop(0).removeprefix("listen="))
    listener.listen(16)

manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
manager.bind("notify")
child = os.fork()
if child == 0:
    os.environ["NOTIFY_SOCKET"] = os.path.abspath("notify")
    if "WATCHDOG_USEC" in os.environ:
        os.environ["WATCHDOG_PID"] = str(os.getpid())
    if listener is not None:
        os.environ["LISTEN_PID"] = str(os.getpid())
        os.environ["LISTEN_FDS"] = "1"
        os.dup2(listener.fileno(), 3)
    os.execv(arguments[0], arguments)

with open("started", "w") as started:
    print(child, file=started)
for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, lambda number, frame: os.kill(child, number))
last = time.monotonic()
status = None
while status is None or select.select([manager], [], [], 0)[0]:
    if status is None and not select.select([manager], [], [], 0.02)[0]:
        ended, code = os.waitpid(child, os.WNOHANG)
        status = os.waitstatus_to_exitcode(code) if ended else None
        continue
    text = manager.recv(4096).decode().replace("\n", " ").strip()
    now = time.monotonic()
    print(round(1000 * (now - last)), text, file=heard)
    last = now
sys.exit(status)
