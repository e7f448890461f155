"""crash.py ROUNDS kill|stop [SEED]: a daemon is killed again and again while a client sends jobs to it; then it is left to finish, and
verdict.py looks whether all that was acknowledged has ended once, and what ran twice. Started by run.sh.

The moments (in turn, each with something random): at any time; while a commit is written (sluice.db-wal changes); while a
checkpoint is (sluice.db changes); a few milliseconds after the start, when the daemon recovers; and while it stops on SIGTERM.
With `stop` it is stopped by SIGTERM instead, at any time, and ends by itself: then nothing that has ended may run again."""
import collections
import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

import daemon as daemons
import verdict

SOME = 40           # lines that the client logs in each life before the daemon is aimed at
RECOVERY_MS = 60    # a daemon that is killed while it starts is so old at most
CHECKPOINT_MOST = 1.5  # seconds: then a commit will do


def changed(path):
    """When a file was changed last."""
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0


class Probe(threading.Thread):
    """Knows the longest time that it took to write and sync a page, every few milliseconds, on the disk of the daemon."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.file = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
        self.longest_us = 0
        self.over = threading.Event()
        self.start()

    def run(self):
        while not self.over.wait(0.01):
            began = time.monotonic_ns()
            os.pwrite(self.file, bytes(4096), 0)
            os.fdatasync(self.file)
            self.longest_us = max(self.longest_us, (time.monotonic_ns() - began) // 1000)

    def end(self):
        self.over.set()
        self.join()
        return self.longest_us


class Crash:
    def __init__(self, folder, seed):
        self.random = random.Random(seed)
        self.daemon = daemons.Daemon(folder)
        self.log, self.stop, self.trace = f"{folder}/log", f"{folder}/stop", f"{folder}/trace"
        self.kills = []  # see verdict.Kill
        self.figures = collections.Counter()

    # ---- the moments ----

    def serves(self):
        """The daemon is ready and has answered the client."""
        daemons.wait_until(self.daemon.is_ready, "the daemon is ready", self.daemon)
        enough = os.path.getsize(self.log) + SOME * 60
        daemons.wait_until(lambda: os.path.getsize(self.log) >= enough, "the client is answered", self.daemon)

    def any_time(self):
        self.serves()
        time.sleep(self.random.uniform(0, 0.4))  # the moment itself: nothing is waited for
        return "any time"

    def watch(self, path, seconds):
        """Returns whether a file changed in that time, at once when it does."""
        before, end = changed(path), time.monotonic() + seconds
        while changed(path) == before:
            if time.monotonic() > end:
                return False
        return True

    def commit(self):
        self.serves()
        time.sleep(self.random.uniform(0, 0.2))
        self.watch(self.daemon.db + "-wal", 5)
        time.sleep(self.random.choice((0, 0, 0.0005, 0.002)))
        return "commit"

    def checkpoint(self):
        self.serves()
        return "checkpoint" if self.watch(self.daemon.db, CHECKPOINT_MOST) else self.commit()

    def recovery(self):
        time.sleep(self.random.uniform(0, RECOVERY_MS / 1000) * daemons.SLOWER)
        return "recovery"

    def stopping(self):
        self.serves()
        self.daemon.kill(signal.SIGTERM)
        if self.random.random() < 0.5:
            self.watch(self.daemon.db, 0.5)  # its last checkpoint
            return "last checkpoint"
        time.sleep(self.random.uniform(0, 0.05))
        return "stopping"

    def stop_at_any_time(self):
        self.any_time()
        self.daemon.kill(signal.SIGTERM)
        self.daemon.wait()
        return "stop"

    # ---- a run ----

    def life(self, moment):
        self.daemon.start()
        self.figures[moment()] += 1
        at_us = time.monotonic_ns() // 1000  # its threads stop now; one that syncs a file is waited for
        self.daemon.kill()
        code = self.daemon.wait()
        self.kills.append(verdict.Kill(at_us, os.path.getsize(self.trace), code > 0))
        if code not in (-signal.SIGKILL, 128 + signal.SIGTERM):
            raise AssertionError(f"the daemon ended by itself: {code}")

    def drain(self):
        """Returns how many seconds it took until nothing was left to do."""
        began = time.monotonic()
        self.daemon.start()
        daemons.wait_until(self.daemon.is_ready, "the daemon is ready", self.daemon)
        daemons.wait_until(lambda: self.daemon.get("/v1/status")[1]["jobs"]["unfinished"] == 0, "all jobs are over",
                           self.daemon, pause=0.02)
        return time.monotonic() - began

    def run(self, rounds, how):
        kills = (self.any_time, self.commit, self.recovery, self.checkpoint, self.stopping, self.commit)
        moments = itertools.cycle(kills if how == "kill" else (self.stop_at_any_time,))
        here = os.path.dirname(os.path.abspath(__file__))
        for name in (self.log, self.trace):
            with open(name, "w", encoding="utf-8"):
                pass
        probe = Probe(f"{self.daemon.folder}/probe")
        others = ["late"] if how == "stop" else []
        client = subprocess.Popen([sys.executable, f"{here}/client.py", self.daemon.socket, self.log, self.trace, self.stop,
                                   *others])
        try:
            for _ in range(rounds):
                self.life(next(moments))
        finally:
            with open(self.stop, "w", encoding="utf-8"):
                pass
            client.wait(daemons.DEADLINE * daemons.SLOWER)
        seconds = self.drain()
        print("kills:", ", ".join(f"{count} {moment}" for moment, count in self.figures.items()))
        print(f"drained in {seconds:.1f} s")
        return verdict.Verdict(self.daemon, self.log, self.trace, self.kills, probe.end()).all()


def main():
    rounds, how = int(sys.argv[1]), sys.argv[2]
    seed = sys.argv[3] if len(sys.argv) > 3 else str(random.randrange(10**6))
    kept = os.environ.get("FAULT_FOLDER")
    with tempfile.TemporaryDirectory(prefix="fault-") as folder:
        crash = Crash(kept or folder, seed)
        try:
            errors = crash.run(rounds, how)
        except AssertionError as error:
            errors = [str(error)]
        finally:
            crash.daemon.kill()
        said = crash.daemon.said()
        for error in errors[:20]:
            print("error:", error)
        if errors:
            print(f"{len(errors)} errors; seed {seed}; the daemon said at last:\n{said[-4000:]}")
        return 1 if errors else 0


sys.exit(main())
