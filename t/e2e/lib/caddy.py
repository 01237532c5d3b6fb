"""A CA of other people's code: caddy's acme_server.

It validates at ports 80 and 443 and by the system's resolver, so it runs in a
Network, and the names to be validated are in its hosts before caddy starts.
Certificates live for hours and begin a minute ago, and their subject is empty
where the CSR's is; the directory has no renewal information.
"""

import os

from lib.ports import accepts, free_port
from lib.process import Process
from lib.wait import wait_until


class Caddy:
    """lifetime: of its certificates, as caddy writes durations."""

    def __init__(self, folder, authority, name="caddy", lifetime="12h"):
        self.authority = authority
        self.port = free_port()
        self.folder = folder / name
        self.storage = self.folder / "storage"
        self.storage.mkdir(parents=True)
        crt, key = authority.server_files(name, "127.0.0.1", "localhost")
        self.config = self.folder / "Caddyfile"
        self.config.write_text(f"""{{
    admin off
    storage file_system {self.storage}
    skip_install_trust
    auto_https disable_redirects
    http_port {free_port()}
    default_sni localhost
    pki {{
        ca local {{
            name "Test caddy"
        }}
    }}
}}
https://localhost:{self.port} {{
    bind 127.0.0.1
    tls {crt} {key}
    acme_server {{
        ca local
        lifetime {lifetime}
    }}
}}
""")
        self.server = None

    @property
    def url(self):
        return f"https://localhost:{self.port}/acme/local/directory"

    @property
    def _root(self):
        return self.storage / "pki" / "authorities" / "local" / "root.crt"

    @property
    def roots(self):
        """PEM of the root that visitors are to trust."""
        return self._root.read_text()

    def start(self):
        self.server = Process(
            ["caddy", "run", "--config", self.config, "--adapter",
             "caddyfile"], self.folder / "log",
            env={**os.environ, "HOME": str(self.folder)})
        wait_until(lambda: accepts(self.port) and self._root.exists(),
                   "caddy listens")
        return self

    def stop(self):
        if self.server:
            self.server.end()

    end = stop
