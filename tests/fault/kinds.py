"""kinds: what the client sends, and what has to become of it. A kind makes the tasks of a job from its number; `ends` says
for each task how it has to end, and how many attempts that takes. A task of for_each is found by its name before the '['."""

WELL = ("succeeded",)


def trace(**params):
    return {"type": "trace", "params": params}


def task(name, fields=None, **params):
    return {"id": name, **trace(**params), **(fields or {})}


def chain(number):
    return [task("a", says=f"said {number}"),
            task("b", {"needs": ["a"]}, got="${tasks.a.output.said}", want=f"said {number}"),
            task("c", {"needs": ["b"]})]


def retries(number):
    return [task("r", {"retry": {"attempts": 3, "delay": "10ms"}}, fail=2, says=f"r{number}"),
            task("s", {"needs": ["r"]}, got="${tasks.r.output.said}", want=f"r{number}")]


def dead(_):
    return [task("d", {"retry": {"attempts": 2, "delay": "5ms"}}, fail=99),
            task("n", {"needs": ["d"]}),
            task("f", {"needs": ["d"], "when": "failure"}),
            task("w", {"needs": ["n"], "when": "always"})]


def delayed(_):
    return [task("l", {"delay": "50ms"}), task("m", {"needs": ["l"], "delay": "20ms"})]


def unique(number):
    return [{"id": "u", **trace(**{"for": "2ms"}), "unique": f"key-{number % 5}"}]


def each(_):
    return [task("e", {"for_each": {"i": [1, 2, 3, 4, 5], "j": ["x", "y"]}}), task("z", {"needs": ["e"]})]


def wide(_):
    return [task(f"p{i}") for i in range(60)]


def slow(_):
    return [{"id": f"q{i}", **trace(**{"for": "40ms"})} for i in range(3)]


def late(_):
    return [task("t", lingers="60ms")]


MAKE = {kind.__name__: kind for kind in (chain, retries, dead, delayed, unique, each, wide, slow, late)}

# Of a kind, a task's name: the states that it may end in, and its attempts.
ENDS = {
    "one": {"o": (WELL, 1)},
    "chain": {"a": (WELL, 1), "b": (WELL, 1), "c": (WELL, 1)},
    "retries": {"r": (WELL, 3), "s": (WELL, 1)},
    "dead": {"d": (("failed",), 2), "n": (("skipped",), 0), "f": (WELL, 1), "w": (WELL, 1)},
    "delayed": {"l": (WELL, 1), "m": (WELL, 1)},
    "unique": {"u": (("succeeded", "skipped"), 1)},
    "each": {"e": (WELL, 1), "z": (WELL, 1)},
    "wide": {f"p{i}": (WELL, 1) for i in range(60)},
    "late": {"t": (WELL, 1)},
    "slow": {f"q{i}": (WELL, 1) for i in range(3)},
}

COUNTS = {"each": 11}

# Who needs whom, for tasks that run.
NEEDS = {("chain", "b"): "a", ("chain", "c"): "b", ("retries", "s"): "r", ("dead", "f"): "d", ("delayed", "m"): "l",
         ("each", "z"): "e"}


def tasks_count(kind):
    return COUNTS.get(kind, len(ENDS[kind]))


def short(name):
    return name.split("[")[0]
