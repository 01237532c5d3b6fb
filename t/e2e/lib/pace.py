"""A CA that takes its time: a proxy's, which counts requests by certificate.

An order is ready so many seconds after its challenge was answered, and its
certificate is issued as long after it was finalized. Of several names the last
challenge counts.
"""

import json
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from lib.proxy import changed

NOT_YET = {"ready": "pending", "valid": "processing"}


@dataclass
class Order:
    requests: int = 0
    begun: float = 0            # the step that the CA takes its time for
    lost: list = field(default_factory=list)    # seconds of each step, from
                                                # its end until it was seen


class SlowCA:
    """Of all orders that are begun from now on."""

    def __init__(self, proxy, seconds=0):
        self.seconds = seconds
        self.orders = []
        self._of = {}           # path: order
        proxy.answer(self._forward, "order", "authz", "challenge", "finalize",
                     "order-poll", "certificate")

    @property
    def requests(self):
        """For each certificate, in the order in which they were begun."""
        return [order.requests for order in self.orders]

    @property
    def lost(self):
        return [sum(order.lost) for order in self.orders]

    async def _forward(self, exchange):
        path = exchange.request.path
        at = time.monotonic()
        reply = await exchange.forward()
        if exchange.kind == "order":
            self.orders.append(Order())
            self._of[path] = self.orders[-1]
        order = self._of[path]
        order.requests += 1
        if exchange.kind in ("challenge", "finalize"):
            order.begun = time.monotonic()
        if exchange.kind == "order-poll":
            changed(reply, (lambda found, _: self._delay(order, found, at),))
        if exchange.kind != "certificate" and reply.status < 400:
            self._learn_urls(order, json.loads(reply.body), reply.headers)
        return reply

    def _delay(self, order, found, at):
        if found["status"] in NOT_YET:
            late = at - order.begun - self.seconds
            if late < 0:
                found["status"] = NOT_YET[found["status"]]
                found.pop("certificate", None)
            else:
                order.lost.append(late)

    def _learn_urls(self, order, found, headers):
        """All that the reply names is of the same order."""
        urls = [headers.get("Location"), found.get("finalize"),
                found.get("certificate"), *found.get("authorizations", ()),
                *(one["url"] for one in found.get("challenges", ()))]
        for url in filter(None, urls):
            self._of[urlsplit(url).path] = order
