"""What a test is given: a site of its own, and its end whatever happens."""

import contextlib
import os
import pathlib
import resource
import shutil
import signal
import tempfile

import pytest

from lib.httpd import SANITIZERS, Httpd
from lib.pebble import Pebble
from lib.ports import free_port
from lib.proxy import Proxy
from lib.relay import Relay
from lib.tls import Authority

TEST_SECONDS = 400 if SANITIZERS else 180

LOG_LINES = 80

# Whatever crashes leaves a core, in the folder of its server.
resource.setrlimit(resource.RLIMIT_CORE,
                   (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)


class Site:
    """Makes the parts of a test, in one temporary folder."""

    def __init__(self, folder, closing):
        self.folder = folder
        self.closing = closing
        self.authority = Authority(folder)
        self.http_port = free_port()        # where httpd has its port 80
        self.validated_port = self.http_port
        self.servers = []

    def ca(self, **options):
        """A pebble that runs."""
        ca = Pebble(self.folder, self.authority, self.validated_port,
                    **options)
        self.closing.callback(ca.end)
        return ca.start()

    def proxied_ca(self, **options):
        """A pebble behind a proxy that can misbehave, and counts."""
        proxy = Proxy(self.folder, self.authority, self.ca(**options))
        self.closing.callback(proxy.end)
        return proxy.start()

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
def site(request):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="acme-"))
    folder.chmod(0o755)             # the workers are another user
    made = None
    with contextlib.ExitStack() as closing:
        made = Site(folder, closing)
        yield made
    complaints = [line for server in made.servers
                  for line in server.complaints()]
    complaints += [line for server in made.servers
                   for line in server.stacks()]
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
