"""A caching resolver, unbound, as a machine and its CA may share one."""

import textwrap

import dns.exception
import dns.message
import dns.query

from lib.process import Process
from lib.wait import wait_until


class Unbound:
    """At address, port 53 of a Network; what it lacks it asks of upstream."""

    def __init__(self, folder, upstream, address="127.0.0.3"):
        self.address = address
        self.at = f"{address}:53"
        self.folder = folder / f"unbound-{address}"
        self.folder.mkdir()
        self.log = self.folder / "log"
        self.server = None
        (self.folder / "unbound.conf").write_text(textwrap.dedent(f"""\
            server:
                interface: {address}
                access-control: 127.0.0.0/8 allow
                do-daemonize: no
                username: ""
                chroot: ""
                directory: "{self.folder}"
                pidfile: ""
                use-syslog: no
                module-config: "iterator"
                do-not-query-localhost: no
                do-ip6: no
                log-queries: yes
            remote-control:
                control-enable: no
            stub-zone:
                name: "."
                stub-addr: {upstream.address}@{upstream.port}
            """))

    def start(self):
        self.server = Process(
            ["/usr/sbin/unbound", "-d", "-c", self.folder / "unbound.conf"],
            self.log)
        wait_until(self._answers, "unbound answers")
        return self

    def end(self):
        if self.server:
            self.server.end()

    def ask(self, name, kind="TXT", timeout=20):
        """The whole answer, which it keeps."""
        return dns.query.udp(dns.message.make_query(name, kind),
                             self.address, timeout)

    def _answers(self):
        assert self.server.running(), self.log.read_text()
        try:
            return self.ask("ns1.example.org", "A", timeout=1)
        except (OSError, dns.exception.DNSException):
            return False
