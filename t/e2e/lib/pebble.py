"""The CA of the tests: pebble, that of this Debian or that of sid."""

import json
import os
import urllib.error
import urllib.request

from cryptography import x509

from lib import sid
from lib.challdns import ChallengeDns
from lib.ports import accepts, free_port
from lib.process import Process
from lib.tls import common_name, context, rfc3339
from lib.wait import PATIENCE, wait_until

DAYS_90 = 90 * 24 * 3600


class Pebble:
    """
    A pebble that validates at http_port and tls_port.

    validity: seconds that certificates live; nonce_reject, authz_reuse: in
    percent; chain_length: intermediates; alternate_roots: how many chains
    more; sleep: pauses between validations; eab: {kid: base64url key}, and
    accounts need one then, unless eab_required says no; dns: the address and
    port of its resolver, else it has a ChallengeDns of its own.
    """

    def __init__(self, folder, authority, http_port, tls_port=None,
                 name="pebble", validity=DAYS_90, nonce_reject=0,
                 authz_reuse=0, chain_length=1, alternate_roots=0,
                 sleep=False, always_valid=False, blocked=(), eab=None,
                 eab_required=None, dns=None, more=None):
        self.folder = folder
        self.authority = authority
        self.name = name
        self.port = free_port()
        self.management = free_port()
        self.alternate_roots = alternate_roots
        self.environment = {
            "PEBBLE_VA_NOSLEEP": "0" if sleep else "1",
            "PEBBLE_WFE_NONCEREJECT": str(nonce_reject),
            "PEBBLE_AUTHZREUSE": str(authz_reuse),
            "PEBBLE_CHAIN_LENGTH": str(chain_length),
            "PEBBLE_ALTERNATE_ROOTS": str(alternate_roots)}
        if always_valid:
            self.environment["PEBBLE_VA_ALWAYS_VALID"] = "1"
        crt, key = authority.server_files(name, "127.0.0.1", "localhost")
        self.config = self._write_config({
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": str(crt), "privateKey": str(key),
            "httpPort": http_port, "tlsPort": tls_port or free_port(),
            "ocspResponderURL": "",
            "externalAccountBindingRequired":
                bool(eab) if eab_required is None else eab_required,
            "externalAccountMACKeys": eab or {},
            "domainBlocklist": list(blocked),
            "certificateValidityPeriod": validity, **(more or {})})
        self.log = folder / f"{name}.log"
        self.dns = None if dns else ChallengeDns(folder, f"{name}-dns")
        self.resolver = dns or self.dns.address
        self.server = None

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}/dir"

    @property
    def program(self):
        return "pebble"

    def start(self):
        if self.dns:
            self.dns.start()
        self.server = Process(
            [self.program, "-config", self.config,
             "-dnsserver", self.resolver],
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

    # The management port

    @property
    def roots(self):
        """PEM of all roots, which visitors are to trust."""
        return "".join(self.root(i) for i in range(self.alternate_roots + 1))

    def root(self, i=0):
        """PEM of a root: 0, or that of an alternate chain."""
        return self._manage(f"/roots/{i}")

    def root_name(self, i=0):
        """Its common name, which AcmePreferredChain is compared with."""
        return common_name(
            x509.load_pem_x509_certificate(self.root(i).encode()).subject)

    def intermediate(self, i=0):
        return self._manage(f"/intermediates/{i}")

    def intermediate_key(self, i=0):
        """PEM of its key, as a responder of the CA has it."""
        return self._manage(f"/intermediate-keys/{i}")

    def certificate(self, serial):
        """PEM of what it has issued."""
        return self._by_serial(serial)["Certificate"]

    def revocation(self, serial):
        """The reason code of a revocation (0: none given); None: valid."""
        said = self._by_serial(serial)
        return said.get("Reason", 0) if said["Status"] == "Revoked" else None

    def _by_serial(self, serial):
        return json.loads(self._manage(f"/cert-status-by-serial/{serial:x}"))

    def _manage(self, path, document=None):
        url = f"https://127.0.0.1:{self.management}{path}"
        body = None if document is None else json.dumps(document).encode()
        with urllib.request.urlopen(
                url, body, timeout=PATIENCE,
                context=context(self.authority.pem)) as reply:
            return reply.read().decode()

    def _write_config(self, keys):
        path = self.folder / f"{self.name}.json"
        path.write_text(json.dumps({"pebble": keys}))
        return path


class Pebble210(Pebble):
    """
    Pebble 2.10 or later, of Debian sid: renewal information, profiles,
    dns-account-01, dns-persist-01, empty subjects.

    profiles: {name: seconds that its certificates live}, "default" alone
    without it (of several one is picked at random when an order asks for
    none); retry_after: seconds in the replies for authorizations and orders;
    key_algorithm: of its chain, "rsa" or "ecdsa"; caa: its names in CAA and
    dns-persist-01 records.
    """

    PACKAGE = "pebble", "usr/bin/pebble"

    def __init__(self, folder, authority, http_port, tls_port=None,
                 profiles=None, retry_after=None, key_algorithm="ecdsa",
                 caa=("pebble.example",), validity=DAYS_90, **options):
        profiles = profiles or {"default": validity}
        more = {"keyAlgorithm": key_algorithm, "caaIdentities": list(caa),
                "profiles": {name: {"description": f"The profile {name}",
                                    "validityPeriod": seconds}
                             for name, seconds in profiles.items()}}
        if retry_after is not None:
            more["retryAfter"] = {"authz": retry_after, "order": retry_after}
        self._program = sid.program(*self.PACKAGE)
        super().__init__(folder, authority, http_port, tls_port,
                         validity=validity, more=more, **options)

    @property
    def program(self):
        return self._program

    def set_renewal_info(self, certificate, start, end, explanation=None):
        """The window of a certificate, its PEM or its serial; datetimes."""
        window = {"start": rfc3339(start), "end": rfc3339(end)}
        document = {"suggestedWindow": window}
        if explanation:
            document["explanationURL"] = explanation
        self.set_renewal_reply(certificate, json.dumps(document))

    def set_renewal_reply(self, certificate, text):
        """What is answered for it, whatever that is."""
        if isinstance(certificate, int):
            certificate = self.certificate(certificate)
        self._manage("/set-renewal-info/", {"Certificate": certificate,
                                            "ARIResponse": text})


class Several:
    """CAs in the order in which they are tried, given to Httpd as one."""

    def __init__(self, *cas):
        self.cas = cas
        self.authority = cas[0].authority

    @property
    def url(self):
        return " ".join(ca.url for ca in self.cas)

    @property
    def roots(self):
        """Of those that run."""
        found = []
        for ca in self.cas:
            try:
                found.append(ca.roots)
            except (urllib.error.URLError, OSError):
                pass
        return "".join(found)
