"""Folders of other clients, made by hand: damaged, hostile, and of any kind."""

import base64
import datetime
import json
import os
import pathlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from lib.tls import Authority, read_chain, read, to_pem
from test_import import (Counted, by_id, contents, goes_on, imported,
                         serial_of)

DAY = datetime.timedelta(days=1)
CA = "https://ca.example.net/acme/directory"
ACCOUNT = "0123456789abcdef0123456789abcdef"


def key_text(key, password=None):
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(password) if password
        else serialization.NoEncryption()).decode()


def number(value, size):
    return base64.urlsafe_b64encode(value.to_bytes(size, "big")) \
        .decode().rstrip("=")


def jwk(key):
    """Of an EC key on P-256 or P-384."""
    numbers = key.private_numbers()
    size = key.key_size // 8
    return {"kty": "EC", "crv": f"P-{key.key_size}",
            "x": number(numbers.public_numbers.x, size),
            "y": number(numbers.public_numbers.y, size),
            "d": number(numbers.private_value, size)}


class Letsencrypt:
    """What certbot has in /etc/letsencrypt."""

    def __init__(self, site):
        self.authority = site.authority
        self.root = site.folder / "letsencrypt"
        self.ca = CA
        self.account_key = ec.generate_private_key(ec.SECP384R1())
        self.account = self.make_account("ca.example.net/acme/directory",
                                         ACCOUNT)
        for folder in ("live", "archive", "renewal"):
            (self.root / folder).mkdir()

    def make_account(self, path, name, key=None):
        folder = self.root / "accounts" / path / name
        folder.mkdir(parents=True)
        self.write(folder / "private_key.json",
                   json.dumps(jwk(key or self.account_key)))
        self.write(folder / "regr.json", json.dumps({
            "body": {}, "uri": "https://ca.example.net/acct/1"}))
        return folder

    @staticmethod
    def write(path, text):
        path.write_text(text)
        path.chmod(0o600)

    def add(self, name, params="", key=None, head="", names=None, **when):
        """A certificate with its renewal file; its folder in live/."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        cert = self.authority.issue(key.public_key(), names or [name],
                                    **{"begin": -DAY, "end": 60 * DAY, **when})
        live = self.root / "live" / name
        archive = self.root / "archive" / name
        live.mkdir()
        archive.mkdir()
        chain = to_pem(cert) + self.authority.pem
        for file, text in (("privkey", key_text(key)), ("fullchain", chain)):
            self.write(archive / f"{file}1.pem", text)
            (live / f"{file}.pem").symlink_to(
                f"../../archive/{name}/{file}1.pem")
        self.write(self.root / "renewal" / f"{name}.conf", f"""\
# renew_before_expiry = 30 days
{head}version = 2.1.0
archive_dir = {archive}
[renewalparams]
account = {ACCOUNT}
server = {self.ca}
{params}
""")
        return live


@pytest.fixture
def etc(site):
    return Letsencrypt(site)


@pytest.fixture
def server(site):
    """Never started."""
    return site.server()


def replace(path, text):
    """The file, not what a link leads to."""
    path.unlink()
    Letsencrypt.write(path, text)


def spoil_wrong_key(etc, live):
    replace(live / "privkey.pem",
            key_text(ec.generate_private_key(ec.SECP256R1())))
    return "not the key of the certificate"


def spoil_locked_key(etc, live):
    key = ec.generate_private_key(ec.SECP256R1())
    replace(live / "privkey.pem", key_text(key, b"secret"))
    return "the key is encrypted"


def spoil_no_key(etc, live):
    (live / "privkey.pem").unlink()
    return "privkey.pem: cannot be read"


def spoil_junk(etc, live):
    replace(live / "fullchain.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n")
    return "fullchain.pem: "


def spoil_huge(etc, live):
    replace(live / "fullchain.pem", "x" * 100000)
    return "fullchain.pem: "


def spoil_leads_out(etc, live):
    outside = etc.root.parent / "outside.pem"
    outside.write_text((live / "privkey.pem").read_text())
    os.chown(outside, 65534, 65534)
    (live / "privkey.pem").unlink()
    (live / "privkey.pem").symlink_to(outside)
    return "does not belong to root"


def spoil_self_signed(etc, live):
    key = ec.generate_private_key(ec.SECP256R1())
    itself = Authority(live, key=key)
    replace(live / "fullchain.pem",
            to_pem(itself.sign(itself.name, key.public_key(), -DAY, DAY,
                               x509.SubjectAlternativeName(
                                   [x509.DNSName(live.name)]))))
    replace(live / "privkey.pem", key_text(key))
    return "self-signed"


def spoil_no_name(etc, live):
    replace(live / "fullchain.pem", etc.authority.pem)
    return "has no name of a server"


def spoil_loop(etc, live):
    (live / "privkey.pem").unlink()
    (live / "privkey.pem").symlink_to("privkey.pem")
    return "privkey.pem: cannot be read"


def conf_of(etc, live):
    return etc.root / "renewal" / f"{live.name}.conf"


def spoil_staging(etc, live):
    conf = conf_of(etc, live)
    replace(conf, conf.read_text().replace(
        CA, "https://acme-staging-v02.api.letsencrypt.org/directory"))
    return "of a CA for tests"


def spoil_plain_http(etc, live):
    conf = conf_of(etc, live)
    replace(conf, conf.read_text().replace("https://", "http://"))
    return "http://"


def spoil_no_server(etc, live):
    conf = conf_of(etc, live)
    replace(conf, conf.read_text().replace("server = ", "serve = "))
    return "its CA is not known"


def spoil_binary(etc, live):
    conf_of(etc, live).write_bytes(b"\0" * 100)
    return "not a text"


SPOILED = {name[6:]: function for name, function in globals().items()
           if name.startswith("spoil_")}


def test_what_is_damaged_is_said_and_left(server, etc):
    expected = {
        "good.example.org": None,
        "expired.example.org": "the certificate expired at",
        "future.example.org": "not valid before",
        "p521.example.org": "neither an RSA key nor an EC key on"}
    etc.add("good.example.org")
    etc.add("expired.example.org", end=-datetime.timedelta(hours=1))
    etc.add("future.example.org", begin=DAY)
    etc.add("p521.example.org",
            key=ec.generate_private_key(ec.SECP521R1()))
    for name, spoil in SPOILED.items():
        host = f"{name.replace('_', '-')}.example.org"
        expected[host] = spoil(etc, etc.add(host))
    before = contents(etc.root)
    report = imported(server, "certbot", etc.root, code=1)
    assert contents(etc.root) == before
    found = by_id(report)
    assert found.keys() == expected.keys()
    for name, reason in expected.items():
        cert = found[name]
        assert cert["result"] == ("taken" if reason is None else "skipped"), \
            cert
        assert (reason or "") in cert.get("reason", ""), cert
    store = server.store
    assert [path.name for path in (store / "live").iterdir()] == [
        "good.example.org"]
    assert [path.name for path in (store / "archive").iterdir()] == [
        "good.example.org"]


def test_what_is_taken_is_as_the_keeper_writes_it(server, etc):
    live = etc.add("www.example.org")
    imported(server, "certbot", etc.root)
    folder = server.store / "live/www.example.org"
    assert os.readlink(folder) == "../archive/www.example.org/1"
    modes = {path.name: oct(path.stat().st_mode & 0o777)
             for path in folder.iterdir()}
    assert modes == {"privkey.pem": "0o600", "cert.pem": "0o644",
                     "chain.pem": "0o644", "fullchain.pem": "0o644",
                     "meta.json": "0o644"}
    leaf = read(read_chain((folder / "fullchain.pem").read_text())[0])
    assert (folder / "privkey.pem").read_text() == \
        (live / "privkey.pem").read_text()
    assert abs((folder / "fullchain.pem").stat().st_mtime
               - leaf.not_before.timestamp()) < 2
    meta = json.loads((folder / "meta.json").read_text())
    assert (meta["id"], meta["names"], meta["ca"], meta["keyTypes"],
            meta["certificates"][0]["serial"]) == (
        "www.example.org", ["www.example.org"], CA, "p256",
        f"{leaf.serial:x}".zfill(len(meta["certificates"][0]["serial"])))
    account, = (server.store / "accounts").iterdir()
    assert account.stat().st_mode & 0o777 == 0o700
    assert json.loads((account / "account.json").read_text())["url"] == \
        "https://ca.example.net/acct/1"
    key = serialization.load_pem_private_key(
        (account / "key.pem").read_bytes(), None)
    assert key.private_numbers() == etc.account_key.private_numbers()


def test_accounts_that_are_not_taken(server, etc):
    def spoil(name, file, text):
        etc.write(etc.make_account("ca.example.net/acme/directory", name)
                  / file, text)

    etc.add("www.example.org")
    spoil("a" * 32, "regr.json", "{")
    spoil("b" * 32, "private_key.json", "{}")
    numbers = jwk(ec.generate_private_key(ec.SECP256R1()))
    spoil("c" * 32, "private_key.json", json.dumps(
        {**numbers, "d": number(5, 32)}))
    spoil("d" * 32, "regr.json", json.dumps(
        {"uri": "https://ca.example.net/acct/2",
         "body": {"status": "deactivated"}}))
    etc.make_account("ca.example.net/acme/directory", "e" * 32)
    etc.write(etc.make_account("other.example.net/dir", "9" * 32)
              / "regr.json", json.dumps({"uri": "https://evil.example/1"}))
    etc.make_account("acme-staging-v02.api.letsencrypt.org/directory",
                     "f" * 32)
    report = imported(server, "certbot", etc.root, code=1)
    reasons = {pathlib.Path(account["place"]).name[0]:
               account.get("reason", "") for account in report["accounts"]}
    assert reasons.pop("0") == "" and reasons.pop("9") == ""
    other, = (account for account in report["accounts"]
              if "other" in account["directory"])
    assert "url" not in other and "is not known" in other["note"]
    for name, reason in {"a": "regr.json", "b": "not a JWK",
                         "c": "", "d": "has deactivated",
                         "e": "more certificates have another",
                         "f": "of a CA for tests"}.items():
        assert reason in reasons[name] and reasons[name], (name, reasons)


SETTINGS = {
    "apache": ("authenticator = apache\ninstaller = apache", [], []),
    "standalone": ("authenticator = standalone\n"
                   "pre_hook = systemctl stop apache2 || true", None, None),
    "webroot": ("authenticator = webroot\nwebroot_path = {here},",
                ["AcmeHttp webroot {here}"], []),
    "lost": ("authenticator = webroot\nwebroot_path = /nowhere,", [],
             ["/nowhere is not there"]),
    "webroots": ("authenticator = webroot\nwebroot_path = /a, /b,", [],
                 ["several folders"]),
    "manual": ("authenticator = manual\nmanual_auth_hook = {script}\n"
               "manual_cleanup_hook = {script}\npref_challs = dns-01,",
               ["AcmeDns exec {script} {script}"], []),
    "manual-http": ("authenticator = manual\nmanual_auth_hook = {script}\n"
                    "pref_challs = http-01,", ["AcmeHttp exec {script}"], []),
    "manual-args": ("authenticator = manual\n"
                    "manual_auth_hook = {script} --all", [],
                    ["put it into a script"]),
    "cloudflare": ("authenticator = dns-cloudflare", [], ["dns-lexicon"]),
    "deploy": ("renew_hook = {script} --all", ["AcmeHook deploy {script} "
                                               "--all"], []),
    "shell": ("renew_hook = \"{script} 'a b' && true\"",
              ["AcmeHook deploy /bin/sh -c \"{script} 'a b' && true\""], []),
    "reload": ("renew_hook = systemctl reload apache2", [],
               ["mod_acme reloads httpd itself"]),
    "defined": ("renew_hook = echo ${{HOME}}", [], ["put it into a script"]),
    "options": ("reuse_key = True\nmust_staple = True\n"
                "preferred_chain = ISRG Root X1\n"
                "required_profile = shortlived",
                ["AcmeKeyReuse on", "AcmeMustStaple on",
                 "AcmePreferredChain \"ISRG Root X1\"",
                 "AcmeProfile shortlived required"], []),
    "quotes": ('preferred_chain = a"b\\c', ['AcmePreferredChain "a\\"b\\\\c"'],
               []),
    "unknown": ("authenticator = x\x1b[31m", [], ["is not known"])
}


def test_settings_become_directives(site, server, etc):
    script = site.folder / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    words = {"script": script, "here": site.folder}
    for name, (params, _lines, _notes) in SETTINGS.items():
        etc.add(f"{name}.example.org", params.format(**words))
    etc.add("window.example.org", head="renew_before_expiry = 20 days\n")
    etc.add("star.example.org", names=["star.example.org",
                                       "*.star.example.org"])
    etc.add("rsa.example.org", key=rsa.generate_private_key(65537, 3072))
    etc.add("odd.example.org", key=rsa.generate_private_key(65537, 2304))
    hooks = etc.root / "renewal-hooks/deploy"
    hooks.mkdir(parents=True)
    (hooks / "all").symlink_to(script)
    (hooks / "broken").symlink_to("/nowhere")
    fragment = server.root / "conf/imported.conf"
    report = imported(server, "certbot", etc.root, "--write-conf", fragment)
    found = by_id(report)
    for name, (_params, lines, notes) in SETTINGS.items():
        cert = found[f"{name}.example.org"]
        if lines is not None:
            assert sorted(cert["directives"]) == [line.format(**words)
                                                  for line in lines], cert
            assert len(cert["notes"]) == len(notes), cert
        for note, text in zip(notes or [], cert["notes"]):
            assert note in text
    own = {name: found[f"{name}.example.org"]["directives"]
           for name in ("window", "star", "rsa", "odd")}
    assert own == {"window": ["AcmeRenewWindow 20d"],
                   "star": ["AcmeNames star.example.org *.star.example.org"],
                   "rsa": ["AcmeKeyTypes rsa3072"], "odd": []}
    assert "AcmeKeyTypes does not have" in \
        found["odd.example.org"]["notes"][0]
    assert sorted(report["directives"]) == [
        f"AcmeCA {CA}", f"AcmeHook deploy {hooks / 'all'}"]
    assert "broken cannot be executed" in report["notes"][0]

    # All of it is good as a directive of a virtual host, not only what is
    # in the fragment.
    server.part("imported", f"Include {fragment}\n")
    for name, cert in found.items():
        server.vhost(name, body="\n".join(cert["directives"]))
    code, said = server.httpd_t()
    assert code == 0 and said.endswith("Syntax OK\n"), said
    # Nothing of theirs steers the terminal.
    said = server.acmectl("import", "certbot", etc.root)[1]
    assert "\x1b" not in said and "\\x1b[31m" in said
    # A file that is there is not replaced.
    code, said = server.acmectl("import", "certbot", etc.root,
                                "--write-conf", fragment)
    assert code == 2 and "is not replaced" in said


def test_what_the_store_has_stays(server, etc):
    etc.add("www.example.org")
    imported(server, "certbot", etc.root)
    live = server.store / "live/www.example.org"

    # certbot has renewed it meanwhile.
    def renew(days):
        for path in [*(etc.root / "archive/www.example.org").iterdir(),
                     *(etc.root / "live/www.example.org").iterdir()]:
            path.unlink()
        for folder in ("live", "archive"):
            (etc.root / folder / "www.example.org").rmdir()
        etc.add("www.example.org", end=days * DAY)

    renew(80)
    report = imported(server, "certbot", etc.root)
    assert by_id(report)["www.example.org"]["result"] == "taken"
    assert os.readlink(live) == "../archive/www.example.org/2"
    renew(70)
    report = imported(server, "certbot", etc.root, code=1)
    assert "valid longer" in by_id(report)["www.example.org"]["reason"]
    assert os.readlink(live) == "../archive/www.example.org/2"

    # Another account of that CA.
    etc.write(etc.account / "private_key.json",
              json.dumps(jwk(ec.generate_private_key(ec.SECP256R1()))))
    report = imported(server, "certbot", etc.root, code=1)
    assert "another account at this CA" in report["accounts"][0]["reason"]


def test_a_command_of_another_user_is_not_taken(site, server, etc):
    script = site.folder / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    etc.add("www.example.org", f"renew_hook = {script}\nreuse_key = True")
    fragment = server.root / "conf/imported.conf"
    os.chown(etc.root, 65534, 65534)
    report = imported(server, "certbot", etc.root, "--write-conf", fragment)
    cert = by_id(report)["www.example.org"]
    assert report["directives"] == cert["directives"] == []
    for line in (f"AcmeHook deploy {script}", "AcmeKeyReuse on",
                 f"AcmeCA {CA}"):
        assert any(note.endswith(f"change {etc.root}: {line}")
                   for note in cert["notes"]), (line, cert)
    assert "\nAcmeHook" not in fragment.read_text()


def test_a_script_that_others_can_change_is_not_taken(site, server, etc):
    """Though root alone owns the folder that names it."""
    script = site.folder / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o775)
    etc.add("www.example.org", f"renew_hook = {script}\n"
            "pre_hook = service apache2 stop\npost_hook = /bin/sh -e x")
    fragment = server.root / "conf/imported.conf"
    cert = by_id(imported(server, "certbot", etc.root, "--write-conf",
                          fragment))["www.example.org"]
    assert cert["directives"] == [f"AcmeCA {CA}"]
    for note in (f"change {script}: AcmeHook deploy",
                 '"service apache2 stop" is left out',
                 "check first: AcmeHook post /bin/sh -e x"):
        assert any(note in text for text in cert["notes"]), (note, cert)
    text = fragment.read_text()
    assert "\nAcmeHook" not in text and "\n#     note: check first" in text


def test_a_damaged_pair_below_live_ends_no_server(site, etc):
    """mod_ssl alone would refuse to start: AH02565."""
    server = site.server(site.ca(always_valid=True))
    etc.add("www.example.org")
    imported(server, "certbot", etc.root)
    live = server.store / "live/www.example.org"
    etc.write(live / "privkey.pem",
              key_text(ec.generate_private_key(ec.SECP256R1())))
    server.vhost("www.example.org",
                 body=f"SSLCertificateFile {live}/fullchain.pem\n"
                      f"SSLCertificateKeyFile {live}/privkey.pem\n")
    server.start()
    assert not server.matching("AH02565")
    server.wait_valid("www.example.org")


def test_while_httpd_runs(site, etc):
    """What the running server does not have is added, and nothing else."""
    ca = site.proxied_ca(always_valid=True)
    server = site.server(ca)
    server.vhost("here.example.org")
    server.start()
    serial = server.wait_valid("here.example.org").serial
    etc.ca = ca.url
    etc.add("new.example.org")
    etc.add("here.example.org", end=200 * DAY)
    etc.make_account(f"127.0.0.1:{ca.port}/dir", ACCOUNT)
    report = imported(server, "certbot", etc.root, code=1)
    assert report["httpdRuns"]
    account, = (account for account in report["accounts"]
                if account["directory"] == ca.url)
    assert "another account at this CA" in account["reason"]
    found = by_id(report)
    assert "stop httpd" in found["here.example.org"]["reason"]
    assert found["new.example.org"]["result"] == "taken"
    assert "another one" in found["new.example.org"]["notes"][0]
    counted = Counted(ca)
    server.vhost("new.example.org")
    server.graceful()
    goes_on(server, counted, {
        "new.example.org": serial_of(report, "new.example.org"),
        "here.example.org": serial}, "new.example.org")


@pytest.mark.parametrize("words, said", [
    (["certbot", "/nowhere"], "no account and no certificate"),
    (["nginx", "/etc"], "not known; certbot"),
    (["mod_md"], "its folder is needed"),
    (["certbot", "/etc/hostname"], "no account and no certificate")])
@pytest.mark.whole
def test_a_call_that_cannot_work(server, words, said):
    code, text = server.acmectl("import", *words)
    assert code == 1 and said in text
    assert not server.store.exists()


def test_a_configuration_that_cannot_be_read_is_said_before(server, etc):
    etc.add("www.example.org")
    code, said = server.acmectl("import", "certbot", etc.root, "--conf",
                                "/nowhere")
    assert code == 1 and "/nowhere" in said
    assert not server.store.exists()


def test_two_folders_of_acme_sh_are_one_certificate(site, server):
    root = site.folder / "acme.sh"
    for suffix, names, key in (
            ("", ["a.example.org"], rsa.generate_private_key(65537, 2048)),
            ("_ecc", ["a.example.org"],
             ec.generate_private_key(ec.SECP256R1())),
            ("", ["b.example.org"], rsa.generate_private_key(65537, 2048)),
            ("_ecc", ["b.example.org", "other.example.org"],
             ec.generate_private_key(ec.SECP256R1()))):
        folder = root / f"{names[0]}{suffix}"
        folder.mkdir(parents=True)
        (folder / "fullchain.cer").write_text(
            to_pem(site.authority.issue(key.public_key(), names)))
        (folder / f"{names[0]}.key").write_text(key_text(key))
        (folder / f"{names[0]}.conf").write_text(f"Le_API='{CA}'\n")
    for path in (root, *root.rglob("*")):
        os.chown(path, 65534, 65534)
    found = by_id(imported(server, "acme.sh", root, code=1))
    assert found["a.example.org"]["keyTypes"] == "rsa2048 p256"
    assert found["b.example.org"]["reason"].endswith("has the same id")
    live = server.store / "live"
    assert (live / "a.example.org/privkey-p256.pem").exists()
    assert not (live / "b.example.org/privkey-p256.pem").exists()


def test_rollover_keys_of_dehydrated(site, server):
    """One that fits is the next key, once; any other one is a note."""
    folder = site.folder / "dehydrated"
    same, other = (ec.generate_private_key(curve)
                   for curve in (ec.SECP256R1(), ec.SECP384R1()))
    rolled = {"good.example.org": key_text(same),
              "other.example.org": key_text(other),
              "damaged.example.org": "nothing\n", "none.example.org": None}
    for name, text in rolled.items():
        certs = folder / "certs" / name
        certs.mkdir(parents=True)
        key = ec.generate_private_key(ec.SECP256R1())
        cert = site.authority.issue(key.public_key(), [name], begin=-DAY,
                                    end=60 * DAY)
        for file, what in (("privkey", key_text(key)),
                           ("fullchain", to_pem(cert) + site.authority.pem),
                           ("privkey.roll", text)):
            if what:
                Letsencrypt.write(certs / f"{file}.pem", what)
    (folder / "config").write_text('PRIVATE_KEY_ROLLOVER="yes"\n')
    whole = imported(server, "dehydrated", folder, "--ca", CA)
    assert "AcmeKeyReuse next" in whole["directives"]
    report = by_id(whole)
    assert {report[name]["result"] for name in rolled} == {"taken"}
    assert not [note for note in report["good.example.org"]["notes"]
                if "roll" in note]
    for name, said in (("other.example.org", "has another type"),
                       ("damaged.example.org", "rollover key is not taken"),
                       ("none.example.org", "rollover key is not taken")):
        assert [note for note in report[name]["notes"] if said in note], name
    kept = server.store / "next" / "good.example.org" / "p256.pem"
    assert kept.read_text() == key_text(same)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert list((server.store / "next").glob("*/*")) == [kept]

    (folder / "config").write_text("PRIVATE_KEY_RENEW=no\n")
    again = imported(server, "dehydrated", folder, "--ca", CA)
    assert "AcmeKeyReuse on" in again["directives"]
