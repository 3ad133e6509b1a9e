#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Runs the same faults against brood's Pool and against Python's pools, each in a program
of its own that is ended after a while, and prints what the caller gets.

faults.py PROGRAM [--pools NAME,..] [--faults NAME,..] [--patience SECONDS] [--rounds N]
    [--output FILE]

PROGRAM is bench/faults.cpp's. Fails where brood does not survive."""

import argparse
import contextlib
import datetime
import math
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

FAULTS = {
    "segfault": "a task writes to address 0",
    "_exit": "a task calls `_exit(3)`",
    "SIGKILL busy": "the worker is killed while it runs a task",
    "SIGKILL idle": "a worker is killed before the six are submitted",
    "SIGKILL in a map": "the worker is killed at an item of one map of six",
    "endless loop": "a task never ends, and may take 1 s",
    "memory bomb": "a task allocates without end, and may have 512 MiB",
    "odd exception": "what a task throws can't be made again by the caller",
    "odd result": "what a task returns can't be encoded",
    "initializer": "the workers' initializer fails",
    "parent's SIGKILL": "the program itself is killed while two tasks run",
}
# Pools of Python, and what they need beyond the standard library.
PYTHONS = {"multiprocessing.Pool": None, "ProcessPoolExecutor": None, "loky": "joblib",
           "pebble": "pebble"}
HEAD = ["fault", "pool", "the caller gets", "after", "other results", "workers then", "survives"]
HERE = pathlib.Path(__file__).resolve().parent


def session_of(pid):
    """Its session and whether it is alive; None when it is gone."""
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, _, _, session = stat.rpartition(")")[2].split()[:4]
    return int(session) if state not in "ZX" else None


def members(session):
    return [int(entry.name) for entry in pathlib.Path("/proc").iterdir()
            if entry.name.isdigit() and session_of(entry.name) == session]


def sweep(session):
    while left := members(session):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


def read(lines):
    told = dict(line.rstrip("\n").split("\t", 1) for line in lines if "\t" in line)
    took = float(told.get("took", -1))
    return {"gets": told.get("gets", "nothing"), "took": took,
            "others": told.get("others", "0 of 5"), "after": told.get("after", "none")}


def try_call(program, patience):
    """What a program of the first ten faults tells."""
    hangs = False
    try:
        program.wait(timeout=30 * patience)
    except subprocess.TimeoutExpired:
        hangs = True
    sweep(program.pid)  # what it left behind would keep the pipe open
    output, _ = program.communicate()
    if "\t" not in output and not hangs:
        raise RuntimeError(f"it told nothing: {program.args}")
    return read(output.splitlines())


def try_parent(program, patience):
    """Kills it once it is ready, and counts who is left."""
    for line in program.stdout:
        if line.startswith("ready"):
            break
    else:
        raise RuntimeError(f"it told nothing: {program.args}")
    before = len(members(program.pid)) - 1
    begin = time.monotonic()
    program.kill()
    program.wait()
    while (left := len(members(program.pid))) and time.monotonic() - begin < patience:
        time.sleep(0.005)
    return {"gets": f"{left} of {before} processes are left", "others": "", "after": "",
            "took": time.monotonic() - begin if left == 0 else -1}


def survives(fault, told):
    if fault == "parent's SIGKILL":
        return told["gets"].startswith("0 ")
    if fault == "initializer":
        return told["took"] >= 0
    return told["took"] >= 0 and told["others"] == "5 of 5" and told["after"] == "both"


def trial(command, fault, patience):
    with tempfile.TemporaryDirectory() as folder:
        with subprocess.Popen([*command, fault, str(patience), folder], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, text=True,
                              start_new_session=True) as program:
            try:
                act = try_parent if fault == "parent's SIGKILL" else try_call
                return act(program, patience)
            finally:
                sweep(program.pid)


def badness(after):
    """Of what a trial tells of its workers."""
    return ["", "both", "one"].index(after) if not after.startswith("none") else 3


def row_of(fault, pool, trials, patience):
    """Of several trials each thing that the caller got, and the worst of all else."""
    slowest = max(told["took"] if told["took"] >= 0 else math.inf for told in trials)
    good = sum(survives(fault, told) for told in trials)
    return [fault, pool, " or ".join(sorted({told["gets"] for told in trials})),
            f"{slowest:.2f} s" if slowest < math.inf else f"> {patience:g} s",
            min(told["others"] for told in trials), max((told["after"] for told in trials), key=badness),
            "yes" if good == len(trials) else f"{good} of {len(trials)}" if good else "no"]


def table(rows):
    rows = [HEAD, *rows]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["| " + " | ".join(map(str.ljust, row, widths)) + " |" for row in rows]
    return "\n".join([lines[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|",
                      *lines[1:]])


def pythons(wanted):
    """Pairs of a pool and its command, and why the others are absent."""
    python = shutil.which("python3")
    there, absent = {}, []
    for pool in wanted:
        module = PYTHONS[pool]
        if python is None:
            absent.append((pool, "there is no python3"))
        elif module and subprocess.run([python, "-c", f"import {module}"], check=False,
                                       stderr=subprocess.DEVNULL).returncode != 0:
            absent.append((pool, f"python3 has no module {module} (Debian's python3-{module})"))
        else:
            there[pool] = [python, HERE / "faults_python.py", pool]
    version = subprocess.run([python, "--version"], capture_output=True, text=True,
                             check=True).stdout.strip() if python else ""
    return there, absent, version


def introduction(version, patience, rounds):
    meanings = "\n".join(f"- **{fault}**: {meaning}" for fault, meaning in FAULTS.items())
    return f"""# Faults

    ./bench.sh faults

{datetime.date.today()}, {version or 'no Python'}. Each pool has two workers and gets six tasks, of which the third is the
fault and the others take 50 ms. The caller asks for the bad one's result, then for the others', and then
whether two new tasks meet each other, each in a worker of its own. *Nothing*: what was asked for did not come within
{patience:g} s; a pool's start is not counted. A pool survives that tells the caller, gives all other results and has both workers then. Each was tried {rounds}
times: of *after*, *other results* and *workers then* the worst is shown.

{meanings}

Limits that a pool lacks are set by what Python has: `setrlimit` in an initializer, and `get`'s own timeout."""


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("--pools", default=",".join(["brood", *PYTHONS]))
    parser.add_argument("--faults", default="", help="the default is all")
    parser.add_argument("--patience", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--output", type=pathlib.Path)
    chosen = parser.parse_args()
    faults = chosen.faults.split(",") if chosen.faults else list(FAULTS)
    wanted = chosen.pools.split(",")
    there, absent, version = pythons([pool for pool in wanted if pool != "brood"])
    commands = ({"brood": [chosen.program]} if "brood" in wanted else {}) | there

    rows = []
    for fault in faults:
        for pool, command in commands.items():
            trials = [trial(command, fault, chosen.patience) for _ in range(chosen.rounds)]
            rows.append(row_of(fault, pool, trials, chosen.patience))
            print("\t".join(rows[-1]), file=sys.stderr, flush=True)
    sums = [f"{pool} survives {sum(row[-1] == 'yes' for row in rows if row[1] == pool)} of "
            f"{len(faults)}" for pool in commands]
    parts = [introduction(version, chosen.patience, chosen.rounds), table(rows), "; ".join(sums) + "."]
    parts += [f"Not compared with {pool}: {why}." for pool, why in absent]
    text = "\n\n".join(parts) + "\n"
    print(text)
    if chosen.output:
        chosen.output.write_text(text, encoding="utf-8")
    return 1 if any(row[1] == "brood" and row[-1] != "yes" for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
