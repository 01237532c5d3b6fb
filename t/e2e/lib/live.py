"""
What running workers are given by AcmeActivate live: who can write there, and
what a keeper would never write.
"""

import mmap
import os
import pathlib
import re
import struct

NAME = "memfd:acme-live"
ROW = struct.Struct("=IIII")        # as mod_acme/ipc/acme_live_slot.h has it
OCTETS_MAX = 32000


def descriptors(pid):
    """Paths in /proc of a process's descriptors of the memory."""
    folder = pathlib.Path(f"/proc/{pid}/fd")
    return [path for path in folder.iterdir() if NAME in link(path)]


def link(path):
    try:
        return os.readlink(path)
    except FileNotFoundError:       # closed meanwhile
        return ""


def rights(pid):
    """Of each mapping of the memory: "r--s"."""
    text = pathlib.Path(f"/proc/{pid}/maps").read_text()
    return re.findall(rf"^\S+ (\S+) .*{NAME}", text, re.M)


class Memory:
    """The memory of a server's load, written as the keeper does."""

    def __init__(self, server, certs):
        path, = descriptors(server.pid)
        self._certs = certs
        self._fd = os.open(path, os.O_RDWR)
        self._map = mmap.mmap(self._fd, 0)

    def close(self):
        self._map.close()
        os.close(self._fd)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()

    def write(self, cert, archive, *texts, end=True):
        """PEM of a chain, of its key, and so on; end: not killed in it."""
        at = cert * ROW.size
        sequence = ROW.unpack_from(self._map, at)[0]
        data = b"".join(text.encode() + b"\0" for text in texts)
        begin = (round_up((self._certs + 1) * ROW.size)
                 + cert * round_up(OCTETS_MAX))
        ROW.pack_into(self._map, at, sequence | 1, *ROW.unpack_from(
            self._map, at)[1:])
        if end:
            self._map[begin:begin + len(data)] = data
            after = (sequence | 1) + 1
            ROW.pack_into(self._map, at, sequence | 1, after // 2, archive,
                          len(data))
            self._map[at:at + 4] = struct.pack("=I", after)


def round_up(octets):
    return -(-octets // mmap.PAGESIZE) * mmap.PAGESIZE
