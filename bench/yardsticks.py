#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""yardsticks.py WHAT NUMBERS...: measures CPython's multiprocessing once and
prints one number.

    apply CALLS                  seconds a call, one worker
    apply_async CALLS            calls a second, two workers, each result fetched
    map ITEMS WORKERS            seconds, x * x over a list
    argument BYTES               seconds, one call with so long an argument
    result BYTES                 seconds, one call with so long a result
    birth METHOD HEAP_BYTES      seconds to a pool of one and its first result
    fresh CALLS                  seconds a call, one worker, a new one for each
    own_apply CALLS              CPU seconds of the program alone, a call
    own_apply_async CALLS        the same, two workers, each result fetched
"""

import multiprocessing
import resource
import sys
import time


def nothing():
    pass


def square(x):
    return x * x


def of_length(size):
    return bytes(size)


def seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def apply(calls):
    with multiprocessing.Pool(1) as pool:
        pool.apply(nothing)
        return seconds(lambda: [pool.apply(nothing) for _ in range(calls)]) / calls


def submit_and_get(pool, calls):
    results = [pool.apply_async(nothing) for _ in range(calls)]
    for result in results:
        result.get()


def apply_async(calls):
    with multiprocessing.Pool(2) as pool:
        pool.apply(nothing)
        return calls / seconds(lambda: submit_and_get(pool, calls))


def map_numbers(items, workers):
    numbers = list(range(items))
    with multiprocessing.Pool(workers) as pool:
        pool.map(square, numbers[:100])
        return seconds(lambda: pool.map(square, numbers))


def argument(size):
    data = bytes(size)
    with multiprocessing.Pool(1) as pool:
        pool.apply(len, (b"",))
        return seconds(lambda: pool.apply(len, (data,)))


def result(size):
    with multiprocessing.Pool(1) as pool:
        pool.apply(of_length, (1,))
        return seconds(lambda: pool.apply(of_length, (size,)))


def birth(method, heap):
    held = bytearray(heap)
    for page in range(0, heap, 4096):
        held[page] = 1
    context = multiprocessing.get_context(method)
    if method == "forkserver":  # is already there in a program that has had a pool
        context.Pool(1).apply(nothing)
    begin = time.perf_counter()
    pool = context.Pool(1)
    pool.apply(nothing)
    taken = time.perf_counter() - begin
    pool.terminate()
    return taken


def fresh(calls):
    with multiprocessing.Pool(1, maxtasksperchild=1) as pool:
        pool.apply(nothing)
        return seconds(lambda: [pool.apply(nothing) for _ in range(calls)]) / calls


def own_seconds(work):
    def used():
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    begin = used()
    work()
    return used() - begin


def own_apply(calls):
    with multiprocessing.Pool(1) as pool:
        pool.apply(nothing)
        return own_seconds(lambda: [pool.apply(nothing) for _ in range(calls)]) / calls


def own_apply_async(calls):
    with multiprocessing.Pool(2) as pool:
        pool.apply(nothing)
        return own_seconds(lambda: submit_and_get(pool, calls)) / calls


MEASURES = {
    "apply": apply,
    "apply_async": apply_async,
    "map": map_numbers,
    "argument": argument,
    "result": result,
    "birth": birth,
    "fresh": fresh,
    "own_apply": own_apply,
    "own_apply_async": own_apply_async,
}

if __name__ == "__main__":
    words = sys.argv[2:]
    print(MEASURES[sys.argv[1]](*(int(word) if word.isdigit() else word for word in words)))
