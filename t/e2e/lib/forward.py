"""An outgoing proxy, as AcmeProxy names it: CONNECT, and nothing else."""

import socket
import threading

from lib.ports import free_port
from lib.relay import copy, serve


class ForwardProxy:
    """targets: where it was asked to, in order; refusing: it says 403."""

    def __init__(self):
        self.port = free_port()
        self.targets = []
        self.refusing = False
        self._listener = socket.create_server(("127.0.0.1", self.port))

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        serve(self._listener, self._serve)
        return self

    def end(self):
        self._listener.close()

    def _serve(self, client):
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            more = client.recv(4096)
            if not more:
                client.close()
                return
            head += more
        method, target, _ = head.decode().split("\r\n")[0].split(" ")
        self.targets.append(target)
        if method != "CONNECT" or self.refusing:
            client.sendall(b"HTTP/1.1 403 Forbidden\r\n"
                           b"Content-Length: 0\r\n\r\n")
            client.close()
            return
        host, port = target.rsplit(":", 1)
        try:
            server = socket.create_connection((host, int(port)), 5)
        except OSError:
            client.sendall(b"HTTP/1.1 502 Bad Gateway\r\n"
                           b"Content-Length: 0\r\n\r\n")
            client.close()
            return
        client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        threading.Thread(target=copy, args=(client, server),
                         daemon=True).start()
        copy(server, client)
