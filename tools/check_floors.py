#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check_floors.py ROOT: fails where a file leans on a room of its own floor or
above, or speaks to the kernel outside the room `os`. FLOORS is the whole rule."""

import re
import sys

import tree

FLOORS = [
    {"base"},
    {"os", "wire"},
    {"sync", "lane", "share"},
    {"process", "thread", "queue"},
    {"pool"},
    {"observe"},
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
ROOMS_DOOR_TO_ALL = "brood"  # <brood/brood.hpp> stands above all floors

KERNEL_HEADER = re.compile(
    r"(sys|linux|asm|asm-generic|bits|netinet|arpa|net)/"
    r"|(dirent|fcntl|grp|hwloc|mntent|mqueue|netdb|poll|pthread|pty|pwd|sched|semaphore|signal|spawn"
    r"|syscall|syslog|termios|ucontext|ulimit|unistd|utime|wait)\.h$")

SYSTEM_CALLS = """
    accept accept4 access alarm bind chdir chmod chown clone clone3 close close_range closedir
    clock_nanosleep connect dup dup2 dup3 epoll_create1 epoll_ctl epoll_wait eventfd execl execv
    execve execvp execvpe fallocate fchdir fchmod fcntl fexecve flock fork fstat fstatat fsync
    ftruncate futex getcwd getdents64 getpgid getpgrp getpid getppid getpriority getrlimit
    getrusage gettid gettimeofday getuid inotify_add_watch inotify_init1 ioctl kill killpg link
    listen lseek lstat madvise memfd_create mkdir mkfifo mknod mkstemp mlock mmap mount mprotect
    mremap msync munmap nanosleep open openat opendir pause pidfd_open pidfd_send_signal pipe pipe2
    poll posix_spawn posix_spawnp ppoll prctl pread prlimit process_vm_readv process_vm_writev
    pselect pthread_atfork pthread_create pthread_join pthread_kill pthread_self
    pthread_setaffinity_np pthread_setname_np pthread_sigmask ptrace pwrite raise read readdir
    readlink readv recv recvmsg rename rmdir sched_getaffinity sched_setaffinity sched_setscheduler
    sched_yield select send sendmsg setgid setpgid setpriority setrlimit setsid setuid
    shm_open shm_unlink shutdown sigaction sigaltstack signal signalfd sigprocmask sigqueue
    sigsuspend sigtimedwait sigwaitinfo sleep socket socketpair splice stat statfs symlink sysconf
    sysinfo tgkill timer_create timer_settime timerfd_create timerfd_settime truncate umask uname
    unlink unlinkat unshare usleep vfork vmsplice wait wait3 wait4 waitid waitpid write writev
""".split()
# `::read(` but not `file::read(`.
SYSTEM_CALL = re.compile(r"(?<![\w>])::\s*(" + "|".join(SYSTEM_CALLS) + r")\s*\(")
BARE_CALL = re.compile(r"(?<![\w.:>])(syscall|vfork|fork|_exit|waitpid|waitid)\s*\(")
INCLUDE = re.compile(r'\s*#\s*include\s*[<"]([^">]+)')


def include_complaint(room, target, public):
    if KERNEL_HEADER.match(target):
        if public:
            return f"a public header names the kernel's <{target}>"
        if room != "os":
            return f"the kernel's <{target}> belongs to os"
        return None
    if public and target.startswith("os/"):
        return f'a public header names os: "{target}"'
    parts = target.removeprefix("brood/").split("/")
    other = parts[0].removesuffix(".hpp")
    if target in ("brood/brood.hpp", "brood.hpp"):
        return "the door to the whole house is for its guests"
    if "/" not in target or other == room or other not in FLOOR_OF:
        return None
    if FLOOR_OF[other] >= FLOOR_OF[room]:
        return f"{room} (floor {FLOOR_OF[room]}) may not lean on {other} (floor {FLOOR_OF[other]})"
    return None


def line_complaints(room, line, public):
    if match := INCLUDE.match(line):
        why = include_complaint(room, match[1], public)
        return [why] if why else []
    if room == "os":
        return []
    calls = [match[1] for match in SYSTEM_CALL.finditer(line)]
    calls += [match[1] for match in BARE_CALL.finditer(line)]
    return [f"the system call {call}() belongs to os" for call in calls]


def room_of(path, base):
    """The room, or None for the door to the whole house; raises for a stranger."""
    room = path.relative_to(base).parts[0].removesuffix(".hpp")
    if room == ROOMS_DOOR_TO_ALL:
        return None
    return room


def complaints(root):
    bases = {root / "include/brood": True, root / "src": False}
    for path in tree.ours(root):
        base = next((base for base in bases if base in path.parents), None)
        if base is None or path.suffix not in (".hpp", ".cpp"):
            continue
        room, public = room_of(path, base), bases[base]
        where = path.relative_to(root)
        if room is None:
            continue
        if room not in FLOOR_OF:
            yield f"{where}: '{room}' is no room of this house"
            continue
        if public and room == "os":
            yield f"{where}: os has no public header"
        for number, line in enumerate(tree.bare_code(path.read_text()).splitlines(), 1):
            for why in line_complaints(room, line, public):
                yield f"{where}:{number}: {why}"


def main(root):
    found = list(complaints(tree.root_of(root)))
    print(*found, sep="\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
