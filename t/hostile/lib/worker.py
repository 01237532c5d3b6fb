"""
A worker of httpd that an attacker took over, and that a test speaks for.

    server = site.server(ca)
    server.vhost(NAME)
    takeover(server)                    # before it starts
    server.start()
    worker = Worker(server)             # the child with the renewal thread;
                                        # or Worker(server, pid)
    channel = worker.connect()          # with HELLO and the worker's token
    reply = channel.ask("PREPARE", {"about.cert": 0})
    reply.status, reply.fields["thumbprint"], reply.tail
    channel.send("NOTE", {"note": worker.layout["ACME_NOTE_FAILED"],
                          "detail": "so what"})
    channel.receive()                   # None: the keeper closed it

What is sent comes, for the kernel, from that worker: it made the connection.
Messages are laid out as the headers of the tested build say; send_raw() sends
anything. Worker(server).connect(token=..., who=...) tries another token; with
hello=False nothing is said yet. worker.token(who) is what the worker's memory
has for a role (1 a worker, 4 the witness), None: nothing.

Builds from before the listening socket have a descriptor that all workers
inherited: worker.shared() duplicates it, and connect() goes through it.
"""

import array
import contextlib
import ctypes
import functools
import os
import pathlib
import re
import socket
import subprocess
from dataclasses import dataclass

from lib.httpd import MODULE, REPOSITORY
from lib.layout import FRAME, Layout, compile_c, source
from lib.wait import PATIENCE, wait_until

PIDFD_GETFD = 438           # its number everywhere

TOKEN_OCTETS = 32

WORKER, CONTROL, WITNESS = 1, 2, 4


def takeover(server):
    """Let the workers of a server that starts obey a Worker."""
    module = server.root / "modules" / "mod_takeover.so"
    compile_c(REPOSITORY / "t" / "hostile" / "mod_takeover.c", module,
              "-shared", "-fPIC", "-pthread")
    server.part("takeover", f"LoadModule takeover_module {module}\n")
    return server


@dataclass(frozen=True)
class Reply:
    kind: str
    status: int
    fields: dict            # of the body; of a failure none
    body: bytes
    tail: bytes


class Channel:
    """A connection to the keeper."""

    def __init__(self, layout, connection):
        self.layout = layout
        self.socket = connection
        self.socket.settimeout(PATIENCE)
        self.welcome = None

    def send(self, kind, fields=None, tail=b"", /, **wrong):
        """A request; wrong replaces members of the frame: version, kind,
        reply, status, body_len, tail_len."""
        row = self.layout.kinds[kind]
        body = self.layout.pack(row.request, row.request_size, fields)
        self.send_raw(self.layout.frame(row.number, body, tail, **wrong)
                      + body + tail)

    def send_raw(self, data):
        self.socket.send(data)

    def receive(self):
        """The next reply; None: the keeper closed the channel."""
        try:
            data = self.socket.recv(1 << 20)
        except ConnectionResetError:
            return None
        if not data:
            return None
        _, number, _, status, body, tail = FRAME.unpack_from(data)
        row = list(self.layout.kinds.values())[number]
        rest = data[FRAME.size:]
        assert len(rest) == body + tail
        fields = {} if status else self.layout.unpack(row.reply, rest)
        return Reply(row.name, status, fields, rest[:body], rest[body:])

    def ask(self, kind, fields=None, tail=b""):
        self.send(kind, fields, tail)
        return self.receive()

    def shutdown(self, how=socket.SHUT_RDWR):
        self.socket.shutdown(how)

    def pass_descriptor(self, *descriptors, kind="HELLO", data=None):
        """A request, or data, with descriptors; OSError: the kernel
        refused."""
        row = self.layout.kinds[kind]
        if data is None:
            body = bytes(row.request_size)
            data = self.layout.frame(row.number, body, b"") + body
        self.socket.sendmsg([data], [(
            socket.SOL_SOCKET, socket.SCM_RIGHTS,
            array.array("i", [getattr(d, "fileno", lambda d=d: d)()
                              for d in descriptors]))])

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Worker:
    """The renewal child of a server, or another one."""

    def __init__(self, server, pid=None):
        self.server = server
        self.pid = pid or server.renewal_child
        self.layout = Layout.of_build()

    # In that process

    def _command(self, text):
        """What mod_takeover says to it, and a descriptor or None."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as control:
            control.settimeout(PATIENCE)

            def connects():
                with contextlib.suppress(ConnectionRefusedError):
                    control.connect(f"\0acme-takeover-{self.pid}")
                    return True
                return False

            wait_until(connects, f"process {self.pid} obeys")
            control.send(text.encode())
            data, descriptors, _, _ = socket.recv_fds(control, 4096, 1)
        found = re.fullmatch(rb"errno (\d+)", data)
        if found:
            raise OSError(int(found[1]), os.strerror(int(found[1])), text)
        return data, descriptors[0] if descriptors else None

    def address(self, who=WORKER):
        """Path and token of the keeper as that process has them."""
        data, _ = self._command(f"address {client_offset()} {who}")
        return data[TOKEN_OCTETS:].decode(), data[:TOKEN_OCTETS]

    def token(self, who=WORKER):
        """None: that process has none for this role."""
        token = self.address(who)[1]
        return token if any(token) else None

    # The keeper

    def connect(self, hello=True, token=None, who=WORKER):
        """A channel of that process; ConnectionError: it is refused."""
        if not listens():
            return self._connect_shared(hello)
        path, own = self.address(who)
        _, descriptor = self._command(f"connect {path}")
        channel = Channel(self.layout, socket.socket(fileno=descriptor))
        if hello:
            channel.send("HELLO", {"token": token or own})
            self._welcome(channel)
        return channel

    @staticmethod
    def _welcome(channel):
        channel.welcome = channel.receive()
        if channel.welcome is None or channel.welcome.status:
            channel.close()
            raise ConnectionRefusedError("the keeper took no HELLO")

    # Before the listening socket

    def shared(self):
        """The inherited end, as a channel of ours."""
        libc = ctypes.CDLL(None, use_errno=True)
        pidfd = os.pidfd_open(self.pid)
        try:
            for entry in os.listdir(f"/proc/{self.pid}/fd"):
                copy = libc.syscall(PIDFD_GETFD, pidfd, int(entry), 0)
                if copy < 0:
                    continue
                found = socket.socket(fileno=copy) if is_socket(copy) else None
                if (found and found.family == socket.AF_UNIX
                        and found.type == socket.SOCK_SEQPACKET
                        and not found.getsockopt(socket.SOL_SOCKET,
                                                 socket.SO_ACCEPTCONN)
                        and not peer_name(found)):
                    return Channel(self.layout, found)
                if found:
                    found.close()
                else:
                    os.close(copy)
        finally:
            os.close(pidfd)
        raise LookupError(f"process {self.pid} has no inherited channel")

    def _connect_shared(self, hello):
        ours, theirs = socket.socketpair(socket.AF_UNIX,
                                         socket.SOCK_SEQPACKET)
        channel = Channel(self.layout, ours)
        with self.shared() as shared, theirs:
            shared.pass_descriptor(theirs)
        if hello:
            self._welcome(channel)
        return channel


def another_worker(server):
    """One beside the worker that renews, and of its load."""
    def served():
        obey = pathlib.Path("/proc/net/unix").read_text(encoding="utf-8")
        for pid in server.workers:
            if (pid == server.renewal_child
                    or f"@acme-takeover-{pid}\n" not in obey):
                continue
            worker = Worker(server, pid)
            with contextlib.suppress(OSError), worker.connect() as channel:
                if channel.ask("PREPARE").status == 0:
                    return worker
        return None

    return wait_until(served, "a second worker is served")


def is_socket(descriptor):
    return os.readlink(f"/proc/self/fd/{descriptor}").startswith("socket:")


def peer_name(connection):
    try:
        return connection.getpeername()
    except OSError:
        return "none"


def listens():
    """Has the tested build a socket of its own for each worker?"""
    return (source() / "mod_acme" / "ipc"
            / "acme_keeper_address.h").exists()


@functools.cache
def client_offset():
    """Where acme_keeper_start_client() lies in the module."""
    done = subprocess.run(["nm", str(MODULE)], check=True, text=True,
                          capture_output=True)
    found = re.search(r"^(\w+) t acme_keeper_start_client$", done.stdout, re.M)
    return int(found[1], 16)


# What tests look at in the keeper

def resident(pid):
    """Memory of a process in kB, without what it shares."""
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(re.search(r"^RssAnon:\s+(\d+) kB", file.read(), re.M)[1])
