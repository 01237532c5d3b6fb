"""Visitors: clients that keep their connections and count what fails.

Each checks the certificate at every handshake, its dates too. The server may
close a connection between two requests, so one that was used before and ends
without a byte of an answer is opened anew and asked again. Everything else
that goes wrong is a failure.
"""

import asyncio
import ssl
import threading

from lib.tls import context
from lib.wait import PATIENCE, wait_until

THINK = 0.01


class Load:
    """Used with "with"; afterwards requests, reconnects and failures."""

    def __init__(self, port, name, roots, clients=8, path="/",
                 keep_alive=True):
        self.port = port
        self.name = name
        self.path = path
        self.clients = clients
        self.keep_alive = keep_alive
        self.tls = context(roots)
        self.requests = 0
        self.reconnects = 0
        self.failures = []
        self._done = False
        self._thread = threading.Thread(target=self._main, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._done = True
        self._thread.join(PATIENCE + 10)
        if self._thread.is_alive():
            self.failures.append("a client hangs")

    def more(self, count):
        """Wait until so many more requests were answered."""
        wanted = self.requests + count
        wait_until(lambda: self.requests >= wanted or self.failures,
                   f"{count} more requests are answered")

    def _main(self):
        asyncio.run(self._all())

    async def _all(self):
        await asyncio.gather(*(self._visit() for _ in range(self.clients)))

    async def _visit(self):
        connection = None
        while not self._done:
            try:
                connection = await asyncio.wait_for(
                    self._request(connection), PATIENCE)
                self.requests += 1
            except (OSError, ssl.SSLError, EOFError, ValueError,
                    asyncio.TimeoutError) as problem:
                self.failures.append(repr(problem))
                connection = None
            await asyncio.sleep(THINK)
        close(connection)

    async def _request(self, connection):
        """One answer; what comes back is the connection, if it is kept."""
        head = None
        if connection:
            head = await self._ask(connection, reused=True)
            if head is None:
                self.reconnects += 1
                close(connection)
        if head is None:
            connection = await asyncio.open_connection(
                "127.0.0.1", self.port, ssl=self.tls,
                server_hostname=self.name)
            head = await self._ask(connection, reused=False)
        return await self._rest(connection, head)

    async def _ask(self, connection, reused):
        """The head of the answer; None: a kept connection had been closed."""
        reader, writer = connection
        keep = "keep-alive" if self.keep_alive else "close"
        try:
            writer.write(f"GET {self.path} HTTP/1.1\r\nHost: {self.name}\r\n"
                         f"Connection: {keep}\r\n\r\n".encode())
            await writer.drain()
            return (await reader.readuntil(b"\r\n\r\n")).decode()
        except asyncio.IncompleteReadError as problem:
            if reused and not problem.partial:
                return None
            raise EOFError(f"answer ends after {problem.partial!r}") from None
        except (ConnectionError, ssl.SSLError):
            if reused:
                return None
            raise

    async def _rest(self, connection, head):
        lines = head.split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:-2])
        if " 200 " not in lines[0]:
            raise ValueError(lines[0])
        await connection[0].readexactly(int(fields["content-length"]))
        if fields.get("connection") == "close" or not self.keep_alive:
            close(connection)
            return None
        return connection


def close(connection):
    if connection:
        connection[1].close()
