"""From another ACME client: nothing is ordered again, and renewals go on."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from lib import tls
from lib.httpd import modules_folder
from lib.pebble import Pebble210
from lib.wait import PATIENCE

NAME = "www.example.org"
OTHER = "shop.example.org"


def run(ca, *command, env=None):
    """Another client, which trusts this CA."""
    trust = {"REQUESTS_CA_BUNDLE": ca.authority.file,
             "LEGO_CA_CERTIFICATES": ca.authority.file}
    done = subprocess.run([str(word) for word in command], check=False,
                          env={**os.environ, **trust, **(env or {})},
                          timeout=PATIENCE, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout
    return done.stdout


def certbot(site, ca, *words):
    etc = site.folder / "letsencrypt"
    run(ca, "certbot", *words, "--server", ca.url, "-n", "--agree-tos",
        "--register-unsafely-without-email", "--config-dir", etc,
        "--work-dir", site.folder / "certbot-work",
        "--logs-dir", site.folder / "certbot-logs")
    return etc


def contents(folder):
    """What is in it, links and times too."""
    return {str(path.relative_to(folder)): (
        os.readlink(path) if path.is_symlink() else
        hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file()
        else "", path.lstat().st_mode, path.lstat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))}


def imported(server, *words, code=0):
    """acmectl import ... --json, which is to end with this code."""
    ended, said = server.acmectl("import", *words, "--json")
    assert ended == code, said
    return json.loads(said)


def by_id(report):
    return {cert["id"]: cert for cert in report["certificates"]}


def serial_of(report, cert_id):
    return int(by_id(report)[cert_id]["serial"], 16)


def hook_script(site, name):
    script = site.folder / name
    script.write_text("#!/bin/sh\n"
                      f"echo \"$RENEWED_DOMAINS\" >>{site.folder}/{name}.said\n")
    script.chmod(0o755)
    return script


class Counted:
    """What the CA is asked for from now on."""

    def __init__(self, ca):
        self.ca = ca
        self.before = len(ca.orders), ca.count("account")

    def said(self):
        """Orders, and requests for an account, since then."""
        return (len(self.ca.orders) - self.before[0],
                self.ca.count("account") - self.before[1])


def goes_on(server, counted, serials, renewed):
    """
    Each is served as it was imported, nothing is ordered, and one that is
    renewed by force is renewed with the imported account. By then the others
    would have been ordered.
    """
    for name, serial in serials.items():
        assert server.look(name).serial == serial, name
    assert server.renewal_child
    server.wait(lambda: server.acmectl("status")[0] == 0, "the keeper answers")
    for cert in json.loads(server.acmectl("status", "--json")[1]):
        assert (cert["state"], cert["nextStep"]) == ("valid", "renew"), cert
        assert cert["nextAt"] > time.strftime("%Y-%m-%dT%H:%M:%SZ",
                                              time.gmtime()), cert
    assert counted.said() == (0, 0)
    server.renew(renewed)
    server.wait_valid(renewed)
    assert server.look(renewed).serial != serials[renewed]
    assert counted.said() == (1, 0), server.log_text


def test_certbot(site):
    ca = site.proxied_ca(always_valid=True)
    script = hook_script(site, "deployed")
    certbot(site, ca, "certonly", "--webroot", "-w", site.folder, "-d", NAME)
    etc = certbot(site, ca, "certonly", "--standalone", "--http-01-port",
                  site.http_port, "--key-type", "rsa", "--reuse-key",
                  "-d", OTHER, "-d", "cart.example.org",
                  "--cert-name", "the-shop", "--deploy-hook", script)
    before = contents(etc)
    server = site.server(ca)
    conf = server.root / "conf" / "parts"
    old = [f"{which} {etc}/live/{{0}}/{file}.pem" for which, file in
           (("SSLCertificateFile", "fullchain"),
            ("SSLCertificateKeyFile", "privkey"))]
    server.vhost(NAME, body="\n".join(old).format(NAME))
    server.vhost(OTHER, "cart.example.org",
                 body="\n".join(old).format("the-shop"))
    fragment = server.root / "conf" / "imported.conf"

    dry = imported(server, "certbot", etc, "--dry-run", "--conf", conf)
    assert not server.store.exists()
    report = imported(server, "certbot", etc, "--conf", conf, "--write-conf",
                      fragment)
    assert contents(etc) == before
    assert dry == {**report, "dryRun": True}
    again = imported(server, "certbot", etc)
    assert {item["result"] for kind in ("accounts", "certificates")
            for item in again[kind]} == {"there"}

    serials = {NAME: serial_of(report, NAME),
               OTHER: serial_of(report, "the-shop")}
    vhosts = {vhost["name"]: vhost for vhost in report["virtualHosts"]}
    assert [line.split()[2] for line in vhosts[OTHER]["remove"]] == [
        "SSLCertificateFile", "SSLCertificateKeyFile"]
    assert vhosts[OTHER]["add"] == [
        "AcmeCertificate the-shop", "AcmeKeyReuse on",
        f"AcmeHook deploy {script}", "AcmeKeyTypes rsa2048"]

    counted = Counted(ca)
    server.part("imported", f"Include {fragment}\n")
    server.vhost(OTHER, "cart.example.org",
                 body="\n".join(vhosts[OTHER]["add"]))
    # The paths alone are enough for a virtual host, too. By a link to the
    # store, and for another site, which is not added to the certificate.
    link = site.folder / "link"
    link.symlink_to(server.store)
    live = server.store / "live" / NAME
    server.vhost(NAME, body=f"SSLCertificateFile {link}/live/{NAME}/cert.pem\n"
                            f"SSLCertificateKeyFile {live}/privkey.pem\n")
    assert server.httpd_t() == (0, "Syntax OK\n")
    server.vhost("intern.example.org",
                 body=f"SSLCertificateFile {live}/fullchain.pem\n"
                      f"SSLCertificateKeyFile {live}/privkey.pem\n")
    code, said = server.httpd_t()
    assert code == 0 and "which lacks intern.example.org: visitors" in said
    server.start()
    goes_on(server, counted, serials, NAME)
    # Both have followed its renewal.
    server.wait(lambda: server.look("intern.example.org").serial
                == server.look(NAME).serial != serials[NAME], "both are new")
    key = server.store / "live/the-shop/privkey.pem"
    before = key.read_text()
    server.renew("the-shop")
    server.wait_valid("the-shop", OTHER)
    assert key.read_text() == before
    assert counted.said() == (2, 0)
    said = site.folder / "deployed.said"
    server.wait(lambda: said.exists() and "cart.example.org"
                in said.read_text(), "the deploy hook was run")


def mod_md_store(site, ca):
    """What a real mod_md has ordered: one of two key types, one of RSA."""
    server = site.server(ca, acme=False)
    server.part("amd", f"""
LoadModule md_module {modules_folder()}/mod_md.so
MDStoreDir md
MDCertificateAuthority {ca.url}
MDCertificateAgreement accepted
MDCACertificateFile {ca.authority.file}
MDContactEmail admin@example.org
MDPortMap http:{server.http_port} https:{server.https_port}
MDCAChallenges http-01
MDStapling off
MDRenewWindow 40%
<MDomainSet {NAME}>
MDPrivateKeys RSA 2048
</MDomainSet>
<MDomainSet {OTHER}>
MDMember cart.example.org
MDPrivateKeys secp256r1 RSA
MDRequireHttps temporary
</MDomainSet>
""")
    server.vhost(NAME)
    server.vhost(OTHER, "cart.example.org")
    server.start()
    for name in (NAME, OTHER):
        server.wait_log(f"AH10059.*{name}")
    server.graceful()
    server.wait(lambda: not server.look(NAME).self_signed
                and not server.look(OTHER).self_signed, "both are served")
    server.stop()
    return server


def test_mod_md(site):
    ca = site.proxied_ca(always_valid=True)
    old = mod_md_store(site, ca)
    store = old.root / "md"
    before = contents(store)
    server = site.server(ca, http_port=old.http_port,
                         https_port=old.https_port)
    fragment = server.root / "conf/imported.conf"
    report = imported(server, "mod_md", store, "--conf",
                      old.root / "conf/parts", "--write-conf", fragment)
    assert contents(store) == before
    assert set(report["directives"]) == {
        "AcmeContact admin@example.org", "AcmeChallenges http-01",
        "AcmeRenewWindow 40%", f"AcmeCA {ca.url}",
        f"AcmeCACertificateFile {ca.authority.file}",
        f"AcmePorts http:{old.http_port} https:{old.https_port}"}

    counted = Counted(ca)
    vhosts = {vhost["name"]: vhost["add"]
              for vhost in report["virtualHosts"]}
    assert vhosts[NAME] == ["AcmeKeyTypes rsa2048"]
    server.part("acme", "Include conf/acme.conf\nAcmeReloadDelay 1s\n"
                        f"Include {fragment}\n")
    server.vhost(NAME, body="\n".join(vhosts[NAME]))
    server.vhost(OTHER, "cart.example.org", body="\n".join(vhosts[OTHER]))
    assert server.httpd_t() == (0, "Syntax OK\n")
    server.start()
    goes_on(server, counted, {NAME: serial_of(report, NAME)}, NAME)
    kinds = {accept: server.look(OTHER, accept=accept).key
             for accept in ("ec", "rsa")}
    assert kinds == {"ec": "p256", "rsa": "rsa2048"}


def digest_of(path):
    """Of the public key of this private one, as TLSA records have it."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    return hashlib.sha256(key.public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def lego(site, ca):
    folder = site.folder / "lego"
    run(ca, "lego", "--server", ca.url, "--accept-tos", "--email",
        "admin@example.org", "--path", folder, "--domains", NAME, "--http",
        "--http.port", f":{site.http_port}", "--key-type", "ec384", "run")
    return folder, ["--ca", ca.url], {"AcmeContact admin@example.org",
                                      "AcmeKeyTypes p384"}


def dehydrated(site, ca):
    folder = site.folder / "dehydrated"
    (folder / "www").mkdir(parents=True)
    config = folder / "config"
    config.write_text(f"""
CA="{ca.url}"
BASEDIR="{folder}"
WELLKNOWN="{folder}/www"
KEY_ALGO=rsa
KEYSIZE="3072"
PRIVATE_KEY_ROLLOVER="yes"
CURL_OPTS="--cacert {ca.authority.file}"
""")
    run(ca, "dehydrated", "--config", config, "--register", "--accept-terms")
    run(ca, "dehydrated", "--config", config, "--cron", "--domain", NAME)
    return folder, [], {"AcmeKeyTypes rsa3072", "AcmeKeyReuse next"}


def acme_sh(site, ca):
    """It is not in Debian: what lego has, as acme.sh keeps it."""
    theirs = lego(site, ca)[0]
    folder = site.folder / "acme.sh"
    account = folder / "ca/127.0.0.1/dir"
    cert = folder / f"{NAME}_ecc"
    account.mkdir(parents=True)
    cert.mkdir()
    found, = theirs.glob("accounts/*/*/account.json")
    url = json.loads(found.read_text())["registration"]["uri"]
    shutil.copy(next(theirs.glob("accounts/*/*/keys/*.key")),
                account / "account.key")
    (account / "ca.conf").write_text(f"ACCOUNT_URL='{url}'\n"
                                     "CA_KEY_HASH='none'\n")
    shutil.copy(theirs / f"certificates/{NAME}.crt", cert / "fullchain.cer")
    shutil.copy(theirs / f"certificates/{NAME}.key", cert / f"{NAME}.key")
    script = hook_script(site, "renewed")
    hook = base64.b64encode(f"{script} --all".encode()).decode()
    (cert / f"{NAME}.conf").write_text(f"""Le_Domain='{NAME}'
Le_Alt='no'
Le_Webroot='{site.folder}'
Le_PreHook=''
Le_ReloadCmd='__ACME_BASE64__START_{hook}__ACME_BASE64__END_'
Le_API='{ca.url}'
Le_Keylength='ec-384'
""")
    return folder, [], {f"AcmeHook deploy {script} --all",
                        f"AcmeHttp webroot {site.folder}",
                        "AcmeKeyTypes p384"}


@pytest.mark.parametrize("client, made", [
    ("lego", lego),
    pytest.param("dehydrated", dehydrated, marks=pytest.mark.long),
    pytest.param("acme.sh", acme_sh, marks=pytest.mark.long)])
def test_other_clients(site, client, made):
    ca = site.proxied_ca(always_valid=True)
    folder, words, lines = made(site, ca)
    before = contents(folder)
    server = site.server(ca)
    fragment = server.root / "conf/imported.conf"
    report = imported(server, client, folder, *words, "--write-conf",
                      fragment)
    assert contents(folder) == before
    directives = by_id(report)[NAME]["directives"]
    assert {*report["directives"], *directives} == {f"AcmeCA {ca.url}",
                                                    *lines}
    assert f"AcmeCA {ca.url}" in directives
    assert report["accounts"][0]["url"]
    counted = Counted(ca)
    server.part("imported", f"Include {fragment}\n")
    server.vhost(NAME, body="\n".join(directives))
    server.start()
    goes_on(server, counted, {NAME: serial_of(report, NAME)}, NAME)
    if client == "dehydrated":
        # Its next key was announced, perhaps.
        rolled = folder / "certs" / NAME / "privkey.roll.pem"
        code, said = server.acmectl("tlsa", NAME, "--json")
        assert code == 0 and [
            row["value"] for row in json.loads(said) if row["key"] == "next"
        ] == [f"3 1 1 {digest_of(rolled)}"]


@pytest.mark.long
def test_the_renewal_names_what_it_replaces(site):
    """By the certificate's own numbers, at a CA with renewal information."""
    ca = site.proxied_ca(Pebble210, always_valid=True)
    folder, words, _lines = lego(site, ca)
    server = site.server(ca)
    report = imported(server, "lego", folder, *words)
    server.vhost(NAME, body="AcmeKeyTypes p384")
    server.start()
    serial = serial_of(report, NAME)
    assert server.look(NAME).serial == serial
    old = x509.load_pem_x509_certificate(ca.pebble.certificate(serial).encode())
    accounts = ca.count("account")
    server.wait(lambda: ca.count("renewal-info"), "the CA was asked when")
    server.renew(NAME)
    server.wait_valid(NAME)
    assert ca.orders[-1]["replaces"] == tls.cert_id(old)
    assert ca.count("account") == accounts
