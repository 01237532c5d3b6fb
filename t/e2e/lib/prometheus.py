"""A real Prometheus, which scrapes an httpd as conf/monitoring says."""

import json
import shutil
import urllib.parse
import urllib.request

from lib.httpd import REPOSITORY
from lib.ports import free_port
from lib.process import Process
from lib.wait import PATIENCE, wait_until

MONITORING = REPOSITORY / "conf" / "monitoring"


class Prometheus:
    """It reads conf/monitoring/prometheus.yml, but for whom it asks."""

    def __init__(self, folder, port):
        self.folder = folder
        self.port = free_port()
        folder.mkdir()
        shutil.copy(MONITORING / "prometheus-rules.yml", folder)
        text = (MONITORING / "prometheus.yml").read_text()
        assert "www.example.org" in text and "https" in text
        (folder / "prometheus.yml").write_text(
            "global:\n  scrape_interval: 1s\n  evaluation_interval: 1s\n"
            + text.replace("www.example.org", f"127.0.0.1:{port}")
                  .replace("scheme: https", "scheme: http"))
        self.server = None

    def start(self):
        self.server = Process(
            ["prometheus", f"--config.file={self.folder}/prometheus.yml",
             f"--storage.tsdb.path={self.folder}/data",
             f"--web.listen-address=127.0.0.1:{self.port}"],
            self.folder / "log")
        wait_until(lambda: not self.server.running() or self._is_ready(),
                   "Prometheus is ready")
        assert self.server.running(), (self.folder / "log").read_text()
        return self

    def _is_ready(self):
        try:
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}/-/ready", timeout=PATIENCE):
                return True
        except OSError:
            return False

    def end(self):
        if self.server:
            self.server.end()

    def _ask(self, path):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}"
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        """[(labels, value), ...]"""
        found = self._ask("query?" + urllib.parse.urlencode(
            {"query": expression}))
        return [(row["metric"], float(row["value"][1]))
                for row in found["result"]]

    def wait_for(self, expression):
        """The first answer that is not empty."""
        return wait_until(lambda: self.query(expression),
                          f"Prometheus answers {expression}")

    def targets(self):
        return self._ask("targets")["activeTargets"]

    def rules(self):
        return [rule for group in self._ask("rules")["groups"]
                for rule in group["rules"]]

    def alerts(self):
        """Names of alerts that fire, or would soon."""
        return {alert["labels"]["alertname"]
                for alert in self._ask("alerts")["alerts"]}
