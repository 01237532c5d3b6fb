"""Processes that a test starts, and ends by their ids whatever happens."""

import os
import pathlib
import re
import signal
import subprocess

import pytest

from lib.wait import PATIENCE, wait_until


class Process:
    """A program in a process group of its own, its output in a file."""

    def __init__(self, argv, log, **options):
        self.log = log
        with open(log, "ab") as output:
            self.popen = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                start_new_session=True, **options)
        self.pid = self.popen.pid
        self.ended = False          # by us: the pid is anyone's now

    def running(self):
        return self.popen.poll() is None

    def end(self):
        if self.ended:
            return
        if self.running():
            self.popen.terminate()
            try:
                self.popen.wait(5)
            except subprocess.TimeoutExpired:
                pass
        end_group(self.pid)
        self.popen.wait(PATIENCE)
        self.ended = True


def stat(pid):
    """State, parent and process group of a process; None when it is gone."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1]), int(fields[2])


def name(pid):
    """What ps shows; None when it is gone."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return None


def has_threads(pid):
    """Or it is gone."""
    try:
        return len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return True


def alive(pid):
    """A zombie is not alive."""
    found = stat(pid)
    return found is not None and found[0] not in "ZX"


def _all_stats():
    for name in os.listdir("/proc"):
        if name.isdigit():
            found = stat(int(name))
            if found and found[0] not in "ZX":
                yield int(name), found


def children(pid):
    return sorted(p for p, (_, parent, _) in _all_stats() if parent == pid)


def group(pgid):
    return sorted(p for p, (_, _, grp) in _all_stats() if grp == pgid)


def end_group(pgid):
    """What is left of a process group that we started."""
    if not group(pgid):
        return
    try:
        os.killpg(pgid, signal.SIGKILL)
    except ProcessLookupError:
        return
    wait_until(lambda: not group(pgid), f"process group {pgid} is gone")


def owner(pid):
    """The effective user id of a process."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        for line in file:
            if line.startswith("Uid:"):
                return int(line.split()[2])
    raise AssertionError(f"process {pid} has no user")


def descriptors(pid):
    """What each of a process's descriptors is: "socket:[12]", "/path"."""
    folder = pathlib.Path(f"/proc/{pid}/fd")
    try:
        return [os.readlink(entry) for entry in folder.iterdir()]
    except PermissionError as why:      # no CAP_SYS_PTRACE, in a container
        pytest.skip("the descriptors of a process may not be seen here: "
                    f"{why.strerror}")


MAPPING_MAX = 4 << 30       # more is address space that is only reserved


def occurrences(pid, octets):
    """How often they are in the memory that a process can write.

    One that ends meanwhile, as the children from before a reload, has none.
    """
    try:
        return _occurrences(pid, octets)
    except PermissionError as why:      # no CAP_SYS_PTRACE, in a container
        pytest.skip("the memory of a process may not be read here: "
                    f"{why.strerror}")
    except OSError:
        if alive(pid):
            raise
        return 0


def _occurrences(pid, octets):
    count = 0
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        mappings = [line.split() for line in maps]
    with open(f"/proc/{pid}/mem", "rb", 0) as memory, \
            open(f"/proc/{pid}/pagemap", "rb", 0) as pagemap:
        for where, rights, *_ in mappings:
            begin, end = (int(address, 16) for address in where.split("-"))
            if "w" in rights and end - begin <= MAPPING_MAX:
                count += sum(_read(memory, *part).count(octets)
                             for part in _used(pagemap, begin, end))
    return count


PAGE = os.sysconf("SC_PAGE_SIZE")


def _used(pagemap, begin, end):
    """The parts of a mapping that are in memory, or swapped out.

    With ASan most of it was never touched, and reading that takes minutes.
    """
    pagemap.seek(begin // PAGE * 8)
    flags = pagemap.read((end - begin) // PAGE * 8)[7::8]
    for run in re.finditer(rb"[\x40-\xff]+", flags):
        yield begin + run.start() * PAGE, begin + run.end() * PAGE


def _read(memory, begin, end):
    """What is there; a part of a mapping may lie beyond its file's end."""
    try:
        memory.seek(begin)
        return memory.read(end - begin)
    except OSError:
        return b""
