"""A CA that misbehaves: a proxy before pebble, steered request by request.

It keeps the Host header, so that all URLs that pebble writes lead here. Each
request has a kind (KINDS); what happens to the requests of a kind is an
action: see actions below, forwarding is the default.
"""

import asyncio
import base64
import json
import ssl
import threading
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from lib.ports import accepts, free_port
from lib.tls import DAY, context, to_pem
from lib.wait import PATIENCE, wait_until

# Where pebble 2 has its resources.
KINDS = {
    "/dir": "directory",
    "/nonce-plz": "nonce",
    "/sign-me-up": "account",
    "/order-plz": "order",
    "/authZ": "authz",
    "/chalZ": "challenge",
    "/finalize-order": "finalize",
    "/my-order": "order-poll",
    "/certZ": "certificate",
}

# In the order in which a first certificate needs them.
STEPS = ("directory", "nonce", "account", "order", "authz", "challenge",
         "finalize", "certificate")

HUGE = 64 * 1024 * 1024

HOP_BY_HOP = {"connection", "content-length", "keep-alive",
              "transfer-encoding"}


@dataclass(frozen=True)
class Request:
    """What the client asked, and what it was answered (0: nothing)."""

    kind: str
    method: str
    path: str
    body: bytes
    status: int
    reply: bytes

    @property
    def payload(self):
        """Of a JWS."""
        text = json.loads(self.body)["payload"]
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    @property
    def json(self):
        return json.loads(self.reply)


class Proxy:
    """Started by start(), steered by answer(), hold() and forward()."""

    def __init__(self, folder, authority, pebble):
        self.port = free_port()
        self.authority = authority
        self.pebble = pebble
        self.files = authority.server_files("proxy", "127.0.0.1", "localhost")
        self.log = folder / "proxy.log"
        self.requests = []
        self.waiting = {}           # kind: requests that are held or hang
        self._actions = {}
        self._stop = None
        self._loop = None
        self._thread = threading.Thread(target=self._main, daemon=True)

    @property
    def url(self):
        return f"https://127.0.0.1:{self.port}/dir"

    @property
    def roots(self):
        return self.pebble.roots

    def start(self):
        self._thread.start()
        wait_until(lambda: accepts(self.port), "the proxy listens")
        return self

    def end(self):
        if self._loop:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)

    # Steering

    def answer(self, action, *kinds):
        """From now on this is what the requests of these kinds get."""
        for kind in kinds:
            assert kind in KINDS.values()
            self._actions[kind] = action

    def forward(self, *kinds):
        """Work well again: at all, or for these kinds."""
        for kind in kinds or tuple(self._actions):
            self._actions.pop(kind, None)

    def hold(self, kind, reply=False):
        """Hold requests of this kind (or their replies) until released."""
        held = Hold(self, kind, reply)
        self.answer(held.action, kind)
        return held

    def count(self, *kinds):
        """How many requests of these kinds came; without kinds: all."""
        return sum(not kinds or request.kind in kinds
                   for request in self.requests)

    def seen(self, kind):
        return [request for request in self.requests if request.kind == kind]

    def wait_for(self, kind, count=1, timeout=PATIENCE):
        wait_until(lambda: self.count(kind) >= count,
                   f"the CA was asked for {kind} {count} times, not "
                   f"{self.count(kind)}", timeout)

    def wait_waiting(self, kind, timeout=PATIENCE):
        """Until a request of this kind is held, or hangs."""
        wait_until(lambda: self.waiting.get(kind), f"{kind} waits at the CA",
                   timeout)

    # Working

    def _main(self):
        asyncio.run(self._serve())

    async def _serve(self):
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server_tls.load_cert_chain(*self.files)
        runner = web.ServerRunner(web.Server(self._handle,
                                             access_log=None),
                                  shutdown_timeout=0.2)
        await runner.setup()
        async with aiohttp.ClientSession(auto_decompress=False) as session:
            self.session = session
            await web.TCPSite(runner, "127.0.0.1", self.port,
                              ssl_context=server_tls,
                              shutdown_timeout=0.2).start()
            await self._stop.wait()
            await runner.cleanup()

    async def _handle(self, request):
        kind = kind_of(request.path)
        body = await request.read()
        action = self._actions.get(kind, forward)
        reply = None
        try:
            reply = await action(Exchange(self, request, kind, body))
        finally:
            self.requests.append(Request(
                kind, request.method, request.path, body,
                getattr(reply, "status", 0), getattr(reply, "body", b"")))
        return reply


class Hold:
    """Requests that wait in the proxy, see Proxy.hold()."""

    def __init__(self, proxy, kind, reply):
        self.proxy = proxy
        self.kind = kind
        self.reply = reply
        self.released = threading.Event()

    def wait(self, timeout=PATIENCE):
        self.proxy.wait_waiting(self.kind, timeout)
        return self

    def release(self):
        self.proxy.forward(self.kind)
        self.released.set()

    async def action(self, exchange):
        reply = await exchange.forward() if self.reply else None
        await exchange.wait_for(self.released.is_set)
        return reply or await exchange.forward()


class Exchange:
    """One request on its way, given to an action."""

    def __init__(self, proxy, request, kind, body):
        self.proxy = proxy
        self.request = request
        self.kind = kind
        self.body = body

    @property
    def client_left(self):
        transport = self.request.transport
        return transport is None or transport.is_closing()

    async def forward(self):
        """What pebble says. Nothing is forwarded for a client that left."""
        if self.client_left:
            raise ConnectionResetError("the client left")
        url = f"https://127.0.0.1:{self.proxy.pebble.port}{self.request.path}"
        try:
            async with self.proxy.session.request(
                    self.request.method, url, data=self.body,
                    headers=end_to_end(self.request.headers),
                    ssl=context(self.proxy.authority.pem)) as answer:
                return web.Response(body=await answer.read(),
                                    status=answer.status,
                                    headers=end_to_end(answer.headers))
        except aiohttp.ClientConnectionError:
            return await reset(self)

    async def wait_for(self, condition):
        """Counted as waiting; ended when the client leaves."""
        waiting = self.proxy.waiting
        waiting[self.kind] = waiting.get(self.kind, 0) + 1
        try:
            while not condition() and not self.client_left:
                await asyncio.sleep(0.01)
        finally:
            waiting[self.kind] -= 1


def kind_of(path):
    for prefix, kind in KINDS.items():
        if path == prefix or path.startswith(prefix + "/"):
            return kind
    return "other"


def end_to_end(headers):
    kept = headers.copy()
    for name in HOP_BY_HOP:
        kept.popall(name, None)
    return kept


# Actions: what may happen to a request.

async def forward(exchange):
    return await exchange.forward()


def status(code, retry_after=None, kind="serverInternal",
           detail="the CA has a bad day"):
    """A problem document with this status."""
    async def action(exchange):
        headers = {"Content-Type": "application/problem+json"}
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        problem = {"type": f"urn:ietf:params:acme:error:{kind}",
                   "detail": detail, "status": code}
        return web.Response(status=code, headers=headers,
                            text=json.dumps(problem))
    return action


async def garbage(exchange):
    return web.Response(body=b"\x00\xff<html>{{{" * 50,
                        content_type="application/json")


async def empty(exchange):
    return web.Response(body=b"", content_type="application/json")


async def reset(exchange):
    """The connection breaks; the CA has not heard the request."""
    exchange.request.transport.abort()
    raise ConnectionResetError("as the test wants it")


async def lost(exchange):
    """The CA did what was asked, and its reply is lost."""
    await exchange.forward()
    return await reset(exchange)


async def hang(exchange):
    """No answer, until the client leaves."""
    await exchange.wait_for(lambda: False)
    raise ConnectionResetError("the client left")


async def truncated(exchange):
    """The connection ends in the midst of the reply."""
    reply = await exchange.forward()
    part = web.StreamResponse(status=reply.status, headers=reply.headers)
    part.content_length = len(reply.body)
    await part.prepare(exchange.request)
    await part.write(reply.body[:len(reply.body) // 2])
    return await reset(exchange)


async def huge(exchange):
    """An answer without an end, nearly."""
    endless = web.StreamResponse(
        headers={"Content-Type": "application/json"})
    await endless.prepare(exchange.request)
    for _ in range(HUGE // 65536):
        if exchange.client_left:
            raise ConnectionResetError("the client left")
        await endless.write(b" " * 65536)
    return endless


def slow(seconds):
    """The right answer, late."""
    async def action(exchange):
        reply = await exchange.forward()
        end = asyncio.get_running_loop().time() + seconds
        await exchange.wait_for(
            lambda: asyncio.get_running_loop().time() > end)
        return reply
    return action


def substitute(other_key=False, names=None, begin=-DAY, end=90 * DAY,
               more=""):
    """
    Another certificate than was asked for, signed by the test's authority.

    Without arguments it is as good as the right one: the client knows no
    roots of the CA's certificates. more is PEM that follows the leaf.
    """
    async def action(exchange):
        csr = asked(exchange.proxy)
        key = csr.public_key()
        if other_key:
            key = ec.generate_private_key(ec.SECP256R1()).public_key()
        authority = exchange.proxy.authority
        leaf = authority.issue(key, names or names_of(csr), begin, end)
        reply = await exchange.forward()
        return web.Response(text=to_pem(leaf) + (more or authority.pem),
                            status=reply.status,
                            headers={"Replay-Nonce":
                                     reply.headers["Replay-Nonce"]},
                            content_type="application/pem-certificate-chain")
    return action


def asked(proxy):
    """The CSR that was finalized last."""
    payload = json.loads(proxy.seen("finalize")[-1].payload)["csr"]
    return x509.load_der_x509_csr(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def names_of(csr):
    return csr.extensions.get_extension_for_class(
        x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName)


def rewrite(old, new):
    """The right answer, with other octets in it."""
    async def action(exchange):
        reply = await exchange.forward()
        return web.Response(body=reply.body.replace(old, new),
                            status=reply.status, headers=reply.headers)
    return action


def rewrite_tokens(token):
    """An authorization whose challenges have another token."""
    async def action(exchange):
        reply = await exchange.forward()
        authz = json.loads(reply.body)
        for challenge in authz["challenges"]:
            challenge["token"] = token
        return web.Response(text=json.dumps(authz), status=reply.status,
                            headers=reply.headers)
    return action


def once(first):
    """This action for one request; the next ones are forwarded."""
    async def action(exchange):
        exchange.proxy.forward(exchange.kind)
        return await first(exchange)
    return action
