"""The DNS of a pebble: every name is loopback, and what a test sets."""

import functools
import json
import subprocess
import urllib.request

import dns.rdatatype

from lib.ports import accepts, free_port
from lib.process import Process
from lib.wait import PATIENCE, wait_until


@functools.cache
def is_renamed():
    """Does it call its DNS so, as 2.6 and later do? They have DNS in HTTPS."""
    said = subprocess.run(["pebble-challtestsrv", "-help"], check=False,
                          capture_output=True, text=True).stderr
    return "-dnsserver" in said


class ChallengeDns:
    """A pebble-challtestsrv that answers DNS only; names end in no dot."""

    def __init__(self, folder, name="dns", port=None):
        self.port = port or free_port()
        self.management = free_port()
        self.log = folder / f"{name}.log"
        self.server = None

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        if self.server:
            return self
        self.server = Process(
            ["pebble-challtestsrv",
             "-management", f"127.0.0.1:{self.management}",
             *(["-doh", "", "-dnsserver"] if is_renamed() else ["-dns01"]),
             self.address,
             "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
             "-http01", "", "-https01", "", "-tlsalpn01", ""], self.log)
        wait_until(lambda: accepts(self.port) and accepts(self.management),
                   "the DNS is up")
        return self

    def end(self):
        if self.server:
            self.server.end()
            self.server = None

    # Records

    def set_txt(self, host, value):
        """One value more at a name."""
        self._post("set-txt", host=f"{host}.", value=value)

    def clear_txt(self, host):
        self._post("clear-txt", host=f"{host}.")

    def set_cname(self, host, target):
        self._post("set-cname", host=f"{host}.", target=f"{target}.")

    def clear_cname(self, host):
        self._post("clear-cname", host=f"{host}.")

    def add_a(self, host, *addresses):
        self._post("add-a", host=f"{host}.", addresses=list(addresses))

    def clear_a(self, host):
        self._post("clear-a", host=f"{host}.")

    def set_servfail(self, host):
        self._post("set-servfail", host=f"{host}.")

    def clear_servfail(self, host):
        self._post("clear-servfail", host=f"{host}.")

    def history(self, host):
        """The questions that were asked for a name: ["TXT", ...]."""
        events = json.loads(self._post("dns-request-history", host=host))
        return [dns.rdatatype.to_text(event["Question"]["Qtype"])
                for event in events or ()]

    def command(self, folder):
        """A program for AcmeDns exec that sets records here.

        What it was called with is in its file with .log, a line a call.
        """
        path = folder / "dns-command"
        path.write_text(f"""#!/bin/sh
echo "$*" >>"$0.log"
host=$2. value=$3
case $1 in
present) path=set-txt json='{{"host":"'$host'","value":"'$value'"}}' ;;
cleanup) path=clear-txt json='{{"host":"'$host'"}}' ;;
*) echo "what is $1?" >&2; exit 1 ;;
esac
exec curl -sS -f -d "$json" "http://127.0.0.1:{self.management}/$path"
""")
        path.chmod(0o755)
        return path

    def _post(self, path, **document):
        url = f"http://127.0.0.1:{self.management}/{path}"
        with urllib.request.urlopen(url, json.dumps(document).encode(),
                                    timeout=PATIENCE) as reply:
            return reply.read().decode()
