"""Free ports on loopback, no one of them given out twice on this machine.

A port is held by binding a socket in the abstract namespace that is named
after it: all test processes see it, and it is gone with the test or the
process. The range lies below the ephemeral ports, so that no client takes one
meanwhile.
"""

import random
import socket

FIRST, LAST = 10000, 31999

LISTEN, TIME_WAIT = "0A", "06"          # in /proc/net/tcp

_held = []


def free_port():
    for port in random.sample(range(FIRST, LAST + 1), 500):
        if _hold(port):
            return port
    raise RuntimeError("no port is free")


def release_all():
    """What this process holds: what listened there has ended."""
    while _held:
        _held.pop().close()


def _hold(port):
    name = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    probe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        name.bind(f"\0acme-test-port-{port}")
        probe.bind(("127.0.0.1", port))
    except OSError:
        name.close()
        return False
    finally:
        probe.close()
    _held.append(name)
    return True


def accepts(port):
    """Does somebody listen there?"""
    try:
        socket.create_connection(("127.0.0.1", port), 2).close()
        return True
    except OSError:
        return False


def connections(ports):
    """How many there are with one of these as their own end."""
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in list(file)[1:]]
    return sum(int(row[1].rpartition(":")[2], 16) in ports
               and row[3] not in (LISTEN, TIME_WAIT) for row in rows)
