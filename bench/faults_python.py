#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""faults_python.py PEER FAULT PATIENCE FOLDER: what a pool of Python's does about one
fault, told as bench/faults.cpp tells it of brood's. FOLDER is an empty one.

Of each peer this is its best: single calls rather than one map, where the fault
allows it, so that nothing is lost by sharing a chunk; limits that it lacks are set by
what Python has (resource.setrlimit in an initializer, get's timeout)."""

import concurrent.futures
import ctypes
import multiprocessing
import os
import pathlib
import resource
import signal
import sys
import time

WORKERS = 2
DEADLINE = 1.0
MEMORY = 512 << 20
RESULT = "a result"
NOTHING = "nothing"


class Pool:
    """multiprocessing.Pool"""

    def __init__(self, initializer=None):
        self.pool = multiprocessing.Pool(WORKERS, initializer=initializer)

    def submit(self, function, *arguments, **_):
        return self.pool.apply_async(function, arguments)

    def map(self, function, items):
        return self.pool.map_async(function, items)

    @staticmethod
    def get(result, seconds):
        return result.get(timeout=seconds)


class Executor:
    """concurrent.futures.ProcessPoolExecutor, and what has its face."""

    def __init__(self, initializer=None):
        self.pool = concurrent.futures.ProcessPoolExecutor(WORKERS, initializer=initializer)

    def submit(self, function, *arguments, **_):
        return self.pool.submit(function, *arguments)

    def map(self, function, items):
        return self.pool.map(function, items, timeout=float(sys.argv[3]))

    @staticmethod
    def get(result, seconds):
        return result.result(timeout=seconds) if hasattr(result, "result") else list(result)


class Loky(Executor):
    """joblib's own executor"""

    def __init__(self, initializer=None):
        from joblib.externals import loky  # pylint: disable=import-outside-toplevel
        self.pool = loky.ProcessPoolExecutor(WORKERS, initializer=initializer)


class Pebble(Executor):
    """pebble.ProcessPool, which has deadlines"""

    def __init__(self, initializer=None):
        import pebble  # pylint: disable=import-outside-toplevel
        self.pool = pebble.ProcessPool(WORKERS, initializer=initializer)

    def submit(self, function, *arguments, deadline=None):
        return self.pool.schedule(function, args=arguments, timeout=deadline)

    def map(self, function, items):
        return self.pool.map(function, items, timeout=float(sys.argv[3]))


PEERS = {"multiprocessing.Pool": Pool, "ProcessPoolExecutor": Executor, "loky": Loky,
         "pebble": Pebble}


def square(number):
    time.sleep(0.05)
    return number * number


def own_pid():
    return os.getpid()


def meet(folder, mine, others):
    """Whether another worker came by while this one waited for it."""
    (pathlib.Path(folder) / mine).touch()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        if (pathlib.Path(folder) / others).exists():
            return True
        time.sleep(0.001)
    return False


def segfault():
    ctypes.string_at(0)


def leave():
    os._exit(3)


def kill_self():
    os.kill(os.getpid(), signal.SIGKILL)


def loop():
    while True:
        pass


def devour():
    hoard = []
    while True:
        hoard.append(bytearray(b"x" * (8 << 20)))


class Odd(Exception):
    """Has no constructor that pickle could call."""

    def __init__(self, first, second):
        super().__init__(f"{first} {second}")


def throw_odd():
    raise Odd("one", "two")


def give_odd():
    return lambda: 0


def fail_to_begin():
    raise RuntimeError("no model here")


def square_or_die(number):
    if number == 2:
        kill_self()
    return square(number)


def limit_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def tell(key, value):
    print(key, value, sep="\t", flush=True)


def tell_what(what, begin):
    tell("gets", what)
    tell("took", -1 if what == NOTHING else time.monotonic() - begin)


def outcome(peer, result, seconds):
    """The value, and in words what came: a result, an error's name, or nothing in that time."""
    begin = time.monotonic()
    try:
        return peer.get(result, seconds), RESULT
    except (multiprocessing.TimeoutError, concurrent.futures.TimeoutError, TimeoutError) as error:
        waited = time.monotonic() - begin >= 0.9 * seconds
        return None, NOTHING if waited else type(error).__name__
    except BaseException as error:  # pylint: disable=broad-except
        return None, type(error).__name__


def tell_after(peer, patience, folder):
    try:
        results = [peer.submit(meet, folder, "a", "b"), peer.submit(meet, folder, "b", "a")]
    except BaseException as error:  # pylint: disable=broad-except
        return tell("after", f"none ({type(error).__name__})")
    met = [outcome(peer, result, patience)[0] for result in results]
    return tell("after", "both" if all(met) else "one" if any(value is not None for value in met)
                else "none")


def one_of_six(peer, evil, patience, folder, deadline=None):
    """The third of six calls is the evil one; the others are told first."""
    begin = time.monotonic()
    calls = []
    try:
        for number in range(6):
            calls.append(peer.submit(evil, deadline=deadline) if number == 2
                         else peer.submit(square, number))
    except BaseException as error:  # pylint: disable=broad-except
        # It broke before all were submitted.
        tell_what(type(error).__name__, begin)
    if len(calls) > 2:
        limit = deadline if deadline and not isinstance(peer, Pebble) else patience
        what = outcome(peer, calls[2], limit)[1]
        if what == NOTHING and limit == deadline:
            what = "get's TimeoutError; its worker goes on"
        tell_what(what, begin)
    right = sum(outcome(peer, call, patience)[0] == number * number
                for number, call in enumerate(calls) if number != 2)
    tell("others", f"{right} of 5")
    tell_after(peer, patience, folder)


def idle(peer, patience, folder):
    pid = peer.get(peer.submit(own_pid), 10 * patience)
    time.sleep(0.2)
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.2)
    one_of_six(peer, own_pid, patience, folder)


def during_map(peer, patience, folder):
    begin = time.monotonic()
    values, what = outcome(peer, peer.map(square_or_die, range(6)), patience)
    if what == "TimeoutError":  # of the map itself, which begins to wait earlier
        what = NOTHING
    right = 0
    if isinstance(peer, Pebble) and values is not None:  # an iterator that goes on after an error
        for number in range(6):
            try:
                right += next(values) == number * number
            except BaseException as thrown:  # pylint: disable=broad-except
                what = type(thrown).__name__
    tell_what(what, begin)
    tell("others", f"{right} of 5")
    tell_after(peer, patience, folder)


def orphans(peer, folder):
    for name in ("a", "b"):
        peer.submit(meet_and_stay, folder, name)
    while len(list(pathlib.Path(folder).iterdir())) < WORKERS:
        time.sleep(0.001)
    tell("ready", os.getpid())
    signal.pause()


def meet_and_stay(folder, name):
    (pathlib.Path(folder) / name).touch()
    signal.pause()


CALLS = {"segfault": segfault, "_exit": leave, "SIGKILL busy": kill_self,
         "odd exception": throw_odd, "odd result": give_odd}


def warm(peer, patience):
    """A cold start is no fault."""
    for result in [peer.submit(square, number) for number in range(WORKERS)]:
        peer.get(result, 20 * patience)
    return peer


def run(peer_name, fault, patience, folder):
    make = PEERS[peer_name]
    if fault == "initializer":
        return one_of_six(make(fail_to_begin), own_pid, patience, folder)
    if fault == "memory bomb":
        return one_of_six(warm(make(limit_memory), patience), devour, patience, folder)
    peer = warm(make(), patience)
    if fault == "endless loop":
        return one_of_six(peer, loop, patience, folder, DEADLINE)
    if fault == "SIGKILL idle":
        return idle(peer, patience, folder)
    if fault == "SIGKILL in a map":
        return during_map(peer, patience, folder)
    if fault == "parent's SIGKILL":
        return orphans(peer, folder)
    return one_of_six(peer, CALLS[fault], patience, folder)


if __name__ == "__main__":
    run(sys.argv[1], sys.argv[2], float(sys.argv[3]), sys.argv[4])
    sys.stdout.flush()
    os._exit(0)  # a pool that hangs would hang here too, and that is no subject
