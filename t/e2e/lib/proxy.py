"""A CA that misbehaves: a proxy before pebble, steered request by request.

It keeps the Host header, so that all URLs that pebble writes lead here. Each
request has a kind (KINDS); what happens to the requests of a kind is an
action: see actions below, forwarding is the default. Replies that pebble gave
may be changed on their way: see changes below. All requests are kept, and
what is wrong with them whatever the CA says: see lib.jws.
"""

import asyncio
import base64
import json
import ssl
import threading
import time
from dataclasses import dataclass

import aiohttp
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from multidict import CIMultiDict

from lib.jws import Jws, Reader
from lib.ports import accepts, free_port
from lib.tls import DAY, cert_id, context, rfc3339, to_pem
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
    "/my-account": "account-update",
    "/rollover-account-key": "key-change",
    "/revoke-cert": "revocation",
    "/draft-ietf-acme-ari-03/renewalInfo": "renewal-info",
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
    headers: CIMultiDict
    body: bytes
    status: int
    reply_headers: CIMultiDict
    reply: bytes
    at: float                   # time.monotonic()
    connection: int             # the client's port

    @property
    def jws(self):
        return Jws.read(json.loads(self.body))

    @property
    def protected(self):
        """The signed header."""
        return self.jws.protected

    @property
    def payload(self):
        """The octets that were signed; none in a POST-as-GET."""
        return self.jws.payload

    @property
    def asked(self):
        """The JSON that was signed; {} in a POST-as-GET."""
        return json.loads(self.payload or "{}")

    @property
    def json(self):
        return json.loads(self.reply)


class Proxy:
    """Started by start(), steered by answer(), change(), hold(), forward()."""

    address = "127.0.0.1"

    def __init__(self, authority, pebble, name="proxy"):
        self.port = free_port()
        self.authority = authority
        self.pebble = pebble
        self.files = authority.server_files(name, "127.0.0.1", "localhost")
        self.requests = []
        self.waiting = {}           # kind: requests that are held or hang
        self._reader = Reader()
        self._complaints = []       # what no client may send
        self._actions = {}
        self._changes = {}
        self._resources = {}        # path: kind, of those that pebble lacks
        self._served = {}           # kind: action, of the same
        self._stop = None
        self._loop = None
        self._thread = threading.Thread(target=self._main, daemon=True)

    @property
    def base(self):
        return f"https://127.0.0.1:{self.port}"

    @property
    def url(self):
        return f"{self.base}/dir"

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
            assert kind in self._kinds
            self._actions[kind] = action

    def forward(self, *kinds):
        """Work well again: at all, or for these kinds."""
        for kind in kinds or tuple(self._actions):
            self._actions.pop(kind, None)

    def change(self, kind, *changes):
        """From now on pebble's replies of this kind are changed so, too."""
        assert kind in self._kinds
        self._changes[kind] = self.changes(kind) + changes

    def unchange(self, *kinds):
        for kind in kinds or tuple(self._changes):
            self._changes.pop(kind, None)

    def changes(self, kind):
        return self._changes.get(kind, ())

    def serve(self, path, kind, action):
        """A resource that pebble has not, with all below it; its URL."""
        self._resources[path] = kind
        self._served[kind] = action
        return self.base + path

    def served(self, kind):
        return self._served.get(kind)

    @property
    def _kinds(self):
        return {*KINDS.values(), *self._resources.values()}

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

    @property
    def orders(self):
        """What was asked of each newOrder that the CA took."""
        return [request.asked for request in self.seen("order")
                if request.status == 201]

    def complaints(self):
        """What was wrong with requests, whatever the CA said."""
        return self._complaints

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
            await web.TCPSite(runner, self.address, self.port,
                              ssl_context=server_tls,
                              shutdown_timeout=0.2).start()
            await self._stop.wait()
            await runner.cleanup()

    async def _handle(self, request):
        kind = self._kind_of(request.path)
        body = await request.read()
        action = self._actions.get(kind, forward)
        reply = None
        at = time.monotonic()
        connection = request.transport.get_extra_info("peername")[1]
        try:
            reply = await action(Exchange(self, request, kind, body))
        finally:
            self._keep(Request(
                kind, request.method, request.path, request.headers.copy(),
                body, getattr(reply, "status", 0),
                CIMultiDict(getattr(reply, "headers", ())),
                getattr(reply, "body", b""), at, connection))
        return reply

    def _keep(self, request):
        self.requests.append(request)
        if request.method == "POST":
            self._complaints += self._reader.complaints(
                self.base + request.path, request)

    def _kind_of(self, path):
        for prefix, kind in {**KINDS, **self._resources}.items():
            if path == prefix or path.startswith(prefix + "/"):
                return kind
        return "other"


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
        if reply is None:           # a reply without members is false
            reply = await exchange.forward()
        return reply


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
        """
        What pebble says (or a resource of the proxy's own), changed as the
        test wants it. Nothing is forwarded for a client that left.
        """
        if self.client_left:
            raise ConnectionResetError("the client left")
        served = self.proxy.served(self.kind)
        reply = await (served(self) if served else self._ask_pebble())
        if reply.status < 400:
            changed(reply, self.proxy.changes(self.kind))
        return reply

    async def _ask_pebble(self):
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

    @property
    def asked(self):
        """The JSON that the client signed."""
        return json.loads(Jws.read(json.loads(self.body)).payload or "{}")

    async def wait_for(self, condition):
        """Counted as waiting; ended when the client leaves."""
        waiting = self.proxy.waiting
        waiting[self.kind] = waiting.get(self.kind, 0) + 1
        try:
            while not condition() and not self.client_left:
                await asyncio.sleep(0.01)
        finally:
            waiting[self.kind] -= 1


def end_to_end(headers):
    kept = headers.copy()
    for name in HOP_BY_HOP:
        kept.popall(name, None)
    return kept


# Changes: functions of a reply's JSON (None where it is none) and its headers,
# which they may alter.

def changed(reply, changes):
    if not changes:
        return
    try:
        document = json.loads(reply.body)
    except ValueError:
        document = None
    for change in changes:
        change(document, reply.headers)
    if document is not None:
        reply.body = json.dumps(document).encode()


def member(**members):
    """Members of the document, replaced or new; None removes one."""
    def change(document, _headers):
        _update(document, members)
    return change


def meta(**members):
    """Members of a directory's meta; None removes one."""
    def change(document, _headers):
        _update(document.setdefault("meta", {}), members)
    return change


def _update(document, members):
    for name, value in members.items():
        if value is None:
            document.pop(name, None)
        else:
            document[name] = value


def header(name, value):
    """A header more: header("Retry-After", "5")."""
    def change(_document, headers):
        headers.add(name, value)
    return change


def challenges(edit):
    """An authorization's challenges: edit() returns what they become."""
    def change(document, _headers):
        document["challenges"] = edit(document["challenges"])
    return change


# Actions: what may happen to a request.

async def forward(exchange):
    return await exchange.forward()


def status(code, retry_after=None, kind="serverInternal",
           detail="the CA has a bad day", **members):
    """A problem document with this status, and these members more."""
    async def action(exchange):
        headers = {"Content-Type": "application/problem+json"}
        if retry_after is not None:
            headers["Retry-After"] = str(retry_after)
        problem = {"type": f"urn:ietf:params:acme:error:{kind}",
                   "detail": detail, "status": code, **members}
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


def after_it(action):
    """The CA did what was asked, and then this happens."""
    async def done(exchange):
        await exchange.forward()
        return await action(exchange)
    return done


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
               more="", crl=None, authority=None):
    """
    Another certificate than was asked for, signed by the test's authority.

    Without arguments it is as good as the right one: the client knows no
    roots of the CA's certificates. more is PEM that follows the leaf; crl
    is the URL of a list of revoked certificates; authority another one than
    the proxy's.
    """
    async def action(exchange):
        csr = asked(exchange.proxy)
        key = csr.public_key()
        if other_key:
            key = ec.generate_private_key(ec.SECP256R1()).public_key()
        issuer = authority or exchange.proxy.authority
        leaf = issuer.issue(key, names or names_of(csr), begin, end,
                               crl)
        reply = await exchange.forward()
        return web.Response(text=to_pem(leaf) + (more or issuer.pem),
                            status=reply.status,
                            headers={"Replay-Nonce":
                                     reply.headers["Replay-Nonce"]},
                            content_type="application/pem-certificate-chain")
    return action


def asked(proxy):
    """The CSR that was finalized last."""
    return csr_of(proxy.seen("finalize")[-1])


def csr_of(request):
    """The CSR of a finalization."""
    payload = request.asked["csr"]
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
    def edit(found):
        return [{**challenge, "token": token} for challenge in found]
    return edited(challenges(edit))


def edited(*changes):
    """The right answer, with these changes."""
    async def action(exchange):
        reply = await exchange.forward()
        changed(reply, changes)
        return reply
    return action


def answer_json(found, code=200, **headers):
    """This JSON; retry_after="5" is a header of it."""
    async def action(_exchange):
        return web.json_response(found, status=code, headers={
            name.replace("_", "-"): value for name, value in headers.items()})
    return action


def when(condition, action):
    """This action where condition(what was asked), else forwarding."""
    async def chosen(exchange):
        if condition(exchange.asked):
            return await action(exchange)
        return await exchange.forward()
    return chosen


def once(first):
    """This action for one request; the next ones are forwarded."""
    async def action(exchange):
        exchange.proxy.forward(exchange.kind)
        return await first(exchange)
    return action


def times(count, action):
    """This action for so many requests; the next ones are forwarded."""
    left = count

    async def counted(exchange):
        nonlocal left
        left -= 1
        if left <= 0:
            exchange.proxy.forward(exchange.kind)
        return await action(exchange)
    return counted


class RenewalInfo:
    """
    Renewal information that the proxy gives, whatever pebble can do.

    Without a window of its own a certificate has the default one, and without
    that it is not found. retry_after: the header's text; None: no header.
    """

    def __init__(self, proxy, retry_after="21600"):
        self.proxy = proxy
        self.retry_after = retry_after
        self.default = None
        self._windows = {}
        url = proxy.serve("/renewal-info", "own-renewal-info", self._action)
        proxy.change("directory", member(renewalInfo=url))

    def window(self, start, end, explanation=None, certificate=None):
        """Two datetimes; certificate: an x509.Certificate, else all."""
        found = {"suggestedWindow": {"start": rfc3339(start),
                                     "end": rfc3339(end)}}
        if explanation:
            found["explanationURL"] = explanation
        if certificate is None:
            self.default = found
        else:
            self._windows[cert_id(certificate)] = found

    def count(self, certificate=None):
        """How often it was asked for one certificate, or for all."""
        path = f"/renewal-info/{cert_id(certificate)}" if certificate else ""
        return sum(request.path.startswith(path)
                   for request in self.proxy.seen("own-renewal-info"))

    async def _action(self, exchange):
        found = self._windows.get(exchange.request.path.rpartition("/")[2],
                                  self.default)
        if not found:
            return await status(404, kind="malformed",
                                detail="no such certificate")(exchange)
        headers = {"Retry-After": self.retry_after} if self.retry_after else {}
        return web.json_response(found, headers=headers)
