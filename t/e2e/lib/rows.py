"""Many rows of a table in one server: each has a name and a CA of its own."""

from lib.wait import PATIENCE, wait_until


class Rows:
    """
    A server with a virtual host for each row, whose CA is a proxy of its own
    before one pebble. table: {the row's name for a report: its value}.

    What is to hold for a row is said to each(); a row that fails is named.
    """

    def __init__(self, site, table, body=""):
        self.pebble = site.ca()
        # Side by side, that one reload may serve them, but no more than a
        # pebble bears, which hangs now and then with dozens.
        self.server = site.server(self.pebble, reload_delay="3s")
        self.server.part("rows", "AcmeParallel 8\n")
        self.rows = [Row(self.server, name, value, f"row{i}.example.org",
                         site.proxy(self.pebble))
                     for i, (name, value) in enumerate(table.items())]
        self.configure(body)

    def configure(self, body):
        for row in self.rows:
            self.server.vhost(row.domain, body=f"AcmeCA {row.ca.url}\n{body}")

    def each(self, check):
        """Call check(row) for each row; fails with those that failed."""
        failed = []
        for row in self.rows:
            try:
                check(row)
            except AssertionError as why:
                failed.append(f"{row.name} ({row.domain}): {why}")
        assert not failed, "\n".join(failed)

    def none_failed(self):
        self.each(Row.not_failed)

    def all_valid(self, count=1, timeout=PATIENCE):
        self.each(lambda row: row.wait_valid(count, timeout))

    def all_renew(self, count, timeout=PATIENCE):
        """The administrator wants them all anew; the count-th ones are."""
        self.each(lambda row: self.server.renew(row.domain))
        self.all_valid(count, timeout)


class Row:
    def __init__(self, server, name, value, domain, ca):
        self.server = server
        self.name = name
        self.value = value
        self.domain = domain
        self.ca = ca

    def wait_valid(self, count=1, timeout=PATIENCE):
        return self.server.wait_valid(self.domain, count=count,
                                      timeout=timeout)

    def wait_ended(self):
        """The first order has failed, or there is a certificate."""
        wait_until(lambda: self.server.failures(self.domain)
                   or self.server.installed(self.domain),
                   "the order has ended")

    def mend(self):
        """A certificate now, if there is none yet."""
        if not self.server.installed(self.domain):
            self.server.renew(self.domain)

    def not_failed(self):
        assert not self.server.failures(self.domain)
