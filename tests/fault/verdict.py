"""verdict: what has become of all that was acknowledged, and what ran more than once.

What may run again. An attempt is run again by the next daemon if the kill came while it was in hand (it has begun and not
ended in the trace), or if it had ended and that was not committed yet: [store] commit_interval is 10 ms, for which an end may
wait for company, and what ended while a transaction was being written and synced goes with the next one. So it may have ended
that interval and two commits before the kill, but no longer. How long a commit takes here is known from a probe, which wrote and synced a file all the while.
If it ended by itself, on SIGTERM, all that had ended is committed: then only what it cancelled runs again.
Each attempt that ran twice is held against this, and their number against that of all attempts that were so at the kills.
What a stop has cancelled is written down as interrupted, each time. The trace alone does not tell: a call that is cancelled
behind the line of its end and before its return was interrupted as well."""
import bisect
import collections
import json
import urllib.parse

import daemon as daemons
import kinds

COMMIT_US = 10 * 1000                    # [store] commit_interval
STOPPED = "the host stopped"             # message of an attempt that was interrupted by a stop
THREADS_US = 20 * 1000 * daemons.SLOWER  # until every thread on the way has had its turn

Kill = collections.namedtuple("Kill", "us bytes graceful")  # when, how long the trace was, and whether it ended by itself
Line = collections.namedtuple("Line", "at job task attempt us how life")


class Verdict:
    def __init__(self, daemon, log, trace, kills, sync_us):
        self.daemon = daemon
        self.kills = kills
        self.window_us = COMMIT_US + 2 * sync_us + THREADS_US
        self.errors = []
        self.acked, self.doubt, self.refused, self.told = {}, {}, {}, {}
        self.kind = {}  # of a job
        self.stops = {}  # of a task that was asked for: attempts that a stop has interrupted, each time
        self.read_log(log)
        self.lines = [line for line in self.read_trace(trace) if line is not None]

    def wrong(self, text):
        self.errors.append(text)

    # ---- what was written down ----

    def read_log(self, log):
        with open(log, encoding="utf-8") as file:
            for line in map(json.loads, file):
                if "over" in line:
                    self.told.setdefault(line["over"], line["trace"])
                elif "job" in line:
                    self.acked[line["job"]] = line["name"]
                    self.kind[line["job"]] = line["kind"]
                else:
                    (self.doubt if "doubt" in line else self.refused)[line["name"]] = line

    def read_trace(self, trace):
        """A line's place tells in which life of the daemon it was written."""
        ends, at = [kill.bytes for kill in self.kills], 0
        with open(trace, encoding="utf-8") as file:
            for text in file:
                words = text.split()
                yield Line(at, words[1], words[2], int(words[3]), int(words[4]),
                           words[5] if words[0] == "E" else None, bisect.bisect_right(ends, at))
                at += len(text)

    # ---- the jobs ----

    def look_at_jobs(self):
        """Each is known, and over, and of the right name; and no others are there but those in doubt."""
        self.jobs = {}
        for job in self.daemon.pages("/v1/jobs", "jobs"):
            if job["id"] in self.jobs:
                self.wrong(f"job {job['id']} is listed twice")
            self.jobs[job["id"]] = job
        names = collections.Counter(job["name"] for job in self.jobs.values())
        for job, name in self.acked.items():
            if job not in self.jobs:
                self.wrong(f"{name}: {job} was acknowledged and is lost")
        for name, line in self.doubt.items():
            self.kind.update({job["id"]: line["kind"] for job in self.jobs.values() if job["name"] == name}
                             if names.get(name) else {})
        for job in self.jobs.values():
            self.look_at_job(job, names)

    def look_at_job(self, job, names):
        if job["state"] != "over" or job["unfinished"] != 0:
            self.wrong(f"job {job['name']} {job['id']} is not over")
        is_one = self.acked.get(job["id"], "one-").startswith("one-")
        if not is_one and names[job["name"]] != 1:
            self.wrong(f"job {job['name']} is there {names[job['name']]} times")
        if job["name"] in self.refused:
            self.wrong(f"job {job['name']} was refused and is there")
        if job["id"] not in self.acked:
            self.kind.setdefault(job["id"], "one")
            if job["name"] not in self.doubt and job["tasks"] != 1:
                self.wrong(f"job {job['name']} {job['id']} was never sent")

    def look_at_unacknowledged(self):
        """No more single tasks are there that nobody was told of than were in doubt."""
        extra = [job for job in self.jobs if job not in self.acked]
        if len(extra) > len(self.doubt):
            self.wrong(f"{len(extra)} jobs are there that were not acknowledged, {len(self.doubt)} were in doubt")
        self.extra = len(extra)

    # ---- their tasks ----

    def look_at_tasks(self):
        for job in self.jobs.values():
            kind = self.kind[job["id"]]
            if kind == "one":
                if job["succeeded"] != 1 or job["tasks"] != 1:
                    self.wrong(f"job {job['id']} of one task: {job}")
            else:
                self.look_at_tasks_of(job, kind)

    def look_at_tasks_of(self, job, kind):
        tasks = list(self.daemon.pages(f"/v1/jobs/{job['id']}/tasks", "tasks"))
        if len(tasks) != kinds.tasks_count(kind) or len({task["task"] for task in tasks}) != len(tasks):
            self.wrong(f"job {job['name']} {job['id']} has {len(tasks)} tasks")
        for task in tasks:
            states, _ = kinds.ENDS[kind][kinds.short(task["id"])]
            if task["state"] not in states:
                self.wrong(f"{kind} {task['task']} has ended as {task['state']}: {task['reason']} {task['message']}")
            if task["state"] == "skipped" and kind == "unique" and (job["id"], "u") in self.ended_well:
                self.skipped_after.append(task["task"])

    # ---- the trace ----

    def look_at_attempts(self):
        """Each number of an attempt that had to be is there, and no other; and it ended as it had to."""
        seen = collections.defaultdict(set)
        for line in self.lines:
            if line.how == "wrong":
                self.wrong(f"{line.job}:{line.task} was given a wrong output")
            if line.how in ("ok", "failed"):
                seen[line.job, line.task].add(line.attempt)
            if line.job not in self.jobs:
                self.wrong(f"{line.job}:{line.task} ran and its job is not known")
        for job in self.jobs:
            kind = self.kind[job]
            for name, (states, attempts) in kinds.ENDS[kind].items():
                if kind not in ("each", "unique") and seen[job, name] != set(range(1, attempts + 1)):
                    self.wrong(f"{kind} {job}:{name} has the attempts {sorted(seen[job, name])}, not {attempts}")

    def look_at_needs(self):
        """Nothing began before what it needs had ended for good, at least once."""
        ended = collections.Counter()
        for line in self.lines:
            kind = self.kind.get(line.job)
            states, attempts = kinds.ENDS[kind][kinds.short(line.task)] if kind else (None, 0)
            if line.how in ("ok", "failed") and line.attempt == attempts:
                ended[line.job, kinds.short(line.task)] += 1
            needed = kinds.NEEDS.get((kind, line.task))
            if line.how is None and needed and ended[line.job, needed] < (10 if kind == "each" else 1):
                self.wrong(f"{kind} {line.job}:{line.task} began before {needed} had ended")

    def runs(self):
        """Each time that an attempt ran: when it began, and ended, if it did; in order."""
        found, open_runs = [], {}
        for line in self.lines:
            key = line.job, line.task, line.attempt
            if line.how is None:
                open_runs[key] = [line, None]
                found.append(open_runs[key])
            elif key in open_runs:
                open_runs.pop(key)[1] = line
        return found

    def was_open(self, run):
        """Whether a run was in hand or perhaps not committed at the kill that ended its life."""
        begun, ended = run
        kill = self.kills[begun.life]
        if ended is None or ended.how == "cancelled":
            return True
        return not kill.graceful and kill.us - ended.us <= self.window_us

    def stopped(self, attempts):
        """Those that a stop has interrupted, by the numbers that a plugin sees: only what was charged counts."""
        number = 1
        for one in attempts:
            if one["message"] == STOPPED:
                yield number
            number += one["charged"]

    def was_interrupted(self, begun):
        """Whether it is written down that a stop interrupted an attempt, once more than was asked so far."""
        task = f"{begun.job}:{begun.task}"
        if task not in self.stops:
            status, told = self.daemon.get(f"/v1/tasks/{urllib.parse.quote(task)}")
            assert status == 200, (task, status, told)
            self.stops[task] = list(self.stopped(told["attempts"]))
        was = begun.attempt in self.stops[task]
        if was:
            self.stops[task].remove(begun.attempt)
        return was

    def look_at_repeats(self):
        before, self.repeats, self.oldest_us, self.late = {}, 0, 0, 0
        runs = self.runs()
        for run in runs:
            begun = run[0]
            key = begun.job, begun.task, begun.attempt
            if key in before:
                self.look_at_repeat(before[key], begun)
            before[key] = run
        self.bound = self.late + sum(self.was_open(run) for run in runs if run[0].life < len(self.kills))
        if self.repeats > self.bound:
            self.wrong(f"{self.repeats} attempts ran again, {self.bound} may have")

    def look_at_repeat(self, run, again):
        begun, ended = run
        self.repeats += 1
        name = f"attempt {begun.attempt} of {begun.job}:{begun.task}"
        if begun.life == again.life:
            self.wrong(f"{name} ran twice in life {begun.life}")
            return
        kill, was_open = self.kills[begun.life], self.was_open(run)
        if kill.graceful or not was_open:
            self.look_at_stop(run, f"{name} ran again in life {again.life}")
        elif ended is not None and ended.how != "cancelled":
            self.oldest_us = max(self.oldest_us, kill.us - ended.us)

    def look_at_stop(self, run, what):
        """A run is repeated that only a stop can have interrupted: one that it ended by, or was killed in the middle of."""
        begun, ended = run
        if self.was_interrupted(begun):
            self.late += not self.was_open(run)
        elif ended is None:
            self.wrong(f"{what}, and was in hand at the stop {begun.life}, which has not interrupted it")
        else:
            age = (self.kills[begun.life].us - ended.us) // 1000
            self.wrong(f"{what}, had ended ({ended.how}) {age} ms before the end of life {begun.life}, and was not interrupted")

    def look_at_told(self):
        """What the daemon has told to be over did not go on."""
        for line in self.lines:
            if line.how is None and line.at >= self.told.get(line.job, line.at + 1):
                self.wrong(f"{line.job}:{line.task} began after its job was told to be over")

    def look_at_unique(self):
        """Of the tasks with one key, none began while another had it: from its beginning to its end in one life."""
        holder = {}
        for line in self.lines:
            if self.kind.get(line.job) != "unique":
                continue
            key = self.key_of(line.job)
            held = holder.get(key)
            if line.how is None and held is not None and held.life == line.life and held.job != line.job:
                self.wrong(f"{line.job} began while {held.job} had the key {key}")
            holder[key] = line if line.how is None else None

    def look_at_keys(self):
        """All tasks have ended: nobody holds a key any more."""
        for number in range(5):
            status, answer = self.daemon.post("/v1/tasks", kinds.unique(number)[0])
            assert status == 202, answer
            task = answer["task"]
            daemons.wait_until(lambda: self.daemon.get(f"/v1/jobs/{answer['job']}")[1]["state"] == "over", f"{task} has ended")
            told = self.daemon.get(f"/v1/tasks/{task}")[1]
            if told["state"] != "succeeded":
                self.wrong(f"key-{number} is held by nobody that is there: {told['message']}")

    def key_of(self, job):
        name = self.acked.get(job) or self.jobs[job]["name"]
        return int(name.rsplit("-", 1)[1]) % 5

    def all(self):
        self.skipped_after = []
        self.ended_well = {(line.job, line.task) for line in self.lines if line.how == "ok"}
        self.look_at_jobs()
        self.look_at_unacknowledged()
        self.look_at_tasks()
        self.look_at_attempts()
        self.look_at_needs()
        self.look_at_repeats()
        self.look_at_told()
        self.look_at_unique()
        self.look_at_keys()
        self.say()
        return self.errors

    def say(self):
        tasks = sum(job["tasks"] for job in self.jobs.values())
        print(f"jobs: {len(self.acked)} acknowledged, {len(self.doubt)} in doubt of which {self.extra} were taken, "
              f"{len(self.refused)} refused; {tasks} tasks; {len(self.told)} jobs told to be over in between")
        print(f"attempts: {sum(line.how is None for line in self.lines)}, of which {self.repeats} ran again "
              f"(at most {self.bound} may have, {self.late} were cancelled behind their end); the longest that had ended and was not committed: "
              f"{self.oldest_us / 1000:.1f} ms (of {self.window_us / 1000:.0f} ms)")
        print(f"unique: {len(self.skipped_after)} ran, were not committed, and were skipped later")
