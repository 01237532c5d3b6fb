"""Those that are measured: mod_acme and its rivals, each at its best settings.

What all have in common: certificates for one name each, P-256, http-01, an
account that does not exist yet. With a client of its own httpd runs before the
first order, without TLS; the virtual hosts are configured when the
certificates are there, as their files are named then.

A client that has been started has roots(), the processes that count as its
own, and a port with TLS; issued() says whether all certificates have come, and
activate() does what an administrator has to do for them to be served.
"""

import os
import subprocess

from lib.httpd import modules_folder
from lib.log import Log
from lib.ports import accepts
from lib.process import Process
from lib.wait import wait_until

ADDRESS = "admin@example.org"
SIDE_BY_SIDE = 8

# mod_acme's log, where live is not in the build or not possible here.
LIVE_FAILS = r"AcmeActivate live(: .*graceful| does not work here)"
NOT_LIVE = ("`AcmeActivate live` does not work in this build: its log says "
            "that httpd reloads gracefully instead. It is left out.")


def httpd(site, ca=None, **options):
    """With the threads that Debian's package configures."""
    server = site.server(ca, **options)
    server.part("a-threads", """StartServers 2
MinSpareThreads 25
MaxSpareThreads 75
ThreadLimit 64
ThreadsPerChild 25
MaxRequestWorkers 150
""")
    return server


class ModAcme:
    """AcmeActivate: by its own graceful reload, with the default delay."""

    title = "mod_acme"
    activate_how = "graceful"

    def __init__(self, site, ca, names):
        self.names = names
        self.server = httpd(site, ca, reload_delay="5s")
        self.server.part("bench", f"AcmeActivate {self.activate_how}\n"
                                  "AcmeChallenges http-01\n")
        for name in names:
            self.server.vhost(name)
        self.port = self.server.https_port

    def prepare(self):
        """What is not measured."""

    def start(self):
        self.server.start()

    def roots(self):
        self.server._find_lost()            # while start() waits, too
        return [self.server.pid] if self.server.pid else []

    def issued(self):
        assert not self.server.complaints()
        return len(self.server.matching(r"acme: \S+: installed: ")) \
            >= len(self.names)

    def activate(self):
        """It does that itself."""

    @property
    def falls_back(self):
        """Is live not in this build, so that it is graceful?"""
        return bool(self.server.matching(LIVE_FAILS))


class ModAcmeLive(ModAcme):
    title = "mod_acme, live"
    activate_how = "live"


class ModMd:
    """The reload is by hand; without it mod_md never serves them."""

    title = "mod_md"

    def __init__(self, site, ca, names):
        self.names = names
        self.server = httpd(site, ca, acme=False)
        self.server.part("amd", f"""
LoadModule md_module {modules_folder()}/mod_md.so
MDCertificateAuthority {ca.url}
MDCACertificateFile {ca.authority.file}
MDCertificateAgreement accepted
MDContactEmail {ADDRESS}
MDPortMap http:{self.server.http_port} https:{self.server.https_port}
MDCAChallenges http-01
MDStapling off
MDPrivateKeys secp256r1
""" + "".join(f"MDomain {name}\n" for name in names))
        for name in names:
            self.server.vhost(name)
        self.port = self.server.https_port

    prepare = ModAcme.prepare
    start = ModAcme.start
    roots = ModAcme.roots

    def issued(self):
        assert not self.server.complaints()
        return len(self.server.matching("AH10059: ")) >= len(self.names)

    def activate(self):
        reload(self.server)


class WithWebroot:
    """A program for each certificate, and an httpd that has its files."""

    side_by_side = 1
    first_alone = False             # it makes the account that all use

    def __init__(self, site, ca, names):
        self.names = names
        self.ca = ca
        self.folder = site.folder / type(self).__name__
        self.folder.mkdir()
        self.closing = site.closing
        self.server = httpd(site, ca, acme=False)
        self.port = self.server.https_port
        self.parts = []
        self.left = []

    def prepare(self):
        self.server.start()

    def start(self):
        self.left = [self.names[:1], self.names[1:]] \
            if self.first_alone else [self.names]
        self._next()

    def _next(self):
        """Those of the list that can be made side by side."""
        names = self.left.pop(0)
        if not names:
            return
        lists = self.folder / f"names{len(self.parts)}"
        lists.write_text("".join(f"{name}\n" for name in names))
        part = Process(
            ["xargs", "-a", lists, "-P", str(self.side_by_side), "-I", "NAME",
             *self.command()], self.folder / "log",
            env={**os.environ, "HOME": str(self.folder),
                 **self.environment()})
        self.closing.callback(part.end)
        self.parts.append(part)

    def roots(self):
        """Also those that have ended, and wait for us to see that."""
        return [self.server.pid, *(part.pid for part in self.parts)]

    def issued(self):
        # Not waited for: its times are gone with it.
        if self.ended(self.parts[-1].pid) and self.left:
            self._next()
        if self.left or not self.ended(self.parts[-1].pid):
            return False
        for name in self.names:
            assert self.files(name)[0].exists(), \
                f"{self.title}: no certificate for {name}:\n" \
                + (self.folder / "log").read_text()[-2000:]
        return True

    @staticmethod
    def ended(pid):
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"

    def activate(self):
        for name in self.names:
            cert, key = self.files(name)
            self.server.vhost(name, body=f"SSLCertificateFile {cert}\n"
                                         f"SSLCertificateKeyFile {key}")
        reload(self.server)


class Certbot(WithWebroot):
    """It locks its folders: one at a time."""

    title = "certbot"

    def command(self):
        folders = (f"--{name}-dir={self.folder / name}"
                   for name in ("config", "work", "logs"))
        return ["certbot", "certonly", "-n", "--agree-tos", "-m", ADDRESS,
                "--webroot", "-w", self.server.htdocs, "--server", self.ca.url,
                "--key-type", "ecdsa", "--elliptic-curve", "secp256r1",
                *folders, "-d", "NAME"]

    def environment(self):
        return {"REQUESTS_CA_BUNDLE": str(self.ca.authority.file)}

    def files(self, name):
        folder = self.folder / "config" / "live" / name
        return folder / "fullchain.pem", folder / "privkey.pem"


class Lego(WithWebroot):
    """One account, and eight at a time."""

    title = f"lego, {SIDE_BY_SIDE} side by side"
    side_by_side = SIDE_BY_SIDE
    first_alone = True

    def command(self):
        return ["lego", "--server", self.ca.url, "--accept-tos", "--email",
                ADDRESS, "--path", self.folder / "lego", "--key-type", "ec256",
                "--http", "--http.webroot", self.server.htdocs,
                "--domains", "NAME", "run"]

    def environment(self):
        return {"LEGO_CA_CERTIFICATES": str(self.ca.authority.file)}

    def files(self, name):
        folder = self.folder / "lego" / "certificates"
        return folder / f"{name}.crt", folder / f"{name}.key"


class CaddyServer:
    """It serves them itself, and needs no reload.

    With hundreds of names and no account yet Caddy 2.6 makes several accounts
    at once, whose files get mixed up, and waits for minutes. So it has one.
    """

    title = "Caddy"

    def __init__(self, site, ca, names):
        self.names = names
        self.site = site
        self.ca = ca
        self.folder = site.folder / "caddy"
        self.folder.mkdir()
        (self.folder / "index.html").write_text("It works\n")
        self.port = site.https_port
        self.config = self.folder / "Caddyfile"
        self.log = Log(self.folder / "log")
        self.process = None

    def prepare(self):
        self._run(["account.example.org"])
        wait_until(lambda: self._obtained(1), "Caddy has an account")
        self.process.end()
        self.process = None

    def start(self):
        self._run(self.names)
        wait_until(lambda: accepts(self.port), "caddy listens")

    def _run(self, names):
        self.config.write_text(f"""{{
    admin off
    storage file_system {self.folder / "storage"}
    skip_install_trust
    http_port {self.site.http_port}
    https_port {self.site.https_port}
    email {ADDRESS}
    cert_issuer acme {self.ca.url} {{
        trusted_roots {self.ca.authority.file}
        disable_tlsalpn_challenge
    }}
}}
""" + "".join(f"""{name} {{
    bind 127.0.0.1
    root * {self.folder}
    file_server
}}
""" for name in names))
        self.process = Process(
            ["caddy", "run", "--config", self.config, "--adapter",
             "caddyfile"], self.log.path,
            env={**os.environ, "HOME": str(self.folder)})
        self.site.closing.callback(self.process.end)

    def _obtained(self, count):
        assert self.process.running(), self.log.text[-2000:]
        return len(self.log.matching("certificate obtained successfully")) \
            >= count

    def roots(self):
        return [self.process.pid] if self.process else []

    def issued(self):
        return self._obtained(1 + len(self.names))

    def activate(self):
        """Nothing is to be done."""


def reload(server):
    """As an administrator: apachectl graceful checks the files first."""
    subprocess.run(server.command("-k", "graceful"), check=True,
                   capture_output=True, env=server.process_environment)


ALL = (ModAcme, ModAcmeLive, ModMd, CaddyServer, Lego, Certbot)
BY_NAME = {"mod_acme": ModAcme, "live": ModAcmeLive, "mod_md": ModMd,
           "caddy": CaddyServer, "lego": Lego, "certbot": Certbot}
