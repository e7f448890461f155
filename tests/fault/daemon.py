"""daemon: `sluice serve` on one state folder, started again and again, and what can be asked of it."""
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time

DEADLINE = 60  # seconds, of everything that is waited for
SLOWER = 4 if os.environ.get("SANITIZE") else 1

SETTINGS = """[host]
workers = 4
max_pending = 3000
grace = 20ms
[log]
level = warning
[plugin:trace]
file = {folder}/trace
"""


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=DEADLINE)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(DEADLINE)
        self.sock.connect(self.path)


class Daemon:
    """The folder has everything: plugins, state, the socket, the trace, what was said (err)."""

    def __init__(self, folder, settings=()):
        self.folder = folder
        self.socket = f"{folder}/sluice/sluice.sock"
        self.db = f"{folder}/state/sluice/sluice.db"
        self.process = None
        self.connection = None
        self.hosts = []
        os.makedirs(f"{folder}/plugins")
        os.makedirs(f"{folder}/state")
        shutil.copy(os.environ["TEST_PLUGINS"] + "/trace.so", f"{folder}/plugins/")
        with open(f"{folder}/sluice.ini", "w", encoding="utf-8") as file:
            file.write("\n".join([SETTINGS.format(folder=folder), *settings, ""]))
        # A daemon that is stopped while a call does not end in its 20 ms leaves by _exit, with threads that nobody joined.
        sanitizer = os.environ.get("TSAN_OPTIONS", "") + ":report_thread_leaks=0"
        self.environment = {**os.environ, "TSAN_OPTIONS": sanitizer, "HOME": folder, "XDG_STATE_HOME": f"{folder}/state",
                            "XDG_RUNTIME_DIR": folder, "SLUICE_CONFIG": f"{folder}/sluice.ini"}

    def start(self):
        with open(f"{self.folder}/err", "ab") as err:
            self.process = subprocess.Popen([os.environ["SLUICE"], "serve", "--plugins", f"{self.folder}/plugins"],
                                            env=self.environment, stdin=subprocess.DEVNULL, stdout=err, stderr=err)
        self.connection = Connection(self.socket)

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self, number=signal.SIGKILL):
        """The monitor gets the signal; SIGKILL is the host's end too, a moment later."""
        if self.alive():
            self.hosts = children(self.process.pid)
            self.process.send_signal(number)

    def wait(self):
        """Waits until it is gone, all of it. Returns how it ended: an exit code, or minus a signal."""
        code = self.process.wait(DEADLINE * SLOWER)
        for host in self.hosts:
            wait_until(lambda host=host: is_gone(host), f"the host {host} is gone", pause=0.0002)
        return code

    def get(self, path):
        self.connection.request("GET", path)
        answer = self.connection.getresponse()
        body = answer.read()
        return answer.status, json.loads(body) if body.startswith(b"{") else body

    def post(self, path, body):
        self.connection.request("POST", path, json.dumps(body))
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def is_ready(self):
        try:
            return self.get("/readyz")[0] == 200
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return False

    def said(self):
        with open(f"{self.folder}/err", "r", encoding="utf-8", errors="replace") as err:
            return err.read()

    def pages(self, path, key):
        """Visits all that a list has."""
        after = ""
        while after is not None:
            status, answer = self.get(f"{path}{'&' if '?' in path else '?'}limit=1000{after}")
            assert status == 200, (path, status, answer)
            yield from answer[key]
            after = None if answer["next"] is None else f"&after={answer['next']}"


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
        return file.read().split()


def is_gone(pid):
    """Whether no thread of a process is left but perhaps the first, which has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            state = file.read().rsplit(")", 1)[1].split()[0]
        return state in "ZX" and len(os.listdir(f"/proc/{pid}/task")) <= 1
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until(condition, what, daemon=None, pause=0.002):
    """Looks again and again until it holds."""
    end = time.monotonic() + DEADLINE * SLOWER
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"never happened: {what}")
        if daemon is not None and not daemon.alive():
            raise AssertionError(f"the daemon is gone ({daemon.process.returncode}), waiting until {what}")
        time.sleep(pause)
