"""The CA of the tests: pebble, and the DNS where every name is loopback."""

import json
import os
import urllib.request

from lib.ports import accepts, free_port
from lib.process import Process
from lib.tls import context
from lib.wait import wait_until


class Pebble:
    """
    A pebble that validates at http_port.

    validity: seconds that certificates live; nonce_reject, authz_reuse: in
    percent; chain_length: intermediates; sleep: pauses between validations.
    """

    def __init__(self, folder, authority, http_port, validity=90 * 24 * 3600,
                 nonce_reject=0, authz_reuse=0, chain_length=1, sleep=False,
                 blocked=()):
        self.folder = folder
        self.authority = authority
        self.http_port = http_port
        self.port = free_port()
        self.management = free_port()
        self.dns_port = free_port()
        self.environment = {
            "PEBBLE_VA_NOSLEEP": "0" if sleep else "1",
            "PEBBLE_WFE_NONCEREJECT": str(nonce_reject),
            "PEBBLE_AUTHZREUSE": str(authz_reuse),
            "PEBBLE_CHAIN_LENGTH": str(chain_length)}
        self.config = self._write_config(validity, list(blocked))
        self.log = folder / "pebble.log"
        self.dns = self.server = None

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}/dir"

    def start(self):
        if not self.dns:
            self.dns = self._start_dns()
        self.server = Process(
            ["pebble", "-config", self.config,
             "-dnsserver", f"127.0.0.1:{self.dns_port}"],
            self.log, env={**os.environ, **self.environment})
        wait_until(lambda: accepts(self.port) and accepts(self.management),
                   "pebble listens")
        return self

    def stop(self):
        if self.server:
            self.server.end()

    def end(self):
        self.stop()
        if self.dns:
            self.dns.end()

    def restart(self):
        """It has forgotten all accounts then, and has a new root."""
        self.stop()
        self.start()

    @property
    def roots(self):
        """PEM of the root that clients are to trust."""
        url = f"https://127.0.0.1:{self.management}/roots/0"
        trust = context(self.authority.pem)
        with urllib.request.urlopen(url, context=trust, timeout=10) as reply:
            return reply.read().decode()

    def _start_dns(self):
        management = free_port()
        dns = Process(
            ["pebble-challtestsrv", "-management", f"127.0.0.1:{management}",
             "-dns01", f"127.0.0.1:{self.dns_port}",
             "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
             "-http01", "", "-https01", "", "-tlsalpn01", ""],
            self.folder / "dns.log")
        wait_until(lambda: accepts(self.dns_port), "the DNS is up")
        return dns

    def _write_config(self, validity, blocked):
        crt, key = self.authority.server_files("pebble", "127.0.0.1",
                                               "localhost")
        path = self.folder / "pebble.json"
        path.write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(crt), "privateKey": str(key),
            "httpPort": self.http_port, "tlsPort": free_port(),
            "ocspResponderURL": "", "externalAccountBindingRequired": False,
            "domainBlocklist": blocked,
            "certificateValidityPeriod": validity}}))
        return path
