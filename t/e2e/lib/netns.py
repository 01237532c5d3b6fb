"""A network of the test's own: only loopback, all its ports free.

The test's main thread moves into a new network and mount namespace, and what
it starts there, threads and processes, is inside too: httpd, CAs, DNS servers
and visitors share ports 80, 443 and 53 of 127.0.0.0/8, /etc/hosts and
/etc/resolv.conf, and tests run side by side. Nothing outside is reached.
"""

import ctypes
import os
import subprocess

from lib.wait import PATIENCE

CLONE_NEWNS = 0x00020000
CLONE_NEWNET = 0x40000000

KINDS = ("net", "mnt")

# Beside 127.0.0.1, for servers that want to see theirs on an interface.
MORE_ADDRESSES = ("127.0.0.2", "127.0.0.3")

_libc = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """This machine, a container perhaps, has no namespaces for us."""


class Network:
    """Entered by enter(), which also makes it; left for ever by leave()."""

    def __init__(self, folder):
        self.hosts_file = folder / "hosts"
        self.resolv_file = folder / "resolv.conf"
        self.hosts_file.write_text("127.0.0.1 localhost\n")
        self.resolv_file.write_text("")
        self._before = []
        self._cwd = None

    def enter(self):
        self._cwd = os.getcwd()
        self._before = [os.open(f"/proc/thread-self/ns/{kind}", os.O_RDONLY)
                        for kind in KINDS]
        try:
            _check(_libc.unshare(CLONE_NEWNET | CLONE_NEWNS))
        except OSError as error:
            self._close()
            raise Unavailable(f"unshare: {error.strerror}") from error
        try:
            self._furnish()
        except subprocess.CalledProcessError as error:
            self.leave()
            raise Unavailable(
                f"{error.cmd[0]}: {error.stderr.strip()}") from error
        return self

    def _furnish(self):
        for command in (["mount", "--make-rprivate", "/"],
                        ["mount", "--bind", self.hosts_file, "/etc/hosts"],
                        ["mount", "--bind", self.resolv_file.resolve(),
                         os.path.realpath("/etc/resolv.conf")],
                        ["ip", "link", "set", "lo", "up"],
                        *(["ip", "address", "add", f"{address}/8", "dev",
                           "lo"] for address in MORE_ADDRESSES)):
            subprocess.run(command, check=True, timeout=PATIENCE, text=True,
                           stderr=subprocess.PIPE)

    def leave(self):
        for namespace in self._before:
            _check(_libc.setns(namespace, 0))
        self._close()
        os.chdir(self._cwd)         # another mount namespace begins at /

    def _close(self):
        for namespace in self._before:
            os.close(namespace)
        self._before = []

    def hosts(self, *names, address="127.0.0.1"):
        """Names for the resolver; before the servers that ask it start."""
        with open(self.hosts_file, "a", encoding="ascii") as file:
            file.write(f"{address} {' '.join(names)}\n")

    def resolver(self, *addresses):
        """The DNS servers of /etc/resolv.conf, at port 53."""
        self.resolv_file.write_text("options timeout:1 attempts:2\n" + "".join(
            f"nameserver {address}\n" for address in addresses))


def _check(returned):
    if returned:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
