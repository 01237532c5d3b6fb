"""What running servers cost their visitors: handshakes, reloads, challenges."""

import contextlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

from lib import tls
from lib.fixtures import Site
from lib.ports import free_port, release_all
from lib.process import Process
from lib.relay import Relay
from lib.wait import wait_until

from suite import clients, tables, usage
from suite.ca import Ca, Watch

SECONDS = 900


@contextlib.contextmanager
def a_site():
    with contextlib.ExitStack() as closing:
        folder = pathlib.Path(tempfile.mkdtemp(prefix="acme-bench-"))
        closing.callback(shutil.rmtree, folder, ignore_errors=True)
        closing.callback(release_all)
        folder.chmod(0o755)
        yield Site(folder, closing)


class Server:
    """mod_acme with its certificates, from a CA of its own."""

    def __init__(self, site, names, activate="graceful"):
        http_port, https_port = free_port(), free_port()
        self.names = names
        self.ca = site._started(Ca(
            site.folder, site.authority, http_port, tls_port=https_port,
            name=site._name("pebble")))
        self.httpd = clients.httpd(site, self.ca, http_port=http_port,
                                   https_port=https_port)
        self.watch = Watch(self.ca)
        # Here the swaps count, not the orders: seldom to wait for another CA.
        self.httpd.part("bench", f"AcmeActivate {activate}\n"
                                 "AcmeChallenges http-01\nAcmeParallel 4\n")
        for name in names:
            self.httpd.vhost(name)
        self.httpd.start()
        self.wait_installed(len(names))
        self.wait_served()

    @property
    def falls_back(self):
        return bool(self.httpd.matching(clients.LIVE_FAILS))

    def installed(self):
        """The newest serial of each name; how many there were in all."""
        found = self.httpd.matching(
            r"acme: (\S+): installed: .*?\bserial ([0-9A-Fa-f:]+)")
        return {match[1]: int(match[2], 16) for match in found}, len(found)

    def wait_installed(self, count):
        def are_installed():
            self.watch.look()
            return self.installed()[1] >= count

        wait_until(are_installed, f"{count} certificates are installed",
                   SECONDS)

    def wait_served(self):
        """The newest of each name."""
        newest, _ = self.installed()
        for name in self.names:
            wait_until(lambda: tls.look(self.httpd.https_port, name).serial
                       == newest[name], f"{name} is served", SECONDS)

    def renew_all(self):
        """All anew; until all are installed."""
        _, before = self.installed()
        code, said = self.httpd.acmectl("renew", "--all", "--force")
        assert code == 0, said
        self.wait_installed(before + len(self.names))


def plain(site, server):
    """mod_ssl alone, with the files of a Server."""
    httpd = clients.httpd(site, server.ca, acme=False)
    for name in server.names:
        live = server.httpd.store / "live" / name
        httpd.vhost(name, body=f"SSLCertificateFile {live}/fullchain.pem\n"
                               f"SSLCertificateKeyFile {live}/privkey.pem")
    httpd.start()
    return httpd


def visit(httpd, names, seconds, new, kept=0):
    """What bench_visit has seen; below zero: handshakes only."""
    done = subprocess.run(
        [PROGRAMS / "bench_visit", str(httpd.https_port), str(seconds),
         str(new), str(kept), *names], check=True, capture_output=True,
        text=True, timeout=abs(seconds) + 120)
    return json.loads(done.stdout)


PROGRAMS = pathlib.Path(os.environ["ACME_BUILD"]) / "t" / "bench"


# Handshakes

def handshakes(run):
    names = [f"n{i}.example.org" for i in range(20)]
    rounds, seconds = (5, 1) if run.quick else (9, 2)
    notes = ["Full handshakes without resumption (TLS 1.3, P-256), 4 at a "
             "time from the same machine, 20 names in turn; the servers take "
             "turns, too. CPU is that of all processes of httpd, and less "
             "disturbed by other programs than the rate."]
    with a_site() as site:
        graceful = Server(site, names)
        servers = {"plain mod_ssl": plain(site, graceful),
                   "mod_acme, graceful": graceful.httpd}
        live = Server(site, names, "live")
        if live.falls_back:
            notes.append(clients.NOT_LIVE)
        else:
            live.httpd.graceful()
            servers["mod_acme, live, not swapped"] = live.httpd
            swapped = Server(site, names, "live")
            swapped.httpd.graceful()
            swapped.renew_all()
            swapped.wait_served()
            servers["mod_acme, live, swapped"] = swapped.httpd
        rates = {title: [] for title in servers}
        costs = {title: [] for title in servers}
        for _ in range(rounds):
            for title, httpd in servers.items():
                before = usage.cpu([httpd.pid])
                seen = visit(httpd, names, -seconds, 4)
                assert seen["new"] and not failed(seen), seen
                used = usage.cpu([httpd.pid]) - before
                rates[title].append(seen["new"] / seen["seconds"])
                costs[title].append(used / seen["new"] * 1e6)
                run.say(f"{title}: {rates[title][-1]:.0f} handshakes/s")
    base = tables.median(costs["plain mod_ssl"])
    return [tables.table(
        "TLS handshakes",
        ["", "handshakes/s", "CPU us each", "of plain mod_ssl"],
        [[title, tables.median(rates[title]), tables.median(costs[title]),
          f"{tables.median(costs[title]) / base:.2f}"]
         for title in servers], notes)]


def failed(seen):
    return seen["connect"] + seen["handshake"] + seen["answer"]


# The certificate callback

def callback(_run):
    with a_site() as site:
        cert, key = site.authority.server_files("live", "www.example.org")
        cert.write_text(cert.read_text() + site.authority.pem)
        done = subprocess.run([PROGRAMS / "bench_live", cert, key], check=True,
                              capture_output=True, text=True, timeout=600)
    rows = [line.split(";") for line in done.stdout.splitlines()]
    return [tables.table(
        "The certificate callback of `AcmeActivate live`",
        ["in a handshake", "median, ns", "minimum, ns"],
        [[name, float(middle), float(least)]
         for name, middle, least, _ in rows],
        ["`bench_live`: what the callback does with OpenSSL, without httpd; "
         "15 rounds."])]


# Reloads and swaps under load

class Visitors:
    """bench_visit beside what is done; used with "with"."""

    NEW, KEPT = 4, 16

    def __init__(self, site, httpd, names):
        self.site = site
        self.argv = [PROGRAMS / "bench_visit", str(httpd.https_port),
                     str(SECONDS), str(self.NEW), str(self.KEPT), *names]
        self.process = None
        self.seen = None

    def __enter__(self):
        log = self.site.folder / f"{self.site._name('visit')}.json"
        self.process = Process(self.argv, log)
        self.site.closing.callback(self.process.end)
        time.sleep(1)               # some work before, to be compared with
        return self

    def __exit__(self, kind, *_):
        if not kind:
            time.sleep(1)
            self.process.popen.terminate()
            self.process.popen.wait(60)
            self.seen = json.loads(self.process.log.read_text())


def swaps(run):
    count, reloads, turns = (20, 10, 2) if run.quick else (100, 100, 10)
    names = [f"n{i}.example.org" for i in range(count)]
    notes = ["Visitors from the same machine: 4 threads with a connection for "
             "each request, 16 that keep theirs, with pauses of 5 and 10 ms. "
             "Failures are refused connections, and handshakes and answers "
             "that did not come; dropped: a kept connection took a request "
             "and was closed without an answer; closed: between two requests. "
             "The gap is the longest time in which no new connection was "
             "served; the last column adds up those above 100 ms.",
             f"{count} virtual hosts."]
    rows = []

    def row(title, site, httpd, work):
        with Visitors(site, httpd, names) as visitors:
            work()
        seen = visitors.seen
        rows.append([title, seen["seconds"], seen["new"] + seen["kept"],
                     failed(seen), seen["dropped"], seen["closed"],
                     seen["gap"], seen["gaps"]])
        run.say(f"{title}: {seen}")

    def reload_often(httpd):
        """As an administrator; each once the one before has been done."""
        for _ in range(reloads):
            loads = httpd.loads
            clients.reload(httpd)
            wait_until(lambda: httpd.loads > loads, "httpd has reloaded")
            time.sleep(0.2)

    with a_site() as site:
        graceful = Server(site, names)
        httpd = plain(site, graceful)
        row("plain mod_ssl, nothing happens", site, httpd,
            lambda: time.sleep(10))
        row("mod_acme, nothing happens", site, graceful.httpd,
            lambda: time.sleep(10))
        row(f"plain mod_ssl, {reloads} graceful reloads", site, httpd,
            lambda: reload_often(httpd))
        row(f"mod_acme, {reloads} graceful reloads", site, graceful.httpd,
            lambda: reload_often(graceful.httpd))
    run.say_to_go()
    with a_site() as site:
        live = Server(site, names, "live")
        if live.falls_back:
            notes.append(clients.NOT_LIVE)
        else:
            loads = live.httpd.loads

            def swap():
                for _ in range(turns):
                    live.renew_all()
                live.wait_served()

            row(f"mod_acme, live, {turns * count:,} swaps", site, live.httpd,
                swap)
            notes.append("The swaps are renewals by `acmectl renew --all "
                         "--force`, with orders of their own at the CA, so "
                         "the machine does other work meanwhile. httpd "
                         f"reloaded {live.httpd.loads - loads} times.")
            row(f"mod_acme, live, {reloads} graceful reloads", site,
                live.httpd, lambda: reload_often(live.httpd))
    made = [tables.table(
        "Reloads and swaps under load",
        ["", "s", "answers", "failures", "dropped", "closed", "gap, s",
         "gaps, s"], rows, notes)]
    run.say_to_go()
    return made + swapped_memory(run)


def swapped_memory(run):
    """What a process of httpd keeps of each pair that was swapped."""
    count, seconds = (50, 2) if run.quick else (500, 8)
    names = [f"n{i}.example.org" for i in range(count)]
    with a_site() as site:
        live = Server(site, names, "live")
        if live.falls_back:
            return []
        live.httpd.graceful()           # nothing is swapped

        def warm():
            """Each process has served each name, a few times."""
            visit(live.httpd, names, -seconds, 4)
            return {pid: usage.rollup(pid) for pid in live.httpd.workers}

        states = [warm(), warm()]
        for _ in range(2):
            live.renew_all()
            live.wait_served()
            states.append(warm())
        processes = [pid for pid in states[0]
                     if all(pid in state for state in states)]
        assert processes, "the processes of httpd have stayed"
    rows = []
    for title, (before, after) in zip(
            ("nothing is swapped", "all are swapped", "all again"),
            zip(states, states[1:])):
        # The process that has the renewal thread grows for other reasons.
        rows.append([title, *(
            min(after[pid][key] - before[pid][key] for pid in processes)
            / count / 1024 for key in ("Anonymous", "Pss"))])
        run.say(f"memory of a pair, {rows[-1]}")
    return [tables.table(
        "Memory that a process of httpd takes for a swapped pair, in kB",
        ["", "of its own", "with its share of what is shared"], rows,
        [f"{count} virtual hosts, one P-256 pair each, which each process has "
         "served before and after; of the processes that which grew least, as "
         "another runs the renewals. The first row is what grows without "
         "swaps."])]


# Challenges

class Gate(Relay):
    """Before our port 80; it notes what the CA asks for, and lets it wait."""

    def __init__(self, target):
        super().__init__(target)
        self.paths = []

    def _pass(self, client):
        head = client.recv(4096, socket.MSG_PEEK).decode("latin-1")
        self.paths.append(head.split(" ")[1])
        super()._pass(client)


def challenges(run):
    """While the CA waits at the gate its token is in the table."""
    rounds = 3
    names = [f"n{i}.example.org" for i in range(rounds)]
    rates = {"a static file": [], "a challenge": []}
    costs = {"a static file": [], "a challenge": []}
    with a_site() as site:
        gate = Gate(site.http_port)
        site.closing.callback(gate.end)
        site.validated_port = gate.start().port
        server = clients.httpd(site, site.ca(), reload_delay="60s")
        server.part("bench", "AcmeChallenges http-01\nAcmeParallel 1\n"
                             "AcmeReloadDelay 60s\n")
        for name in names:
            server.vhost(name)
        gate.shut()
        server.start()
        for i in range(rounds):
            wait_until(lambda: len(set(gate.paths)) > i, "the CA validates")
            path = gate.paths[-1]
            answer = server.get(path)
            assert answer.status == 200, answer
            (server.htdocs / "static").write_text(answer.body)
            for title, where in (("a challenge", path),
                                 ("a static file", "/static")):
                rate, cost = load(server, where)
                rates[title].append(rate)
                costs[title].append(cost)
                run.say(f"{title}: {rate:.0f} answers/s")
            gate.open()
            wait_until(lambda: not gate.waiting, "the CA goes on")
            gate.shut()                 # for the next order
    return [tables.table(
        "Answers of the same httpd without TLS",
        ["", "answers/s", "CPU us each"],
        [[title, tables.median(rates[title]), tables.median(costs[title])]
         for title in rates],
        ["`ab -c 8` for 1 s, in turn, a connection for each, as CAs make "
         "them; the static file has the octets of the challenge's answer. "
         "CPU is that of all processes of httpd."])]


def load(httpd, path):
    """Answers per second, and the server's CPU us for each."""
    before = usage.cpu([httpd.pid])
    said = subprocess.run(
        ["ab", "-q", "-c", "8", "-t", "1", "-n", "10000000",
         f"http://127.0.0.1:{httpd.http_port}{path}"], check=True,
        capture_output=True, text=True, timeout=60).stdout
    used = usage.cpu([httpd.pid]) - before
    number = {key: float(re.search(rf"{key}:\s+([\d.]+)", said)[1])
              for key in ("Complete requests", "Failed requests",
                          "Requests per second")}
    assert not number["Failed requests"] and "Non-2xx" not in said, said
    return (number["Requests per second"],
            used / number["Complete requests"] * 1e6)
