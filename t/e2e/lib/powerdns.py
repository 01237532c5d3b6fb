"""A real PowerDNS, with the interface that lexicon speaks to."""

import json
import sqlite3
import urllib.request

import dns.message
import dns.query
import dns.rdatatype

from lib.ports import accepts, free_port
from lib.process import Process
from lib.wait import PATIENCE, wait_until

SCHEMA = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql"

KEY = "key-of/the&tests"


class PowerDns:
    """zones: their names; each has a name server, this one."""

    def __init__(self, folder, *zones, port=None):
        self.folder = folder / "pdns"
        self.folder.mkdir()
        self.zones = zones
        self.port = port or free_port()
        self.http_port = free_port()
        self.server = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.http_port}"

    def start(self):
        database = self.folder / "zones.sqlite3"
        with open(SCHEMA, encoding="ascii") as schema:
            sqlite3.connect(database).executescript(schema.read())
        (self.folder / "pdns.conf").write_text(
            f"launch=gsqlite3\ngsqlite3-database={database}\n"
            f"local-address=127.0.0.1\nlocal-port={self.port}\n"
            f"socket-dir={self.folder}\ncache-ttl=0\nquery-cache-ttl=0\n"
            "negquery-cache-ttl=0\nzone-cache-refresh-interval=0\n"
            "security-poll-suffix=\n"
            f"api=yes\napi-key={KEY}\nwebserver-address=127.0.0.1\n"
            f"webserver-port={self.http_port}\n")
        self.server = Process(
            ["/usr/sbin/pdns_server", f"--config-dir={self.folder}",
             "--daemon=no", "--guardian=no"], self.folder / "log")
        wait_until(lambda: accepts(self.http_port), "PowerDNS listens")
        for zone in self.zones:
            self._call("zones", {
                "name": f"{zone}.", "kind": "Native",
                "nameservers": [f"ns.{zone}."],
                "rrsets": [{"name": f"ns.{zone}.", "type": "A", "ttl": 1,
                            "records": [{"content": "127.0.0.1",
                                         "disabled": False}]}]})
        return self

    def _call(self, what, data):
        request = urllib.request.Request(
            f"{self.url}/api/v1/servers/localhost/{what}",
            json.dumps(data).encode(), {"X-API-Key": KEY})
        with urllib.request.urlopen(request, timeout=PATIENCE):
            pass

    def texts(self, name):
        """The values of the TXT records, as the DNS has them."""
        reply = dns.query.udp(dns.message.make_query(name, "TXT"),
                              "127.0.0.1", PATIENCE, self.port)
        return sorted(b"".join(record.strings).decode()
                      for answer in reply.answer for record in answer
                      if record.rdtype == dns.rdatatype.TXT)

    def end(self):
        if self.server:
            self.server.end()
