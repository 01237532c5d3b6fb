"""Until N certificates are issued, and until they are served."""

import collections
import contextlib
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import tempfile
import time

from lib import tls
from lib.fixtures import Site
from lib.ports import release_all
from lib.wait import wait_until

from suite import clients, tables, usage
from suite.ca import Ca, Far, StandsStill, Watch

SECONDS = 3600
SERVED = 120            # seconds, after all were issued and activated
TRIES = 3               # with CAs that stand still
SIZES = (1, 20, 100, 500)
DETAILED = (100, 500)   # what these cost is shown

# How often, at most, what takes less than so many seconds is measured.
ROUNDS = ((30, 3), (60, 2), (SECONDS, 1))

# More of them is for "long", as it takes an hour in all.
MOST = {clients.Certbot: 20, clients.Lego: 100, clients.CaddyServer: 100}
MOST_NOTE = ("certbot and lego are a process for each certificate, and Caddy "
             "orders ten in ten seconds at most: more of them take in "
             "proportion, and are measured with `build/bench long`.")


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
        ca = site.ca(Ca)
        reached = site._started(Far(ca)) if far else ca
        names = [f"n{i}.example.org" for i in range(count)]
        client = kind(site, reached, names)
        client.prepare()
        return _measure(client, ca)


def _measure(client, ca):
    visitor = Visitor(client.port, client.names, ca.roots)
    watch = Watch(ca)
    before = usage.cpu(client.roots())
    ca_before = ca.cpu()
    requests_before = ca.requests()
    begin = time.monotonic()

    def watched(condition):
        watch.look()
        return condition()

    with usage.Peak(client.roots) as peak:
        client.start()
        wait_until(lambda: watched(client.issued), "all are issued", SECONDS)
        issued = time.monotonic() - begin
        issued_cpu = usage.cpu(client.roots()) - before
        issued_ca_cpu = ca.cpu() - ca_before
        requests = ca.requests() - requests_before
        client.activate()
        wait_until(visitor.sees_all, "all are served", SERVED, look=0.02)
        served = time.monotonic() - begin
        used = usage.cpu(client.roots()) - before
    return {"issued": issued, "served": served,
            "requests": requests / len(client.names),
            "issued cpu": issued_cpu, "ca cpu": issued_ca_cpu, "cpu": used,
            "memory": peak.octets / 1e6,
            "fallback": getattr(client, "falls_back", False)}


class Found:
    """What was measured of one size after the other, and what was not."""

    def __init__(self, kinds, sizes, far, run):
        self.kinds = kinds
        self.sizes = sizes
        self.far = far
        self.run = run
        self.results = {(kind, count): [] for kind in kinds for count in sizes}
        self.failed = {}                # of a kind: at which size, and how
        self.too_long = {}              # likewise: text
        self.void = 0                   # rounds with a CA that stood still

    def measure(self):
        for count in self.sizes:
            self.run.say_to_go()
            for number in range(1 if self.run.quick else ROUNDS[0][1]):
                for kind in self.kinds:     # the rivals take turns
                    if self._is_due(kind, count, number):
                        self._measure(kind, count)

    def _is_due(self, kind, count, number):
        most = MOST.get(kind, count)
        if self.run.quick and kind is clients.Certbot:
            most = 1
        if count > most and self.run.mode != "long" or kind in self.failed \
                or self.fell_back(kind):
            return False
        done = self.results[kind, count]
        if number > 0:
            return done and number < next(
                rounds for seconds, rounds in ROUNDS
                if done[0]["served"] < seconds)
        expected = self._expected(kind, count)
        if expected < self.run.left():
            return True
        self.too_long[kind] = f"{kind.title}, {count}: left out, as it would" \
            f" have taken about {round(expected / 60)} minutes."
        self.run.say(self.too_long[kind])
        return False

    def _expected(self, kind, count):
        """Seconds, by those of the sizes before."""
        return max((self.middle(kind, before, "served") * count / before
                    for before in self.sizes if before < count
                    and self.results[kind, before]), default=0)

    def _measure(self, kind, count):
        title = f"{kind.title}, {count}{', far' if self.far else ''}"
        for _ in range(TRIES):
            try:
                done = run_once(kind, count, self.far)
            except StandsStill:
                self.void += 1
                self.run.say(f"{title}: the CA stands still, so once more")
                continue
            except (AssertionError, OSError,
                    subprocess.SubprocessError) as problem:
                self._fail(kind, count, problem)
                return
            self.results[kind, count].append(done)
            self.run.say(f"{title}: " + ", ".join(
                f"{key} {tables.shown(value)}" for key, value in done.items()
                if key != "fallback"))
            return
        self._fail(kind, count, f"{TRIES} CAs in turn stood still")

    def _fail(self, kind, count, problem):
        """It is not measured any more, and the others are."""
        self.failed[kind] = f"{kind.title} failed at {count}."
        self.run.say(f"{self.failed[kind]} {problem}")
        if issubclass(kind, clients.ModAcme):
            self.run.failures += 1

    def fell_back(self, kind):
        """Was it asked for live, and reloaded as this build has none?"""
        return any(done["fallback"] for count in self.sizes
                   for done in self.results[kind, count])

    def middle(self, kind, count, key):
        return tables.median([done[key] for done in self.results[kind, count]])

    @property
    def shown(self):
        return [kind for kind in self.kinds if not self.fell_back(kind)]

    @property
    def detailed(self):
        return [count for count in self.sizes if count in DETAILED] \
            or [max(self.sizes)]


def times(found, key):
    """Seconds until "issued" or "served"."""
    first = found.shown[0]

    def row(kind):
        return [kind.title,
                *(found.middle(kind, n, key) for n in found.sizes),
                *(tables.ratio(found.middle(kind, n, key),
                               found.middle(first, n, key))
                  for n in found.detailed)]

    return tables.table(
        f"Certificates from {where(found)}: seconds until all are {key}",
        ["", *map(str, found.sizes),
         *(f"{n}: times {first.title}'s" for n in found.detailed)],
        [row(kind) for kind in found.shown])


def costs(found, count):
    def row(kind):
        issued, requests, cpu, ca_cpu, served_cpu, memory = (
            found.middle(kind, count, key) for key in
            ("issued", "requests", "issued cpu", "ca cpu", "cpu", "memory"))
        return [kind.title, requests, cpu, ca_cpu,
                tables.ratio(issued, (cpu + ca_cpu) / os.cpu_count()),
                served_cpu, memory]

    return tables.table(
        f"What {count} certificates from {where(found)} cost",
        ["", "requests each", "CPU s until issued", "CPU s of the CA",
         "issued: times CPU s / cores", "CPU s until served",
         "most memory, MB"],
        [row(kind) for kind in found.shown if found.results[kind, count]])


def where(found):
    return "a CA that is 100 ms away" if found.far else "a CA on loopback"


def notes_of(found):
    notes = [*found.failed.values(), *found.too_long.values()]
    if len(found.shown) < len(found.kinds):
        notes.append(clients.NOT_LIVE)
    if any(kind in MOST and not found.results[kind, count]
           for kind in found.shown for count in found.sizes):
        notes.append(MOST_NOTE)
    if found.void:
        notes.append(f"Rounds thrown away, as the CA stood still: {found.void}"
                     " (a deadlock of pebble's, see the end of this document)"
                     "; each was begun again with another CA.")
    return notes


NEAR_NOTES = [
    "The same work for all: certificates for one name, P-256, http-01, a new "
    "account (but for Caddy, whose files of a new one get mixed up when "
    "hundreds of names ask for it at once); pebble without pauses, refused "
    "nonces and authorizations that are used again, and with GOMAXPROCS=1, as "
    "it seldom comes to its deadlock so.",
    "From the start of httpd or Caddy, or with certbot and lego of the first "
    "process, with httpd running. lego runs 8 at a time with one account, "
    "certbot (`--webroot`) one at a time, as it locks its folders. httpd has "
    "the threads of Debian's configuration."]
FAR_NOTES = [
    "Each octet takes 50 ms each way, a new connection one round trip more. "
    "The CA's own visits are not delayed."]
SERVED_NOTES = [
    "Served: a TLS client has seen the CA's certificate for each name. "
    "mod_acme reloads httpd itself, live and Caddy need no reload; after "
    "mod_md, lego and certbot `httpd -k graceful` follows at once."]
COSTS_NOTES = [
    "CPU and memory are those of the client and of its web server together, "
    "from the begin; memory is the sum of PSS. The CA's are with its DNS. "
    "Requests are lines of pebble's log until all are issued. At 1.0 the "
    "seconds until all are issued are what client and CA need at least, with "
    "both cores busy all the time."]


def part(run, far=False):
    kinds = [kind for kind in clients.ALL
             if not run.only or kind in run.only]
    found = Found(kinds, run.counts or ((1, 20) if run.quick else SIZES),
                  far, run)
    found.measure()
    made = [times(found, "issued"), times(found, "served"),
            *(costs(found, count) for count in found.detailed)]
    made[0]["notes"] = notes_of(found) + (FAR_NOTES if far else NEAR_NOTES)
    made[1]["notes"] = list(SERVED_NOTES)
    made[-1]["notes"] = list(COSTS_NOTES)
    return made
