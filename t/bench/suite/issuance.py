"""Until N certificates are issued, and until they are served."""

import collections
import contextlib
import pathlib
import shutil
import socket
import ssl
import sys
import tempfile
import time

from lib import tls
from lib.fixtures import Site
from lib.ports import accepts, free_port, release_all
from lib.process import Process
from lib.wait import wait_until

from suite import clients, tables, usage

SECONDS = 3600
ROUNDS = 3
SHORT = 30                  # seconds; what takes longer is measured once
ROUND_TRIP = 0.1
SIZES = (1, 20, 100, 500)
FAR_SIZES = (1, 20, 100)

# A process for each certificate: more of them take in proportion, and an hour.
ONE_EACH = {clients.Certbot: 100, clients.Lego: 100}
FAR_ONE_EACH = {clients.Certbot: 20, clients.Lego: 100}


class Far:
    """A CA behind a relay that is ROUND_TRIP seconds away."""

    def __init__(self, ca):
        self.ca = ca
        self.authority = ca.authority
        self.port = free_port()
        self.relay = None

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}/dir"

    def __getattr__(self, name):
        return getattr(self.ca, name)

    def start(self):
        self.relay = Process(
            [sys.executable, pathlib.Path(__file__).parent / "delay.py",
             str(self.port), str(self.ca.port), str(ROUND_TRIP)],
            self.ca.folder / "delay.log")
        wait_until(lambda: accepts(self.port), "the relay listens")
        return self

    def end(self):
        self.relay.end()


def requests(ca):
    """How many pebble has answered: a line of its log each."""
    with open(ca.log, "rb") as log:
        return sum(b"-> calling handler()" in line for line in log)


class Visitor:
    """Sees whether a certificate of the CA is served, at little cost.

    Names that were seen are not looked at again, and of the others one at a
    time, beginning with the last.
    """

    def __init__(self, port, names, roots):
        self.port = port
        self.left = collections.deque(reversed(names))
        self.context = tls.context(roots)

    def sees_all(self):
        while self.left:
            if not self._sees(self.left[0]):
                self.left.rotate(-1)
                return False
            self.left.popleft()
        return True

    def _sees(self, name):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 10) \
                    as plain, self.context.wrap_socket(
                        plain, server_hostname=name):
                return True
        except (OSError, ssl.SSLError):
            return False


def run_once(kind, count, far=False):
    """{"issued": seconds, "served": ..., "requests": ..., ...} of one run."""
    with contextlib.ExitStack() as closing:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="acme-bench-"))
        closing.callback(shutil.rmtree, folder, ignore_errors=True)
        closing.callback(release_all)
        folder.chmod(0o755)
        site = Site(folder, closing)
        ca = site.ca()
        reached = site._started(Far(ca)) if far else ca
        names = [f"n{i}.example.org" for i in range(count)]
        client = kind(site, reached, names)
        client.prepare()
        return _measure(client, ca)


def _measure(client, ca):
    visitor = Visitor(client.port, client.names, ca.roots)
    before = usage.cpu(client.roots())
    ca_before = usage.cpu([ca.server.pid])
    requests_before = requests(ca)
    begin = time.monotonic()
    with usage.Peak(client.roots) as peak:
        client.start()
        wait_until(client.issued, "all are issued", SECONDS)
        issued = time.monotonic() - begin
        issued_requests = requests(ca) - requests_before
        client.activate()
        wait_until(visitor.sees_all, "all are served", SECONDS, look=0.02)
        served = time.monotonic() - begin
        used = usage.cpu(client.roots()) - before
    return {"issued": issued, "served": served,
            "requests": issued_requests / len(client.names),
            "cpu": used, "ca_cpu": usage.cpu([ca.server.pid]) - ca_before,
            "memory": peak.octets / 1e6,
            "fallback": getattr(client, "falls_back", False)}


def is_left_out(kind, count, far, run):
    """A program for each certificate, and too many of them?"""
    most = (FAR_ONE_EACH if far else ONE_EACH).get(kind, count)
    if run.quick and kind is clients.Certbot:
        most = 1
    return count > most and run.mode != "long"


def fell_back(found, kind):
    """Was it asked for live, and reloaded gracefully as this build has none?"""
    return any(done["fallback"] for runs in found.get(kind, {}).values()
               for done in runs)


def measure(kinds, sizes, rounds, far, run):
    """
    {kind: {count: [result, ...]}}, the rounds of all kinds in turn; and what
    failed. A rival that fails is not measured any more.
    """
    found = {kind: {} for kind in kinds}
    failed = {}
    for count in sizes:
        for _ in range(rounds):
            for kind in kinds:
                done = found[kind].setdefault(count, [])
                if kind in failed or is_left_out(kind, count, far, run) \
                        or fell_back(found, kind) \
                        or done and done[0]["served"] > SHORT:
                    continue
                try:
                    done.append(run_once(kind, count, far))
                except (AssertionError, OSError) as problem:
                    if issubclass(kind, clients.ModAcme):
                        raise
                    failed[kind] = f"{kind.title} failed at {count}"
                    run.say(f"{failed[kind]}: {problem}")
                    continue
                run.say(f"{kind.title}, {count}{', far' if far else ''}: "
                        + ", ".join(f"{key} {tables.shown(value)}"
                                    for key, value in done[-1].items()
                                    if key != "fallback"))
    return found, failed


def tables_of(found, failed, sizes, far):
    where = ("a CA that is 100 ms away" if far
             else "a CA on loopback")
    shown = [kind for kind in found if not fell_back(found, kind)]

    def middle(kind, count, key):
        return tables.median([run[key]
                              for run in found[kind].get(count, ())])

    notes = [f"{reason}." for reason in failed.values()]
    if len(shown) < len(found):
        notes.append(clients.NOT_LIVE)
    if any(not found[kind].get(count) for kind in shown for count in sizes):
        notes.append("certbot and lego are a process for each certificate, "
                     "more of them take in proportion; what is not measured "
                     "here is with `build/bench long`.")
    if far:
        notes.append("Each octet takes 50 ms each way, a new connection one "
                     "round trip more. The CA's own visits are not delayed.")
    else:
        notes.append("The same work for all: certificates for one name, "
                     "P-256, http-01, a new account (but for Caddy, whose files "
                     "of a new one get mixed up when hundreds of names ask for "
                     "it at once); pebble without pauses, refused nonces and "
                     "authorizations that are used again. "
                     "Served: a TLS client has seen the CA's certificate for "
                     "each name. From the start of httpd or Caddy, or with "
                     "certbot and lego of the first process, with httpd "
                     "running. mod_acme reloads httpd itself, Caddy needs no "
                     "reload and orders ten certificates in ten seconds at "
                     "most; after mod_md, lego (8 at a time, with one "
                     "account) and certbot (`--webroot`, one at a time as it "
                     "locks its folders) `httpd -k graceful` follows at once. httpd has the "
                     "threads of Debian's configuration.")
    most = max((n for n in sizes if n <= 100), default=max(sizes))
    times = tables.table(
        f"Certificates from {where}, in seconds",
        ["", *(f"{n} issued" for n in sizes), *(f"{n} served" for n in sizes),
         f"{most} served: times mod_acme's"],
        [[kind.title, *(middle(kind, n, "issued") for n in sizes),
          *(middle(kind, n, "served") for n in sizes),
          tables.ratio(middle(kind, most, "served"),
                       middle(shown[0], most, "served"))] for kind in shown],
        notes)
    costs = tables.table(
        f"What {most} certificates from {where} cost",
        ["until all are served", "requests each", "CPU s", "CPU s of the CA",
         "most memory, MB"],
        [[kind.title, *(middle(kind, most, key) for key in
                        ("requests", "cpu", "ca_cpu", "memory"))]
         for kind in shown if found[kind].get(most)],
        ["CPU and memory are those of the client and of its web server "
         "together, from the begin; memory is the sum of PSS. Requests are "
         "lines of pebble's log until all are issued."])
    return [times, costs]


def part(run, far=False):
    kinds = [kind for kind in clients.ALL
             if not run.only or kind in run.only]
    sizes, rounds = (FAR_SIZES if far else SIZES), ROUNDS
    if run.quick:
        sizes, rounds = (1, 20), 1
    sizes = run.counts or sizes
    found, failed = measure(kinds, sizes, rounds, far, run)
    return tables_of(found, failed, sizes, far)
