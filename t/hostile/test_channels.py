"""A worker that was taken over: what it does with its channels is its own."""

import contextlib
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from lib import process
from lib.httpd import SANITIZERS, WORKER as WWW_DATA
from lib.wait import PATIENCE, wait_until
from lib.worker import (TOKEN_OCTETS, WITNESS, Worker, another_worker,
                        listens, resident, takeover)

NAME = "www.example.org"
OTHER = "other.example.org"

NO_LINGER = struct.pack("ii", 0, 0)
LINGER = 50             # seconds; a keeper that hangs for 60 is replaced

SO_ACCEPTCON = 1 << 16  # of the flags in /proc/net/unix: it listens

GREEDY = 8              # channels of one that asks without end
SLOWLY = 400            # PREPAREs in a second: the keeper's price allows for 250

# kB that a keeper may grow, whatever is asked of it. ASan keeps 256 MB of what was
# freed, so that there it says little.
FLAT = 300 * 1024 if SANITIZERS else 4096


def serve(site, *names, ca=None, body="", **options):
    """A server with certificates that obeys a Worker."""
    server = takeover(site.server(ca or site.ca(), **options))
    for name in names or (NAME,):
        server.vhost(name, body=body)
    server.start()
    for name in names or (NAME,):
        server.wait_valid(name)
    return server


def renews(server, name=NAME, timeout=PATIENCE):
    """An administrator's order comes to its end."""
    count = len(server.installed(name))
    server.renew(name)
    server.wait_valid(name, count=count + 1, timeout=timeout)


def test_a_worker_is_served(site):
    server = serve(site)
    worker = Worker(server)
    with worker.connect() as channel:
        assert channel.welcome.fields == {"certs": 1, "pid": server.keeper}
        reply = channel.ask("PREPARE", {"about.cert": 0})
        assert reply.status == 0 and len(reply.fields["thumbprint"]) == 43
        assert channel.ask("PREPARE", {"about.cert": 7}).status != 0
        channel.send("WANT")
        assert channel.receive() is None


# What was shared

def test_a_shutdown_ends_no_other_channel_and_no_keeper(site):
    server = serve(site)
    worker = Worker(server)
    keeper = server.keeper
    for how in (socket.SHUT_WR, socket.SHUT_RDWR):
        with worker.connect() as other, worker.connect() as channel:
            channel.shutdown(how)
            if not listens():
                worker.shared().shutdown(how)
            assert other.ask("PREPARE").status == 0
    assert process.alive(keeper)
    server.kill(keeper)
    wait_until(lambda: server.keeper != keeper, "another keeper has started")
    renews(server)
    with Worker(server).connect() as channel:
        assert channel.ask("PREPARE").status == 0


def lingering():
    """A TCP socket whose close() waits for data that nobody reads, and its
    peer."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        peer = socket.create_connection(listener.getsockname())
        held, _ = listener.accept()
    held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, LINGER))
    held.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            held.send(bytes(4096))
    return held, peer


def inside(descriptor):
    """A channel in whose queue the descriptor waits behind other packets."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.send(b"x")
    ours.send(b"")
    socket.send_fds(ours, [b"x"], [descriptor])
    ours.close()
    return theirs


@pytest.mark.slow
@pytest.mark.parametrize("how", ["inside", "alone", "behind"])
def test_a_descriptor_that_lingers_holds_nobody(site, how):
    server = serve(site)
    worker = Worker(server)
    keeper = server.keeper
    held, peer = lingering()
    passed = inside(held.fileno()) if how == "inside" else held
    with worker.connect() as channel, peer:
        where = channel
        if how == "inside" and not listens():
            where = worker.shared()
        os.kill(keeper, signal.SIGSTOP)         # it is the last to have it
        try:
            if how == "behind":
                channel.send_raw(b"x")
            where.pass_descriptor(passed)
        except PermissionError:         # a new kernel's: it lingers with us
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
        passed.close()
        held.close()
        os.kill(keeper, signal.SIGCONT)
        begun = time.monotonic()
        with worker.connect() as other:
            assert other.ask("PREPARE").status == 0
        code, _ = server.acmectl("status")
        assert code == 0
        server.stop()
        assert time.monotonic() - begun < LINGER - 5
    assert not process.alive(keeper)


# Crowds

def test_one_worker_does_not_push_out_another(site):
    ca = site.proxied_ca()
    server = serve(site, NAME, OTHER, ca=ca)
    worker = another_worker(server)
    with worker.connect() as first, contextlib.ExitStack() as crowd:
        assert first.ask("PREPARE").status == 0
        held = Worker(server).connect()     # of the renewal child
        for _ in range(200):
            crowd.enter_context(worker.connect())
        assert held.ask("PREPARE").status == 0, "its channel was closed"
        held.close()
        assert server.acmectl("status")[0] == 0
        server.renew(NAME)
        with contextlib.suppress(OSError):      # a reload ends the worker
            while len(server.installed(NAME)) < 2:
                crowd.enter_context(worker.connect())
        server.wait_valid(NAME, count=2)


@pytest.mark.slow
def test_who_asks_without_end_is_served_slowly_and_others_at_once(site):
    server = serve(site, NAME, OTHER)
    worker = another_worker(server)
    end = threading.Event()
    served = [0] * GREEDY

    def ask(i):
        with worker.connect() as channel:
            channel.socket.settimeout(2)
            while not end.is_set():
                with contextlib.suppress(OSError):
                    for _ in range(20):
                        channel.send("PREPARE")
                    for _ in range(20):
                        channel.socket.recv(1 << 16)
                        served[i] += 1

    def per_second(seconds=1):
        before, begun = sum(served), time.monotonic()
        time.sleep(seconds)
        return (sum(served) - before) / (time.monotonic() - begun)

    threads = [threading.Thread(target=ask, args=[i]) for i in range(GREEDY)]
    for thread in threads:
        thread.start()
    try:
        with Worker(server).connect() as channel:
            # What it may use at once is used up. (Or more isn't possible.)
            wait_until(lambda: sum(served) and per_second() < SLOWLY,
                       "it is served slowly")
            before = sum(served)
            for _ in range(20):
                assert channel.ask("PREPARE").status == 0
            # No channel of its had it better than ours.
            assert sum(served) - before < 2 * 20 * GREEDY
        assert per_second(4) < SLOWLY
        renews(server)
    finally:
        end.set()
        for thread in threads:
            thread.join()


# Strangers

CONNECT = """
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
path = sys.argv[1]
s.connect("\\0" + path[1:] if path[0] == "@" else path)
try:
    s.send(bytes.fromhex(sys.argv[2]))
    got = s.recv(4096)
except OSError:
    got = b""
print(len(got))
"""


@pytest.mark.skipif(not listens(), reason="there is an inherited pair only")
def test_a_program_of_the_workers_user_is_refused(site):
    """As a CGI program is one: even with the token it is no worker."""
    server = serve(site)
    worker = Worker(server)
    path, token = worker.address()
    body = worker.layout.pack("acme_msg_hello_t", TOKEN_OCTETS,
                              {"token": token})
    hello = worker.layout.frame(worker.layout.kinds["HELLO"].number, body,
                                b"") + body
    done = subprocess.run(
        [sys.executable, "-c", CONNECT, path, hello.hex()], check=True,
        capture_output=True, text=True, user=WWW_DATA.pw_uid,
        group=WWW_DATA.pw_gid, extra_groups=[])
    assert done.stdout.strip() == "0"
    server.wait_log(r"refused a connection: process \d+ is not a process of "
                    "this httpd")
    with pytest.raises(PermissionError), socket.socket(
            socket.AF_UNIX, socket.SOCK_SEQPACKET) as other:
        os.seteuid(65534)               # neither root nor the workers' user
        try:
            other.connect(path)
        finally:
            os.seteuid(0)
    renews(server)


@pytest.mark.skipif(not listens(), reason="there is an inherited pair only")
def test_a_token_is_needed_and_is_of_one_generation(site):
    server = serve(site)
    worker = Worker(server)
    path, token = worker.address()
    for wrong in (bytes(TOKEN_OCTETS), os.urandom(TOKEN_OCTETS)):
        with pytest.raises(ConnectionRefusedError):
            worker.connect(token=wrong)
    assert worker.token(WITNESS) is None, "a worker has another role's token"
    with worker.connect(hello=False) as channel:
        channel.send("PREPARE")
        assert channel.receive() is None
    # No worker has the listening socket itself.
    inode = next(line.split()[6] for line
                 in pathlib.Path("/proc/net/unix").read_text().split("\n")
                 if line.endswith(path)
                 and int(line.split()[3], 16) & SO_ACCEPTCON)
    holders = [pid for pid in [server.pid, *process.children(server.pid)]
               if f"socket:[{inode}]" in process.descriptors(pid)]
    assert sorted(holders) == sorted([server.pid, server.keeper])
    assert pathlib.Path(path).stat().st_mode & 0o777 == 0o600

    server.graceful()
    assert not pathlib.Path(path).exists()
    worker = Worker(server)
    assert worker.address()[0] != path
    with pytest.raises(ConnectionRefusedError):
        worker.connect(token=token)
    worker.connect().close()
    assert token.hex() not in server.log_text
    server.stop()
    assert not list((server.root / "run").glob("acme-*.sock"))


@pytest.mark.skipif(not listens(), reason="there is an inherited pair only")
def test_what_a_killed_server_left_is_removed(site):
    server = serve(site)
    path = pathlib.Path(Worker(server).address()[0])
    server.kill_parent()
    assert path.exists()
    server.start()
    assert not path.exists() and server.keeper
    renews(server)


@pytest.mark.skipif(not listens(), reason="there is an inherited pair only")
def test_a_path_too_long_for_a_socket_is_none(site):
    server = takeover(site.server(site.ca()))
    server.vhost(NAME)
    deep = server.root / "run" / ("d" * 100)
    deep.mkdir()
    config = server.config.read_text()
    server.config.write_text(config.replace("DefaultRuntimeDir run",
                                            f"DefaultRuntimeDir {deep}"))
    server.start()
    server.wait_valid(NAME)
    assert Worker(server).address()[0].startswith("@acme-")


# A keeper that hangs

@pytest.mark.slow
def test_a_keeper_that_hangs_is_replaced(site):
    server = serve(site)
    keeper = server.keeper
    server.killed = True
    os.kill(keeper, signal.SIGSTOP)
    code, said = server.acmectl("--timeout", "2", "status")
    assert code == 1 and "has not answered for 2 seconds" in said
    wait_until(lambda: not process.alive(keeper), "the keeper is replaced",
               PATIENCE + 70)
    assert server.keeper != keeper
    assert server.matching("has hung for more than 60 seconds")
    renews(server)


def test_a_keeper_that_hangs_holds_no_reload(site):
    server = serve(site)
    keeper = server.keeper
    server.killed = True
    os.kill(keeper, signal.SIGSTOP)
    assert server.graceful() < 50    # it counts as hanging after 60
    assert server.keeper != keeper
    renews(server)


def test_acmectl_ends_when_the_queue_is_full(site):
    server = serve(site)
    server.killed = True
    keeper = server.keeper
    os.kill(keeper, signal.SIGSTOP)
    with contextlib.ExitStack() as crowd:
        for _ in range(20):
            waiting = crowd.enter_context(
                socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET))
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(str(server.store / "run" / "acme.sock"))
        code, said = server.acmectl("--timeout", "1", "status")
    assert code == 1 and "has not answered for 1 seconds" in said
    os.kill(keeper, signal.SIGCONT)
    wait_until(lambda: server.acmectl("status")[0] == 0, "acmectl is served")
    for wrong in ("0", "-1", "x", "1x", ""):
        assert server.acmectl("--timeout", wrong, "status")[0] == 2


# Work and memory without end

def flood(worker, seconds, make):
    """Requests as fast as they are answered; how many were."""
    count, end = 0, time.monotonic() + seconds
    with worker.connect() as channel:
        channel.socket.settimeout(5)
        while time.monotonic() < end:
            with contextlib.suppress(TimeoutError):
                reply = channel.ask(*make(count))
                assert reply and (count or reply.status == 0)
            count += 1
    return count


def grows(server, worker, seconds, make):
    """kB that the keeper grows, after a first third."""
    keeper = server.keeper
    flood(worker, seconds / 3, make)
    before = resident(keeper)
    count = flood(worker, seconds, make)
    assert server.keeper == keeper
    grown = resident(keeper) - before
    print(f"{grown} kB by {count} messages")
    return grown


@pytest.mark.slow
@pytest.mark.parametrize("what", ["one record", "records", "tokens"])
def test_what_is_published_does_not_fill_the_keeper(site, what):
    """Of a command that takes long, so that what is asked only waits."""
    server = takeover(site.server(site.ca()))
    hook = server.root / "hook"
    hook.write_text("#!/bin/sh\nexec sleep 100\n")
    hook.chmod(0o755)
    server.vhost(NAME, *(f"n{i}.example.org" for i in range(200)),
                 body="AcmeChallenges tls-alpn-01 http-01 dns-01\n"
                      f"AcmeDns exec {hook}\nAcmeHttp exec {hook} {hook}")
    # pebble hangs now and then when it makes orders of many names at once.
    server.part("parallel", "AcmeParallel 1\n")
    server.start()
    server.wait_valid(NAME)
    worker = Worker(server)
    challenge = "ACME_HTTP_01" if what == "tokens" else "ACME_DNS_01"

    def request(i):
        return "PUBLISH", {"action": worker.layout["ACME_PUBLISH_PRESENT"],
                           "challenge": worker.layout[challenge],
                           "token": "a" * 40 if what == "one record"
                                    else f"token-{i:034}"}

    assert grows(server, worker, 12, request) < FLAT
    if what != "tokens":
        renews(server, timeout=PATIENCE + 70)     # a reload waits a minute for commands


@pytest.mark.slow
def test_notes_do_not_fill_the_keeper_or_run_commands_without_end(site):
    server = takeover(site.server(site.ca()))
    ran = server.root / "ran"
    hook = server.root / "hook"
    hook.write_text(f"#!/bin/sh\necho $ACME_EVENT >>{ran}\nexec sleep 1\n")
    hook.chmod(0o755)
    framed = server.root / "framed"
    frame = server.root / "frame"
    frame.write_text(f"#!/bin/sh\necho $ACME_EVENT >>{framed}\n")
    frame.chmod(0o755)
    for name in (NAME, OTHER):
        server.vhost(name, body=f"AcmeHook notify {hook}\n"
                     f"AcmeHook pre {frame}\nAcmeHook post {frame}")
    server.start()
    for name in (NAME, OTHER):
        server.wait_valid(name)
    worker = Worker(server)
    failed = worker.layout["ACME_NOTE_FAILED"]
    most = 0

    def note(i):
        nonlocal most
        if i % 10 == 0:
            most = max(most, len(server.commands))
        return "NOTE", {"about.cert": i % 2, "note": failed, "name": -1,
                        "detail": f"failure {i} " + "x" * 100,
                        "problem": "x" * 30}

    assert grows(server, worker, 15, note) < FLAT
    assert 0 < most <= 8
    assert len(ran.read_text().split()) < 60

    # Orders that come and go: one batch of validations, which ends with them.
    steps = [worker.layout[f"ACME_VALIDATE_{step}"]
             for step in ("JOIN", "FAILED")]

    def validate(i):
        return "VALIDATE", {"about.cert": i // 2 % 2, "step": steps[i % 2]}

    before = framed.read_text().split()
    assert before in (["pre", "post"], ["pre", "post"] * 2)
    assert grows(server, worker, 6, validate) < FLAT
    with worker.connect() as channel:
        for i in (1, 3):
            channel.ask(*validate(i))
    server.wait(lambda: framed.read_text().split()[len(before):]
                == ["pre", "post"], "the batch is over")
