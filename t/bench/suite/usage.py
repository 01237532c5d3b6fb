"""What processes use: CPU seconds, and the most memory at one time.

A tree is a process with all that descend from it. What ended was waited for by
its parent, and counts in the parent's times.
"""

import os
import threading
import time

TICKS = os.sysconf("SC_CLK_TCK")
LOOK = 0.2


def _stats():
    """pid: (parent, CPU ticks, those of children that ended)."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", encoding="utf-8") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:
                continue
            found[int(name)] = (int(fields[1]), sum(map(int, fields[11:13])),
                                sum(map(int, fields[13:15])))
    return found


def _tree(roots, stats):
    children = {}
    for pid, (parent, *_) in stats.items():
        children.setdefault(parent, []).append(pid)
    found, todo = set(), [pid for pid in roots if pid in stats]
    while todo:
        pid = todo.pop()
        if pid not in found:
            found.add(pid)
            todo += children.get(pid, ())
    return found


def _seconds(pid, ticks):
    """By the clock of a process, as ticks are up to 20 ms less."""
    try:
        return time.clock_gettime(~pid << 3 | 2)    # clock_getcpuclockid(3)
    except OSError:                 # it has ended, and nobody has waited for it
        return ticks / TICKS


def cpu(roots):
    """CPU seconds of these trees so far."""
    stats = _stats()
    return sum(_seconds(pid, stats[pid][1]) + stats[pid][2] / TICKS
               for pid in _tree(roots, stats))


def rollup(pid):
    """Bytes of a process: {"Rss": ..., "Pss": ..., "Anonymous": ..., ...}."""
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        next(file)                  # the addresses
        return {name: int(rest.split()[0]) * 1024
                for name, _, rest in (line.partition(":") for line in file)}


def memory(roots):
    """Bytes, with each shared page divided among those that share it."""
    total = 0
    for pid in _tree(roots, _stats()):
        try:
            total += rollup(pid)["Pss"]
        except (OSError, StopIteration):    # it has ended, or is a zombie
            pass
    return total


class Peak:
    """Used with "with"; the most memory of trees, looked at now and then.

    roots is called at each look, for what is started meanwhile.
    """

    def __init__(self, roots):
        self.roots = roots
        self.octets = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._ended.set()
        self._thread.join()
        self._look()                # however short it was

    def _look(self):
        self.octets = max(self.octets, memory(self.roots()))

    def _watch(self):
        pause = 0
        while not self._ended.wait(pause):
            begin = time.monotonic()
            self._look()
            # A look takes CPU time: no more than a tenth of one CPU.
            pause = max(LOOK, 9 * (time.monotonic() - begin))
