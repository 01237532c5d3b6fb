"""AcmeRequireHttps: who is sent to https, and the one header of HSTS."""

NAME = "www.example.org"
NEW = "new.example.org"
OURS = "max-age=15768000"


def hsts(server, path="/", name=NAME):
    return [value for key, value in server.get_tls(name, path).pairs
            if key == "strict-transport-security"]


def test_nobody_is_sent_to_a_name_that_the_live_certificate_lacks(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.part("require", "AcmeRequireHttps permanent\n")
    server.vhost(NAME)
    server.vhost("files.example.org", tls_on=False, body="AcmeEngine on")
    server.start()
    server.wait_valid(NAME)
    server.wait_installed("files.example.org")
    held = ca.hold("order")
    server.vhost(NAME, NEW)
    server.graceful()
    held.wait()

    assert server.get(host=NAME).status == 301
    assert hsts(server) == [OURS]
    assert server.get(host=NEW).status == 200
    assert hsts(server, name=NEW) == []
    # A certificate for another daemon, without a virtual host with TLS.
    assert server.get(host="files.example.org").status == 200

    held.release()
    server.wait_valid(NAME, count=2)
    assert server.get(host=NEW).status == 301
    assert hsts(server, name=NEW) == [OURS]


def test_hsts_is_sent_once_and_theirs_wins(site):
    server = site.server(site.ca())
    header = "Strict-Transport-Security"
    rules = {"set": f'Header set {header} "max-age=1"',
             "always": f'Header always set {header} "max-age=2"',
             "unset": f"Header unset {header}",
             "always-unset": f"Header always unset {header}",
             "edit": f"Header edit {header} ^.*$ max-age=3",
             "same": f'Header set {header} "{OURS}"',
             "merge": f"Header merge {header} preload",
             "inside": "ErrorDocument 404 /index.html",
             "denied": "Require all denied\nErrorDocument 403 /index.html"}
    back = f"http://127.0.0.1:{server.http_port}/"
    server.vhost(NAME, body="AcmeRequireHttps permanent\n" + "".join(
        f"<Location /{path}>\n{rule}\n</Location>\n"
        for path, rule in rules.items())
        + f"Redirect /moved /\nProxyPass /backend/own/ {back}own/\nProxyPass /backend/ {back}\n")
    server.vhost("back.example.org", tls_on=False, body=(
        f'<Location /own>\nHeader set {header} "max-age=4"\n</Location>'))
    for path in (*rules, "own"):
        (server.htdocs / path).mkdir()
        (server.htdocs / path / "index.html").write_text("It works\n")
    server.vhost("plain.example.org", body="AcmeRequireHttps permanent")
    server.start()
    server.wait_valid(NAME)
    server.wait_valid("plain.example.org")

    assert {path: hsts(server, path) for path in (
        "/", "/set/", "/always/", "/unset/", "/always-unset/", "/edit/",
        "/same/", "/merge/", "/denied/", "/moved", "/missing", "/backend/",
        "/backend/own/", "/backend/missing", "/always/missing",
        "/always-unset/missing", "/inside/missing")} == {
            "/": [OURS], "/set/": ["max-age=1"], "/always/": ["max-age=2"],
            "/unset/": [], "/always-unset/": [], "/edit/": ["max-age=3"],
            "/same/": [OURS], "/merge/": [f"{OURS}, preload"],
            "/denied/": [OURS], "/moved": [OURS], "/missing": [OURS],
            "/backend/": [OURS], "/backend/own/": ["max-age=4"],
            "/backend/missing": [OURS], "/always/missing": ["max-age=2"],
            "/always-unset/missing": [], "/inside/missing": [OURS]}
    assert hsts(server, "/%00", "plain.example.org") == [OURS]
