"""
A worker that was taken over says what it likes for as long as it likes.

Random and designed messages for 30 seconds, always from the same seed; with
ACME_LONG=1 for ten minutes, from another one each time. It is printed, and
ACME_SEED=N says them again.
"""

import contextlib
import hashlib
import os
import pathlib
import random
import signal
import socket
import time

import pytest

from lib import process
from lib.fixtures import TEST_SECONDS
from lib.httpd import SANITIZERS
from lib.wait import wait_until
from lib.worker import Worker, resident, takeover

LONG = os.environ.get("ACME_LONG") == "1"
SECONDS = 600 if LONG else 30
SEED = int(os.environ.get("ACME_SEED",
                          time.time_ns() % 1000000 if LONG else 8555))

NAME = "www.example.org"
OTHER = "other.example.org"

WARM_UP = SECONDS / 3
# kB that a keeper may grow after its warm-up. ASan keeps 256 MB of what was
# freed, and more around it, so that there it says little.
FLAT = 400 * 1024 if SANITIZERS else 4096
CHANNELS = 24
DESCRIPTORS = 50        # of those that a keeper cannot close it keeps 256

NUMBERS = [0, 1, 2, 3, 7, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000,
           -1, 1 << 62, (1 << 63) - 1, -(1 << 63)]
TEXTS = ["", "a", ".", "..", "../../../../etc/passwd", "/etc/cron.d/x", "-x",
         "a\nb", "a\r\n\r\nb", "%s%n%x", "$(id)", "`id`", "\0", "\x1b[2J",
         "https://", "https://a", "http://127.0.0.1/", "https://127.0.0.1:1/x",
         "https://[::1]/", "https://user:word@h/", "file:///etc/passwd",
         "A" * 43, "_acme-challenge.example.org", "*.example.org", "\xff\xfe",
         "<script>", "urn:ietf:params:acme:error:unauthorized",
         "urn:ietf:params:acme:error:accountDoesNotExist"]


class Fuzzer:
    """Sends, and remembers what the keeper said, to say it again."""

    def __init__(self, server, rng):
        self.server = server
        self.rng = rng
        self.worker = Worker(server)
        self.layout = self.worker.layout
        self.channels = []
        self.heard = list(TEXTS)
        self.descriptors = 0
        self.tails = [b"", b"\0", b"-----BEGIN CERTIFICATE-----\n",
                      *(path.read_bytes() for path
                        in server.store.glob("live/*/*chain*.pem"))]
        self.sent = 0

    def channel(self):
        rng = self.rng
        if len(self.channels) < CHANNELS:
            with contextlib.suppress(OSError):
                self.channels.append(self.worker.connect())
                self.channels[-1].socket.settimeout(0.05)
        if not self.channels:           # a reload ended that worker
            self.worker = Worker(self.server)
            return None
        return rng.choice(self.channels)

    def drop(self, channel):
        channel.close()
        self.channels.remove(channel)

    def value(self, member):
        rng = self.rng
        if "char" in member.word:
            text = rng.choice(self.heard).encode(errors="replace")
            if rng.random() < 0.2:
                text = rng.randbytes(rng.randrange(member.size + 1))
            if rng.random() < 0.1:
                text *= 1 + member.size // max(1, len(text))
            return text[:member.size - (rng.random() < 0.9)]
        if rng.random() < 0.7:
            return rng.choice(NUMBERS[:5])
        if rng.random() < 0.5:
            return int(time.time() * 1e6) + rng.choice(NUMBERS) % (1 << 40)
        return rng.choice(NUMBERS)

    def body(self, row):
        """Mostly of what is configured: it goes further."""
        rng = self.rng
        fields = {}
        for key, member in self.layout.members(row.request).items():
            if key.startswith("about."):
                fields[key] = rng.choice([0, 0, 0, 0, 1, 2, -1]) \
                    if rng.random() < 0.5 else 0
            elif rng.random() < 0.8:
                fields[key] = self.value(member)
        return fields

    def tail(self, row):
        rng = self.rng
        if not row.request_tail or rng.random() < 0.1:
            return rng.randbytes(rng.randrange(64)) if rng.random() < 0.05 \
                else b""
        tail = bytearray(rng.choice(self.tails))
        for _ in range(rng.choice([0, 0, 1, 5])):
            if tail:
                tail[rng.randrange(len(tail))] = rng.randrange(256)
        return bytes(tail[:row.request_tail])

    def say(self):
        rng = self.rng
        channel = self.channel()
        if channel is None:
            return
        row = rng.choice(list(self.layout.kinds.values()))
        what = rng.random()
        try:
            if what < 0.02:
                channel.send_raw(rng.randbytes(rng.randrange(1, 3000)))
            elif what < 0.04:
                channel.send(row.name, **{rng.choice(
                    ["version", "kind", "body_len", "tail_len"]):
                    rng.choice([0, 1, 20, 0xffff])})
            elif what < 0.05:
                channel.shutdown(rng.choice([socket.SHUT_RD, socket.SHUT_WR,
                                             socket.SHUT_RDWR]))
            elif what < 0.06 and self.descriptors < DESCRIPTORS:
                self.descriptors += 1
                channel.pass_descriptor(0, kind=row.name)
            else:
                channel.send(row.name, self.body(row), self.tail(row))
            self.sent += 1
            if rng.random() < 0.8:
                self.hear(channel)
            elif rng.random() < 0.05:
                self.drop(channel)
        except TimeoutError:
            pass                        # served slowly, or parked
        except OSError:
            if channel in self.channels:
                self.drop(channel)

    def hear(self, channel):
        reply = channel.receive()
        if reply is None:
            self.drop(channel)
            return
        for value in reply.fields.values():
            if isinstance(value, str) and len(self.heard) < 200:
                self.heard.append(value)

    def end(self):
        for channel in list(self.channels):
            self.drop(channel)


def files(folder, *without):
    """All that is there but in these folders: path, kind, mode, content."""
    found = {}
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders
                      if pathlib.Path(root, name) not in without]
        for name in [*folders, *names]:
            path = pathlib.Path(root, name)
            if path.suffix == ".log":           # the CA's
                continue
            about = path.lstat()
            content = path.read_bytes() if path.is_file() else b""
            found[path] = (about.st_mode, about.st_uid,
                           hashlib.sha256(content).hexdigest())
    return found


def processes(server):
    """All of the server's but those that httpd itself makes, and the
    launcher."""
    keeper = server.keeper
    known = {server.pid, keeper, server.cert_reader,
             *process.children(server.pid),
             *process.children(keeper)}
    return server.commands + [pid for pid in process.group(server.pid)
                              if pid not in known]


def renews(server, name):
    """
    It may cost an attempt or two, no more: the URL of an order that the worker
    made up is forgotten when the CA does not know it.
    """
    count = len(server.installed(name))
    for _ in range(3):
        failed = len(server.failures(name))
        server.renew(name)
        server.wait(lambda: len(server.installed(name)) > count
                    or len(server.failures(name)) > failed,
                    f"the order of {name} has ended")
        if len(server.installed(name)) > count:
            break
    server.wait_valid(name, count=count + 1)


@pytest.mark.dense
@pytest.mark.slow
def test_it_gains_nothing_and_ends_nothing(site):
    signal.alarm(TEST_SECONDS + SECONDS)
    print(f"ACME_SEED={SEED}")
    server = takeover(site.server(site.ca()))
    ran = server.root / "ran"
    hook = server.root / "hook"
    hook.write_text("#!/bin/sh\nexit 0\n")
    hook.chmod(0o755)
    # Whatever it says failed: the hook sets no record, and is not to be used.
    server.part("hooks", f"AcmeHook notify {hook}\nAcmeDns exec {hook}\n"
                         f"AcmeHook pre {hook}\nAcmeHook post {hook}\n"
                         f"AcmeHook deploy {hook}\n"
                         "AcmeChallenges http-01\n")
    server.vhost(NAME)
    server.vhost(OTHER, f"a.{OTHER}", f"b.{OTHER}")
    server.start()
    server.wait_valid(NAME)
    server.wait_valid(OTHER)
    outside = (server.store, server.root / "logs", server.root / "run")
    before = files(site.folder, *outside)

    fuzzer = Fuzzer(server, random.Random(SEED))
    begun = time.monotonic()
    memory = {}                         # of each keeper, after its warm-up
    seen = {}
    while time.monotonic() - begun < SECONDS:
        fuzzer.say()
        if fuzzer.sent % 100 == 0:
            keeper = server.keeper
            since = seen.setdefault(keeper, time.monotonic())
            if time.monotonic() - since > WARM_UP:
                memory.setdefault(keeper, resident(keeper))
    fuzzer.end()
    print(f"{fuzzer.sent} messages, {len(seen)} keepers")
    assert fuzzer.sent > 10 * SECONDS
    keeper = server.keeper
    if keeper in memory:
        grown = resident(keeper) - memory[keeper]
        assert grown < FLAT, f"the keeper has grown by {grown} kB"
    assert not ran.exists()
    assert server.acmectl("status")[0] in (0, 1)

    wait_until(lambda: not processes(server), "no process is left", 70)
    server.graceful()
    after = files(site.folder, *outside)
    assert after == before
    for name in (NAME, OTHER):
        renews(server, name)
