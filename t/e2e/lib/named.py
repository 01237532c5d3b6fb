"""A real DNS server, bind9, with zones that take signed updates.

example.org, where _acme-challenge.deleg is an alias into the second zone,
delegated.example; and cloud.test, which takes none. Everything else does not exist. It answers recursive
questions too, so it serves as resolver of a CA, and in a Network of httpd.
"""

import subprocess
import textwrap

import dns.exception
import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.rdatatype

from lib.ports import free_port
from lib.process import Process
from lib.wait import PATIENCE, wait_until

ZONE = "example.org"
DELEGATED = "delegated.example"
ZONES = (ZONE, DELEGATED)
FOREIGN = "cloud.test"

NAMES = ("www", "shop", "a", "b", "deleg", "sub.www")

KEY_NAME = "acme."
SECRET = "c2VjcmV0IG9mIHRoZSB0ZXN0cywgMzIgb2N0ZXRzISE="


class Named:
    """
    address: outside of a Network it can be 127.0.0.1 only; nameservers: the
    addresses of the zones' NS records; names: those of example.org with an
    address, 127.0.0.1; more: lines of its zone file; negative: for how many
    seconds others may keep that a name does not exist; primary: another Named whose zones this one copies, at
    its start and whenever catch_up() says so.
    """

    def __init__(self, folder, address="127.0.0.1", port=None, primary=None,
                 nameservers=("127.0.0.1",), names=NAMES, more="",
                 negative=1):
        self.address = address
        self.port = port or free_port()
        self.primary = primary
        self.folder = folder / f"named-{address}-{self.port}"
        self.folder.mkdir()
        self.server = None
        self._write_key("tsig.key", SECRET)
        self._write_key("wrong.key", SECRET[::-1].strip("=") + "=")
        if not primary:
            self._write_zones(zone_head(nameservers, negative), names, more)
        self._write_config()

    @property
    def at(self):
        """As pebble's dns and AcmeDns's server= want it."""
        return f"{self.address}:{self.port}"

    @property
    def key_file(self):
        """As nsupdate -k and AcmeDns's key= want it."""
        return self.folder / "tsig.key"

    @property
    def wrong_key_file(self):
        """The right name and a wrong secret."""
        return self.folder / "wrong.key"

    @property
    def log_text(self):
        return (self.folder / "log").read_text()

    def start(self):
        self.server = Process(
            ["/usr/sbin/named", "-c", self.folder / "named.conf", "-g",
             "-n", "1"], self.folder / "log", cwd=self.folder)
        wait_until(self._has_zones, "named has its zones")
        return self

    def end(self):
        if self.server:
            self.server.end()

    # Records

    def ask(self, name, kind="TXT", recursive=False, timeout=20):
        """The whole answer."""
        question = dns.message.make_query(name, kind)
        if not recursive:
            question.flags &= ~dns.flags.RD
        return dns.query.udp(question, self.address, timeout,
                             port=self.port)

    def txt(self, name):
        """The values at a name, an alias not followed; sorted."""
        return sorted(
            b"".join(record.strings).decode()
            for rrset in self.ask(name).answer
            if rrset.rdtype == dns.rdatatype.TXT for record in rrset)

    def update(self, *commands, key_file=None):
        """Lines for nsupdate: "add NAME TTL TXT VALUE"; what it said."""
        done = subprocess.run(
            ["nsupdate", "-k", key_file or self.key_file],
            input="\n".join([f"server {self.address} {self.port}",
                             *commands, "send", ""]),
            text=True, timeout=PATIENCE, check=False, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT)
        return done.stdout.strip()

    def serial(self, zone=ZONE):
        return self.ask(zone, "SOA").answer[0][0].serial

    def catch_up(self):
        """A secondary gets what it lacks, now; it is told of nothing else."""
        for zone in ZONES:
            notice = dns.message.make_query(zone, "SOA")
            notice.set_opcode(dns.opcode.NOTIFY)
            notice.flags = (notice.flags | dns.flags.AA) & ~dns.flags.RD
            dns.query.udp(notice, self.address, 5, port=self.port,
                          source=self.primary.address)
        wait_until(lambda: all(self.serial(zone) >= self.primary.serial(zone)
                               for zone in ZONES), "the secondary has it")

    def _has_zones(self):
        assert self.server.running(), f"named ended:\n{self.log_text}"
        try:
            return all(self.ask(zone, "SOA", timeout=1).rcode()
                       == dns.rcode.NOERROR for zone in ZONES)
        except (OSError, dns.exception.DNSException):
            return False

    # Its files

    def _write_key(self, name, secret):
        path = self.folder / name
        path.touch(0o600)
        path.write_text(f'key "{KEY_NAME}" {{\n    algorithm hmac-sha256;\n'
                        f'    secret "{secret}";\n}};\n')

    def _write_zones(self, head, names, more):
        (self.folder / ZONE).write_text(head + "".join(
            f"{name} IN A 127.0.0.1\n" for name in ("@", *names))
            + f"_acme-challenge.deleg IN CNAME deleg.{DELEGATED}.\n"
            + more)
        (self.folder / DELEGATED).write_text(head)
        (self.folder / FOREIGN).write_text(head + "lb IN A 127.0.0.1\n")

    def _write_config(self):
        (self.folder / "root").write_text(zone_head(("127.0.0.1",)))
        (self.folder / "named.conf").write_text(textwrap.dedent(f"""\
            include "{self.key_file}";
            controls {{ }};
            options {{
                directory "{self.folder}";
                pid-file "{self.folder}/pid";
                session-keyfile "{self.folder}/session.key";
                listen-on port {self.port} {{ {self.address}; }};
                listen-on-v6 {{ none; }};
                query-source address {self.address};
                transfer-source {self.address};
                allow-transfer {{ 127.0.0.0/8; }};
                recursion yes;
                dnssec-validation no;
                notify no;
                minimal-responses yes;
            }};
            zone "." {{ type primary; file "root"; }};
            """) + self._foreign_zone() + "".join(self._zone(zone) for zone in ZONES))

    def _foreign_zone(self):
        return "" if self.primary else (
            f'zone "{FOREIGN}" {{ type primary; file "{FOREIGN}"; }};\n')

    def _zone(self, zone):
        if self.primary:
            return (f'zone "{zone}" {{ type secondary; file "{zone}"; '
                    f"primaries port {self.primary.port} "
                    f"{{ {self.primary.address}; }}; }};\n")
        return (f'zone "{zone}" {{ type primary; file "{zone}"; '
                f"update-policy {{ grant {KEY_NAME} zonesub TXT TLSA; }}; }};\n")


def zone_head(nameservers, negative=1):
    """SOA and NS records, each with the address of its own."""
    numbered = list(enumerate(nameservers, start=1))
    return ("$TTL 1\n"
            f"@ {negative} IN SOA ns1 hostmaster 1 86400 86400 864000 "
            f"{negative}\n"
            + "".join(f"@ IN NS ns{i}\n" for i, _ in numbered)
            + "".join(f"ns{i} IN A {address}\n" for i, address in numbered))
