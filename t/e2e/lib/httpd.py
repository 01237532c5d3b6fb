"""A real httpd with mod_acme, in a folder of its own, on ports of its own."""

import functools
import glob
import http.client
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from dataclasses import dataclass

from lib import process, tls
from lib.log import Log
from lib.ports import accepts, connections, free_port
from lib.wait import PATIENCE, wait_until

REPOSITORY = pathlib.Path(__file__).resolve().parents[3]
BUILD = pathlib.Path(os.environ.get("ACME_BUILD",
                                    REPOSITORY / ".build" / "plain"))
MODULE = pathlib.Path(os.environ.get(
    "ACME_MODULE", BUILD / "mod_acme" / "httpd" / ".libs" / "mod_acme.so"))
SANITIZERS = os.environ.get("ACME_SANITIZERS") == "1"

WORKER = pwd.getpwnam("www-data")

MODULES = ("authn_core authn_file authz_core authz_host authz_user "
           "auth_basic alias dir headers mime proxy proxy_http rewrite "
           "socache_shmcb ssl status unixd watchdog").split()

# Of event and worker: as few as serve a test, and quick to start.
THREADS = """StartServers 2
ThreadsPerChild 8
MinSpareThreads 8
MaxSpareThreads 48
MaxRequestWorkers 128"""

# Lines of the error log that mean that a process of httpd crashed.
CRASH = re.compile(r"AH0005[12]: .*exit signal (?!Killed|Terminated)")
KILLED = re.compile(r"AH0005[12]: .*exit signal Killed")
# The two topmost functions of mpm_event's own crash, told by gdb or ASan.
RACE = re.compile(r"#0 .*\bapr_os_sock_get\b.*\n *#1 .*mod_mpm_event\.so")
REPORT = re.compile(r"ERROR: AddressSanitizer|runtime error:|"
                    r"ERROR: LeakSanitizer")
COMPLAINT = "|".join(regex.pattern for regex in (CRASH, KILLED, REPORT))


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict
    body: str
    pairs: tuple = ()               # all lines of headers, also equal ones


class Httpd:
    """
    Configured by vhost() and part(), then started.

    ca has a url, and the roots that visitors trust. as_root: started as root
    with workers as www-data, else everything is www-data's.
    """

    def __init__(self, root, ca=None, mpm="event", http_port=None,
                 https_port=None, as_root=True, acme=True, agreed=True,
                 reload_delay="1s", environment=None):
        self.root = root
        self.ca = ca
        self.mpm = mpm
        self.http_port = http_port or free_port()
        self.https_port = https_port or free_port()
        self.status_port = free_port()
        self.as_root = as_root
        self.environment = dict(environment or {})
        self.pid = None
        self.foreground = None          # the Process, in foreground mode
        self.ended = False              # all of it: the pid is anyone's now
        self.said = ""                  # on the terminal, by the last start
        self.killed = False             # the test itself killed something
        self.log = Log(root / "logs" / "error.log")
        self.reports = root / "reports"
        self.cores = root / "cores"
        self._make_folders()
        self._write_main()
        if acme:
            self._write_acme(agreed, reload_delay)
        self._give_away()

    # Configuration

    @property
    def config(self):
        return self.root / "conf" / "httpd.conf"

    @property
    def store(self):
        return self.root / "acme"

    @property
    def htdocs(self):
        return self.root / "htdocs"

    def part(self, name, text):
        """Write (or replace) a part of the configuration; its path."""
        path = self.root / "conf" / "parts" / f"{name}.conf"
        path.write_text(text, encoding="utf-8")
        return path

    def remove_part(self, name):
        (self.root / "conf" / "parts" / f"{name}.conf").unlink()

    def vhost(self, name, *aliases, body="", tls_on=True, part=None):
        """A virtual host in a part of its own; that file's path."""
        port = self.https_port if tls_on else self.http_port
        lines = [f"<VirtualHost 127.0.0.1:{port}>", f"ServerName {name}",
                 *(f"ServerAlias {alias}" for alias in aliases),
                 f"DocumentRoot {self.htdocs}",
                 "SSLEngine on" if tls_on else "", body, "</VirtualHost>", ""]
        return self.part(part or f"vhost-{port}-{name}", "\n".join(lines))

    def append(self, part, line):
        """An edit of a part that begins."""
        path = self.root / "conf" / "parts" / f"{part}.conf"
        path.write_text(path.read_text() + line + "\n")

    def _make_folders(self):
        for name in ("conf/parts", "htdocs", "logs", "modules", "run"):
            (self.root / name).mkdir(parents=True)
        for folder in (self.reports, self.cores):
            folder.mkdir()
            folder.chmod(0o1777)
        (self.htdocs / "index.html").write_text("It works\n")

    def _write_main(self):
        loads = "\n".join(
            f"LoadModule {name}_module {modules_folder()}/mod_{name}.so"
            for name in (f"mpm_{self.mpm}", *MODULES)
            if name not in static_modules())
        self.config.write_text(f"""
ServerName localhost
DefaultRuntimeDir run
PidFile run/httpd.pid
CoreDumpDirectory {self.cores}
ErrorLog logs/error.log
{loads}
LogLevel info ssl:warn
User {WORKER.pw_name}
Group www-data
Listen 127.0.0.1:{self.http_port}
Listen 127.0.0.1:{self.https_port}
Listen 127.0.0.1:{self.status_port}
DocumentRoot {self.htdocs}
TypesConfig /dev/null
DirectoryIndex index.html
MaxKeepAliveRequests 0
{"StartServers 10" if self.mpm == "prefork" else THREADS}
SSLSessionCache shmcb:{self.root}/run/sessions(65536)
<Location /server-status>
SetHandler server-status
</Location>
IncludeOptional conf/parts/*.conf
""")

    def _write_acme(self, agreed, reload_delay):
        """As an administrator has it: conf/acme.conf, and this CA."""
        shutil.copy(MODULE, self.root / "modules" / "mod_acme.so")
        text = (REPOSITORY / "conf" / "acme.conf").read_text()
        if not agreed:
            text = text.replace("AcmeTermsOfService agree", "")
        (self.root / "conf" / "acme.conf").write_text(text)
        lines = ["Include conf/acme.conf", f"AcmeStateDir {self.store}",
                 f"AcmePorts http:{self.http_port} https:{self.https_port}",
                 f"AcmeReloadDelay {reload_delay}"]
        if self.ca:
            lines += [f"AcmeCA {self.ca.url}", "AcmeCACertificateFile "
                      f"{self.ca.authority.file}"]
        self.part("acme", "\n".join(lines) + "\n")

    def _give_away(self):
        if not self.as_root:
            for path in (self.root, *self.root.rglob("*")):
                os.chown(path, WORKER.pw_uid, WORKER.pw_gid)

    # Running

    def command(self, *arguments):
        argv = [program(), "-d", str(self.root), "-f", str(self.config),
                *arguments]
        if not self.as_root:
            argv = ["setpriv", "--reuid", str(WORKER.pw_uid), "--regid",
                    str(WORKER.pw_gid), "--clear-groups", *argv]
        return argv

    @property
    def process_environment(self):
        env = {**os.environ, **self.environment}
        env.pop("LD_PRELOAD", None)
        preload = []
        if SANITIZERS:
            preload += sanitizer_libraries()
            path = f"log_path={self.reports}/report"
            env["ASAN_OPTIONS"] = ("detect_leaks=0:abort_on_error=1:"
                                   "disable_coredump=1:"
                                   f"allow_user_segv_handler=0:{path}")
            env["UBSAN_OPTIONS"] = ("halt_on_error=1:abort_on_error=1:"
                                    f"print_stacktrace=1:{path}")
        preload += self.environment.get("LD_PRELOAD", "").split()
        if preload:
            env["LD_PRELOAD"] = " ".join(preload)
        return env

    def start(self, foreground=False):
        loads = self.loads
        self.ended = False
        if foreground:
            self.foreground = process.Process(
                self.command("-DFOREGROUND"), self.root / "logs" / "output",
                env=self.process_environment)
        else:
            self._daemonize()
        pid_file = self.root / "run" / "httpd.pid"
        wait_until(lambda: self._dead() or pid_file.exists()
                   and pid_file.read_text().strip()
                   and self.loads > loads
                   and accepts(self.https_port), "httpd is up")
        assert not self._dead(), f"httpd ended:\n{self.log_text}"
        self.pid = int(pid_file.read_text())
        return self

    def _daemonize(self):
        self.foreground = None
        done = subprocess.run(self.command("-k", "start"), check=False,
                              env=self.process_environment, timeout=PATIENCE,
                              capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        self.said = done.stdout + done.stderr
        assert done.returncode == 0, (f"httpd did not start: {self.said}\n"
                                      f"{self.log_text}")

    def _dead(self):
        return self.foreground and not self.foreground.running()

    def stop(self):
        """Ended, and everything that it started too; the seconds it took."""
        self._let_end_be_safe()
        begin = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        wait_until(lambda: not self.running, "httpd has stopped")
        if self.foreground:
            self.foreground.popen.wait(PATIENCE)
        seconds = time.monotonic() - begin
        self.ended = not process.group(self.pid)
        return seconds

    def graceful(self):
        """A graceful reload by the administrator; the seconds it took."""
        before = self.loads
        begin = time.monotonic()
        os.kill(self.pid, signal.SIGUSR1)
        wait_until(lambda: self.loads > before, "httpd has reloaded")
        return time.monotonic() - begin

    def restart(self):
        self.stop()
        self.start()

    def end(self):
        """Whatever state it is in."""
        if self.ended:
            return
        if self.foreground:
            self._let_end_be_safe()
            self.foreground.end()
        elif self.pid is None:
            self._find_lost()
        if self.pid and self.running:
            self._let_end_be_safe()
            os.kill(self.pid, signal.SIGTERM)
            try:
                wait_until(lambda: not self.running, "httpd ended", 12)
            except AssertionError:
                pass
        if self.pid:
            process.end_group(self.pid)

    def _let_end_be_safe(self):
        """
        Two crashes of httpd's own at SIGTERM are made rare; complaints() knows
        what is left of the first. A child of event or worker closes the
        sockets of its threads then, and reads one that its thread has just
        freed when that connection ends in the same moment (mpm_event:
        close_worker_sockets). And one that has no threads yet calls exit() in
        its signal handler (just_die), in the middle of malloc() as it happens.
        """
        ports = (self.http_port, self.https_port, self.status_port)
        try:
            wait_until(lambda: not connections(ports), "no connection", 3)
            if self.mpm != "prefork":
                wait_until(lambda: all(process.has_threads(pid)
                                       for pid in self.workers),
                           "each child has its threads", 3)
        except AssertionError:
            pass                        # a test holds one

    def _find_lost(self):
        pid_file = self.root / "run" / "httpd.pid"
        if pid_file.exists() and pid_file.read_text().strip():
            self.pid = int(pid_file.read_text())

    def httpd_t(self, *arguments):
        """httpd -t: exit code and what it said."""
        done = subprocess.run(self.command("-t", *arguments), check=False,
                              env=self.process_environment, timeout=PATIENCE,
                              stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    # Processes

    @property
    def running(self):
        return process.alive(self.pid)

    @property
    def workers(self):
        """The children that serve, and one that comes: not ours."""
        return [pid for pid in process.children(self.pid)
                if not (process.name(pid) or "").startswith("acme-")]

    @property
    def commands(self):
        """What runs for the keeper: children of its launcher."""
        return [pid for launcher in process.children(self.keeper)
                for pid in process.children(launcher)
                if process.name(pid) not in ("acme-certs", "acme-keys")]

    @property
    def cert_reader(self):
        """It parses certificates for the keeper of this load."""
        def lives():
            return next((pid for launcher in process.children(self.keeper)
                         for pid in process.children(launcher)
                         if process.name(pid) == "acme-certs"), None)

        return wait_until(lives, "the reader of certificates has started")

    @property
    def key_maker(self):
        """It makes RSA keys for the keeper of this load; None: none yet."""
        return next((pid for launcher in process.children(self.keeper)
                     for pid in process.children(launcher)
                     if process.name(pid) == "acme-keys"), None)

    @property
    def witness(self):
        """Of this load of the server: the last one's ended before it."""
        def lives():
            return next((pid for pid in process.children(self.pid)
                         if process.name(pid) == "acme-witness"), None)

        return wait_until(lives, "the witness has started")

    @property
    def keeper(self):
        """Of this load of the server: the last one's ended before it."""
        def lives():
            pid = self._last_pid("acme: keeper: started, pid")
            return pid if pid and process.alive(pid) else None

        return wait_until(lives, "the keeper has started")

    @property
    def renewal_child(self):
        """Where the renewal thread of this load runs: the board says so."""
        def runs():
            pid = self._last_pid("acme: renewal: runs in child")
            return pid if pid and process.alive(pid) and \
                self.status().get("AcmeRenewalPid") == str(pid) else None

        return wait_until(runs, "the renewal thread runs")

    def _last_pid(self, text):
        """Of those that the log has behind this text; None: not yet there."""
        found = self.matching(rf"{text} (\d+)")
        return int(found[-1][1]) if found else None

    def kill(self, pid):
        self.killed = True
        os.kill(pid, signal.SIGKILL)

    def kill_parent(self):
        """As a crash and a service manager do: the parent, then the rest."""
        self.kill(self.pid)
        wait_until(lambda: not self.running, "the parent is dead")
        if self.foreground:
            self.foreground.popen.wait(PATIENCE)
        process.end_group(self.pid)
        self.ended = True
        (self.root / "run" / "httpd.pid").unlink()

    # The error log

    @property
    def log_text(self):
        return self.log.text

    def matching(self, regex):
        """All matches in the log, one a line that is complete at most."""
        return self.log.matching(regex)

    def wait(self, condition, what, timeout=PATIENCE):
        """As wait_until(), but a crash of httpd's ends it at once."""
        def sound_and_condition():
            complaints = self.complaints()
            assert not complaints, "\n".join(complaints)
            return condition()

        wait_until(sound_and_condition, what, timeout)

    def wait_log(self, regex, count=1, timeout=PATIENCE):
        """The count-th match of a regex in the log."""
        self.wait(lambda: len(self.matching(regex)) >= count,
                  f"{count} times in the log: {regex}", timeout)
        return self.matching(regex)[count - 1]

    @property
    def loads(self):
        """How often the configuration was loaded, the start included."""
        return len(self.matching("resuming normal operations"))

    @property
    def reloads_asked(self):
        """How often mod_acme asked for a reload."""
        return len(self.matching("acme: reload: httpd .*reloads gracefully"))

    def installed(self, cert_id):
        """Serials of what was installed for this certificate, in order."""
        return [int(match[1], 16) for match in self.matching(
            rf"acme: {re.escape(cert_id)}: installed: .*?"
            r"\bserial ([0-9A-Fa-f:]+)")]

    def failures(self, cert_id):
        return [match[1] for match in self.matching(
            rf"acme: {re.escape(cert_id)}: failed: (.*)")]

    def wait_failed(self, cert_id, count=1, timeout=PATIENCE):
        """The text of the count-th failure."""
        self.wait(lambda: len(self.failures(cert_id)) >= count,
                  f"{cert_id} failed {count} times", timeout)
        return self.failures(cert_id)[count - 1]

    def wait_installed(self, cert_id, count=1, timeout=PATIENCE):
        """The serial of the count-th certificate."""
        self.wait(lambda: len(self.installed(cert_id)) >= count,
                  f"{cert_id} was installed {count} times", timeout)
        return self.installed(cert_id)[count - 1]

    def wait_quiet(self, cert_id):
        """
        Until nothing more is written about a new certificate: the CA was asked
        for its renewal information and the terms, and what is served was seen.
        """
        def is_quiet():
            journal = self.journal(cert_id)
            accounts = (self.store / "accounts").glob("*/account.json")
            return (journal.get("renewalInfo") and journal.get("selfCheck")
                    and all(json.loads(path.read_text()).get("terms")
                            for path in accounts))

        self.wait(is_quiet, f"nothing more is written about {cert_id}")

    # Clients

    def look(self, name, verify=False, **options):
        return tls.look(self.https_port, name,
                        self.ca.roots if verify else None, **options)

    def chain(self, name):
        return tls.chain(self.https_port, name)

    def wait_served(self, name, serial, timeout=PATIENCE):
        """Until visitors get this certificate, verified against the root.

        By then the keeper of the load that serves it is there, too.
        """
        roots = self.ca.roots
        last = []

        # Verified at the same look: a child from before the reload, with the
        # placeholder, may answer the next one.
        def served():
            try:
                last[:] = [tls.look(self.https_port, name, roots)]
            except ssl.SSLCertVerificationError as problem:
                last[:] = [problem]
                return False
            return last[0].serial == serial

        try:
            self.wait(served, f"{name} is served with serial {serial:x}",
                      timeout)
        except AssertionError as late:
            raise AssertionError(f"{late}; last seen: {last}") from None
        assert self.keeper
        return last[0]

    def wait_valid(self, cert_id, name=None, count=1, timeout=PATIENCE):
        """Until the count-th certificate is installed and served."""
        serial = self.wait_installed(cert_id, count, timeout)
        return self.wait_served(name or cert_id, serial, timeout)

    def get(self, path="/", host="localhost", method="GET", port=None,
            headers=None):
        """A plain request to the http port; redirects are not followed."""
        client = http.client.HTTPConnection(
            "127.0.0.1", port or self.http_port, timeout=PATIENCE)
        return ask(client, method, path, host, headers)

    def get_tls(self, name, path="/", method="GET", address="127.0.0.1"):
        """A request by https, whatever the certificate."""
        client = http.client.HTTPSConnection(
            name, self.https_port, timeout=PATIENCE, context=tls.context())
        client._create_connection = functools.partial(
            _connect, (address, self.https_port))
        return ask(client, method, path, name, None)

    def status(self):
        """The lines of server-status?auto."""
        body = self.get("/server-status?auto", port=self.status_port).body
        return dict(line.split(": ", 1) for line in body.split("\n")
                    if ": " in line)

    def certificate(self, cert_id):
        """What server-status?auto says of one: {"State": "valid", ...}.

        Not what it says until the keeper of a load has read its store.
        """
        def known():
            found = self._shown(cert_id)
            return found.get("State") != "starting" and [found]

        return wait_until(known, f"the keeper knows of {cert_id}")[0]

    def _shown(self, cert_id):
        lines = self.status()
        for i in range(int(lines.get("AcmeCertificates", 0))):
            prefix = f"AcmeCertificate[{i}]"
            if lines.get(f"{prefix}Id") == cert_id:
                return {key[len(prefix):]: value
                        for key, value in lines.items()
                        if key.startswith(prefix)}
        return {}

    def wait_state(self, cert_id, state, timeout=PATIENCE):
        self.wait(lambda: self.certificate(cert_id).get("State") == state,
                  f"{cert_id} is {state}", timeout)
        return self.certificate(cert_id)

    def journal(self, cert_id):
        path = self.store / "journal" / f"{cert_id}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    def live(self, cert_id):
        """The certificates of the live folder, the leaf first."""
        folder = self.store / "live" / cert_id
        return tls.read_chain((folder / "fullchain.pem").read_text())

    def acmectl(self, *arguments):
        """Exit code and output of acmectl, asked as root."""
        done = subprocess.run(
            [BUILD / "mod_acme" / "ctl" / "acmectl", "--state-dir", self.store,
             *arguments], check=False, timeout=PATIENCE, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return done.returncode, done.stdout

    def renew(self, cert_id):
        """The administrator wants a new certificate now.

        He asks again when a reload has just ended the keeper.
        """
        wait_until(lambda: self.acmectl("renew", cert_id, "--force")[0] == 0,
                   f"acmectl renews {cert_id}")

    # The end

    def complaints(self):
        """What is wrong after any test: crashes, sanitizers' reports."""
        # The log first: a core is whole before its line is written.
        lines = [match.string for match in self.matching(COMPLAINT)]
        stacks = list(self.stacks()) if lines else []
        found = [line for line in lines
                 if CRASH.search(line) and not self._is_excused(line, stacks)
                 or REPORT.search(line)
                 or not self.killed and KILLED.search(line)]
        reports = (path.read_text(errors="replace")
                   for path in sorted(self.reports.iterdir()))
        return found + [text for text in reports if not RACE.search(text)]

    def stacks(self):
        """What gdb says of each core: its threads, and where it crashed."""
        for core in sorted(self.cores.iterdir()):
            done = subprocess.run(
                ["gdb", "-batch", "-nx", "-ex", "backtrace 20", program(),
                 str(core)], check=False, timeout=PATIENCE, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            yield done.stdout

    @staticmethod
    def _is_excused(line, stacks):
        """Did mpm_event crash by itself, see _let_connections_end()?"""
        pid = re.search(r"child pid (\d+)", line)[1]
        return any(f"[New LWP {pid}]" in stack and RACE.search(stack)
                   for stack in stacks)


def ask(client, method, path, host, headers):
    try:
        client.request(method, path, headers={"Host": host, **(headers or {})})
        answer = client.getresponse()
        return Reply(answer.status,
                     {k.lower(): v for k, v in answer.getheaders()},
                     answer.read().decode(errors="replace"),
                     tuple((k.lower(), v) for k, v in answer.getheaders()))
    finally:
        client.close()


def _connect(address, _named, timeout, source):
    return socket.create_connection(address, timeout, source)


@functools.cache
def program():
    found = shutil.which("apache2", path="/usr/sbin:/sbin:/usr/local/sbin")
    return found or shutil.which("httpd", path="/usr/sbin:/usr/local/sbin")


@functools.cache
def modules_folder():
    apxs = shutil.which("apxs") or shutil.which("apxs2")
    return subprocess.run([apxs, "-q", "exp_libexecdir"], check=True,
                          capture_output=True, text=True).stdout.strip()


@functools.cache
def static_modules():
    text = subprocess.run([program(), "-l"], check=True, capture_output=True,
                          text=True).stdout
    return set(re.findall(r"mod_(\w+)\.c", text))


@functools.cache
def sanitizer_libraries():
    return [subprocess.run(["gcc", f"-print-file-name={name}"], check=True,
                           capture_output=True, text=True).stdout.strip()
            for name in ("libasan.so", "libubsan.so")]


@functools.cache
def faketime_library():
    """libfaketime, or None where it is not installed."""
    found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
    return found[0] if found else None
