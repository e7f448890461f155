"""full.py FOLDER TIMES: a daemon keeps its jobs on a small disk, which is full and has room again so many times while a client
sends jobs; none is lost, and nothing runs twice. Only for root."""
import os
import subprocess
import sys
import time

import daemon as daemons
import verdict

SIZE = "48m"
REFUSED = 30  # answers of the client that its jobs could not be written, each time


def refused(log):
    with open(log, encoding="utf-8") as file:
        return file.read().count('"store_failed"')


def fill(path):
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65536))
        except OSError:
            pass


def fill_and_free(daemon, log, ballast):
    before, begun = refused(log), os.path.getsize(log)
    daemons.wait_until(lambda: os.path.getsize(log) > begun + 4000, "the client is answered", daemon)
    fill(ballast)
    daemons.wait_until(lambda: refused(log) >= before + REFUSED, "jobs are refused", daemon, pause=0.02)
    os.unlink(ballast)
    daemons.wait_until(daemon.is_ready, "jobs are taken again", daemon, pause=0.02)


def run(folder, disk, times):
    log, trace, stop = (f"{folder}/{name}" for name in ("log", "trace", "stop"))
    for name in (log, trace):
        with open(name, "w", encoding="utf-8"):
            pass
    daemon = daemons.Daemon(folder, [f"[store]\npath = {disk}/sluice.db"])
    daemon.start()
    here = os.path.dirname(os.path.abspath(__file__))
    client = subprocess.Popen([sys.executable, f"{here}/client.py", daemon.socket, log, trace, stop])
    try:
        daemons.wait_until(daemon.is_ready, "the daemon is ready", daemon)
        for _ in range(times):
            fill_and_free(daemon, log, f"{disk}/ballast")
        with open(stop, "w", encoding="utf-8"):
            pass
        client.wait(daemons.DEADLINE)
        daemons.wait_until(lambda: daemon.get("/v1/status")[1]["jobs"]["unfinished"] == 0, "all jobs are over", daemon, 0.02)
        daemon.kill()
        daemon.wait()
        kills = [verdict.Kill(time.monotonic_ns() // 1000, os.path.getsize(trace), False)]
        daemon.start()  # what is on disk is what counts
        daemons.wait_until(daemon.is_ready, "the daemon is ready", daemon)
        return verdict.Verdict(daemon, log, trace, kills, 0).all()
    finally:
        client.kill()
        daemon.kill()
        daemon.wait()


def main():
    folder, times = sys.argv[1], int(sys.argv[2])
    disk = f"{folder}/disk"
    os.makedirs(disk, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", disk], check=True)
    try:
        errors = run(folder, disk, times)
    finally:
        subprocess.run(["umount", disk], check=True)
    for error in errors[:20]:
        print("error:", error)
    sys.exit(1 if errors else 0)


main()
