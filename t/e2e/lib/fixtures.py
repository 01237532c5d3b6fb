"""What a test is given: a site of its own, and its end whatever happens."""

import contextlib
import os
import pathlib
import resource
import shutil
import signal
import tempfile

import pytest

from lib.caddy import Caddy
from lib.clock import Clock
from lib.challdns import ChallengeDns
from lib.forward import ForwardProxy
from lib.httpd import SANITIZERS, Httpd
from lib.named import Named
from lib.netns import Network, Unavailable
from lib.pebble import Pebble, Pebble210
from lib.ports import free_port, release_all
from lib.proxy import Proxy
from lib.relay import Relay
from lib.tls import Authority
from lib.unbound import Unbound

TEST_SECONDS = 600 if SANITIZERS else 360

LOG_LINES = 80

# Whatever crashes leaves a core, in the folder of its server.
resource.setrlimit(resource.RLIMIT_CORE,
                   (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)


class Site:
    """Makes the parts of a test, in one temporary folder."""

    def __init__(self, folder, closing, http_port=None, https_port=None):
        self.folder = folder
        self.closing = closing
        self.authority = Authority(folder)
        self.http_port = http_port or free_port()   # httpd's, as port 80
        self.https_port = https_port or free_port()     # and as port 443
        self.validated_port = self.http_port
        self.servers = []
        self.proxies = []
        self._names = {}

    def ca(self, kind=Pebble, **options):
        """A CA that runs: a pebble, as Pebble says."""
        options.setdefault("name", self._name("pebble"))
        options.setdefault("tls_port", self.https_port)
        return self._started(kind(self.folder, self.authority,
                                  self.validated_port, **options))

    def ca210(self, **options):
        """A pebble of Debian sid, as Pebble210 says."""
        return self.ca(Pebble210, **options)

    def caddy(self, **options):
        """Another CA that runs; in a test with a Network."""
        return self._started(Caddy(self.folder, self.authority,
                                   self._name("caddy"), **options))

    def proxied_ca(self, kind=Pebble, **options):
        """A pebble behind a proxy that can misbehave, and counts."""
        return self.proxy(self.ca(kind, **options))

    def proxy(self, ca):
        proxy = Proxy(self.authority, ca, self._name("proxy"))
        self.proxies.append(proxy)
        return self._started(proxy)

    def named(self, **options):
        """A DNS server that runs, as Named says."""
        return self._started(Named(self.folder, **options))

    def unbound(self, upstream, **options):
        """A caching resolver that runs, as Unbound says."""
        return self._started(Unbound(self.folder, upstream, **options))

    def challenge_dns(self, **options):
        """A DNS that runs and believes everything, as ChallengeDns says."""
        return self._started(ChallengeDns(self.folder, self._name("dns"),
                                          **options))

    def _started(self, part):
        self.closing.callback(part.end)
        return part.start()

    def _name(self, kind):
        """pebble, pebble1, ...: for its files."""
        count = self._names[kind] = self._names.get(kind, -1) + 1
        return f"{kind}{count or ''}"

    def forward_proxy(self):
        """What AcmeProxy names."""
        return self._started(ForwardProxy())

    def relay(self):
        """A gate before our port 80; to be made before the CA."""
        relay = Relay(self.http_port)
        self.validated_port = relay.port
        self.closing.callback(relay.end)
        return relay.start()

    def server(self, ca=None, **options):
        """An httpd that is to be configured and started."""
        root = self.folder / f"httpd{len(self.servers) or ''}"
        if all(other.http_port != self.http_port for other in self.servers):
            options.setdefault("http_port", self.http_port)
            options.setdefault("https_port", self.https_port)
        server = Httpd(root, ca, **options)
        self.servers.append(server)
        self.closing.callback(server.end)
        return server

    def logs(self):
        """For the report of a failure."""
        for server in self.servers:
            lines = server.log_text.split("\n")[-LOG_LINES:]
            yield f"error log of {server.root}", "\n".join(lines)


@pytest.fixture
def netns():
    """A Network: httpd of the site is at ports 80 and 443 then."""
    with tempfile.TemporaryDirectory(prefix="acme-net-") as folder:
        try:
            network = Network(pathlib.Path(folder)).enter()
        except Unavailable as why:
            pytest.skip(f"no network namespace here ({why})")
        try:
            yield network
        finally:
            network.leave()


@pytest.fixture
def clock(site):
    """The clock of servers that are started with its environment."""
    return Clock(site.folder)


@pytest.fixture
def site(request):
    ports = ()
    if "netns" in request.fixturenames:
        request.getfixturevalue("netns")    # entered first, and left last
        ports = 80, 443
    folder = pathlib.Path(tempfile.mkdtemp(prefix="acme-"))
    folder.chmod(0o755)             # the workers are another user
    made = None
    with contextlib.ExitStack() as closing:
        closing.callback(release_all)       # the last of all
        made = Site(folder, closing, *ports)
        yield made
    complaints = [line for part in (*made.servers, *made.proxies)
                  for line in part.complaints()]
    if complaints:
        complaints += [line for server in made.servers
                       for stack in server.stacks()
                       for line in stack.split("\n") if line[:1] == "#"]
    if complaints or getattr(request.node, "failed", False):
        print(f"\nkept: {folder}")
    else:
        shutil.rmtree(folder)
    assert not complaints, "\n".join(complaints)


@pytest.fixture(autouse=True)
def within_its_time():
    """A test that hangs fails, and is named."""
    def late(_signal, _frame):
        pytest.fail(f"the test takes more than {TEST_SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        item.failed = True
        if "site" in getattr(item, "funcargs", {}):
            report.sections += item.funcargs["site"].logs()


def pytest_configure():
    """Ended from outside, the tests still end what they started."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    os.umask(0o022)
