"""A worker that was taken over: what it does with its channels is its own."""

import os
import socket
import subprocess

import pytest

from lib import process
from lib.wait import wait_until
from lib.worker import Worker, listens, takeover

NAME = "www.example.org"


def serve(site, *names, ca=None, body="", **options):
    """A server with certificates that obeys a Worker."""
    server = takeover(site.server(ca or site.ca(), **options))
    for name in names or (NAME,):
        server.vhost(name, body=body)
    server.start()
    for name in names or (NAME,):
        server.wait_valid(name)
    return server


def test_a_worker_is_served(site):
    server = serve(site)
    worker = Worker(server)
    with worker.connect() as channel:
        assert channel.welcome.fields == {"certs": 1, "pid": server.keeper}
        reply = channel.ask("PREPARE", {"about.cert": 0})
        assert reply.status == 0 and len(reply.fields["thumbprint"]) == 43
        assert channel.ask("PREPARE", {"about.cert": 7}).status != 0
        channel.send("WANT")
        assert channel.receive() is None
