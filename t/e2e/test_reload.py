"""Going live: one guarded reload for many, and no visitor notices."""

import base64
import json
import os
import pathlib
import pty
import re
import shutil
import socket
import time

import pytest

from cryptography.hazmat.primitives import serialization

from lib import proxy
from lib.httpd import SANITIZERS, modules_folder
from lib.load import Load
from lib.ports import free_port
from lib.tls import DAY
from lib.wait import stays, wait_until

NAME = "www.example.org"


@pytest.mark.slow
def test_a_hundred_certificates_make_one_reload(site, record_property):
    """Not by AcmeReloadDelay, which is over long before the last one: a batch
    is waited for. Two, where it takes more than a minute."""
    server = site.server(site.ca())
    names = [f"site{i}.example.org" for i in range(20 if SANITIZERS else 100)]
    for name in names:
        server.vhost(name)
    begin = time.monotonic()
    server.start()
    for name in names:
        server.wait_installed(name)
    seconds = time.monotonic() - begin
    record_property("seconds_installed", round(seconds, 1))
    for name in names:
        server.wait_valid(name)
    record_property("seconds_served", round(time.monotonic() - begin, 1))
    assert server.reloads_asked <= (1 if seconds < 50 else 2)
    assert server.loads == server.reloads_asked + 1


@pytest.mark.parametrize("mpm", ["event", "worker", "prefork"])
def test_no_request_of_a_running_load_fails(site, mpm):
    server = site.server(site.ca(), mpm=mpm)
    server.vhost(NAME)
    server.start()
    server.wait_valid(NAME)
    with Load(server.https_port, NAME, server.ca.roots) as load:
        for count in (2, 3):
            server.renew(NAME)
            server.wait_valid(NAME, count=count)
            load.more(200)
    assert not load.failures
    assert server.reloads_asked == 3


def test_downloads_go_on_over_a_reload(site):
    server = site.server(site.ca())
    server.vhost(NAME)
    (server.htdocs / "big").write_bytes(b"x" * 8_000_000)
    server.start()
    server.wait_valid(NAME)
    with Load(server.https_port, NAME, server.ca.roots, clients=4,
              path="/big") as load:
        server.renew(NAME)
        server.wait_valid(NAME, count=2)
        load.more(4)
    assert not load.failures


def test_the_administrator_reloads_where_he_wants_it_so(site):
    server = site.server(site.ca())
    server.part("none", "AcmeActivate none\n")
    server.vhost(NAME)
    server.start()
    serial = server.wait_installed(NAME)
    stays(lambda: server.loads == 1, "nothing is reloaded", 3)
    assert server.look(NAME).self_signed

    server.graceful()
    server.wait_served(NAME, serial)


def held_back(server, edit, reason):
    """
    A second certificate is installed while edit() has been made: its reload
    is held back, which is told. Its serial comes back.
    """
    first = server.wait_valid(NAME)
    server.wait_log("acme: .*reloaded")
    loads = server.loads
    edit()
    server.renew(NAME)
    serial = server.wait_installed(NAME, 2)
    server.wait_log(f"acme: reload: postponed: .*{reason}")
    wait_until(lambda: "AcmeReloadHeld" in server.status(),
               "the status page tells that the reload is held")
    said = json.loads(server.acmectl("status", NAME, "--json")[1])[0]
    assert said["reason"] == "reload-held"

    stays(lambda: server.running and server.loads == loads,
          "the server runs as it was", 3)
    assert server.look(NAME, verify=True).serial == first.serial
    assert server.get_tls(NAME).status == 200
    return serial


def goes_live(server, serial):
    server.wait_served(NAME, serial)
    wait_until(lambda: "AcmeReloadHeld" not in server.status(),
               "nothing is held any more")


@pytest.fixture
def guarded(site):
    """A server with a certificate of ours and one by hand."""
    server = site.server(site.ca())
    server.vhost(NAME)
    crt, key = site.authority.server_files("own", "own.example.org")
    server.own_certificate = crt
    server.vhost("own.example.org", part="own",
                 body=f"SSLCertificateFile {crt}\n"
                      f"SSLCertificateKeyFile {key}")
    server.start()
    return server


def test_a_broken_configuration_is_never_loaded_by_us(guarded):
    own = guarded.root / "conf" / "parts" / "own.conf"
    before = own.read_text()
    serial = held_back(guarded, lambda: guarded.append("own", "<Broken"),
                       "own.conf")
    own.write_text(before)
    goes_live(guarded, serial)


def test_a_half_edited_configuration_is_never_loaded_by_us(guarded):
    own = guarded.root / "conf" / "parts" / "own.conf"
    before = own.read_text()
    serial = held_back(guarded, lambda: guarded.append("own", "Timeout 7"),
                       "own.conf")
    own.write_text(before)
    goes_live(guarded, serial)


def test_a_new_configuration_file_is_not_loaded_by_us(guarded):
    serial = held_back(guarded, lambda: guarded.part("new", "Timeout 7\n"),
                       "new.conf")
    guarded.remove_part("new")
    goes_live(guarded, serial)


def test_a_removed_configuration_file_holds_the_reload(guarded):
    own = guarded.root / "conf" / "parts" / "own.conf"
    aside = guarded.root / "own.aside"
    serial = held_back(guarded, lambda: own.rename(aside), "own.conf")
    aside.rename(own)
    goes_live(guarded, serial)


def test_a_broken_certificate_of_another_vhost_holds_the_reload(guarded):
    good = guarded.own_certificate.read_text()
    serial = held_back(
        guarded, lambda: guarded.own_certificate.write_text("garbage\n"),
        "own")
    guarded.own_certificate.write_text(good)
    goes_live(guarded, serial)


def test_a_held_certificate_goes_live_with_the_administrators_reload(guarded):
    serial = held_back(guarded, lambda: guarded.append("own", "Timeout 7"),
                       "own.conf")
    guarded.graceful()
    goes_live(guarded, serial)


def test_a_file_that_was_saved_without_a_change_holds_nothing(guarded):
    guarded.wait_valid(NAME)
    own = guarded.root / "conf" / "parts" / "own.conf"
    own.write_text(own.read_text())
    guarded.renew(NAME)
    guarded.wait_valid(NAME, count=2)
    assert not guarded.matching("reload: postponed")


def test_a_reload_that_was_held_is_made_by_the_next_keeper(guarded):
    own = guarded.root / "conf" / "parts" / "own.conf"
    before = own.read_text()
    serial = held_back(guarded, lambda: guarded.append("own", "Timeout 7"),
                       "own.conf")
    guarded.kill(guarded.keeper)
    guarded.wait_log("acme: keeper: started", count=3)
    own.write_text(before)
    goes_live(guarded, serial)


def test_a_file_that_mod_ssl_would_miss_holds_the_reload(guarded):
    """It is found by httpd -t alone: no file of the configuration changed."""
    roots = guarded.root / "roots.pem"
    shutil.copy(guarded.ca.authority.file, roots)
    guarded.append("own", "")
    own = guarded.root / "conf" / "parts" / "own.conf"
    own.write_text(own.read_text().replace(
        "</VirtualHost>", f"SSLCACertificateFile {roots}\n</VirtualHost>"))
    guarded.graceful()
    aside = guarded.root / "roots.aside"
    serial = held_back(guarded, lambda: roots.rename(aside), "roots.pem")
    aside.rename(roots)
    goes_live(guarded, serial)


@pytest.fixture
def expiring(site):
    """A server whose certificate is in its warn window; its serial, too."""
    ca = site.proxied_ca()
    ca.answer(proxy.substitute(begin=-80 * DAY, end=5 * DAY), "certificate")
    server = site.server(ca)
    server.vhost(NAME, body="AcmeRenewWindow 1d")
    server.start()
    first = server.wait_installed(NAME)
    server.wait(lambda: server.look(NAME).serial == first, "it is served")
    server.wait_log("acme: .*reloaded")
    return server, first


def test_an_expiry_that_is_near_loads_no_edit_that_ends_us(site, expiring):
    server, first = expiring
    crt, key = site.authority.server_files("new", "new.example.org")
    _, other = site.authority.server_files("another", "another.example.org")
    garbage = site.folder / "garbage.pem"
    garbage.write_text("garbage\n")
    edits = [(f"SSLCertificateFile {crt}\nSSLCertificateKeyFile {other}",
              "not the key of the certificate", True),
             ("AcmeEngine off",
              "neither an SSLCertificateFile nor AcmeEngine on", True),
             ("SSLCipherSuite no-such-cipher", "OpenSSL refuses the list",
              True),
             (f"SSLCertificateFile {crt}\nSSLCertificateKeyFile {key}\n"
              f"SSLCACertificateFile {garbage}",
              "because mod_ssl fails: AH01895: ", False)]
    second = None
    for body, told, is_warned in edits:
        server.vhost("new.example.org", part="new", body=body)
        code, said = server.httpd_t()
        assert code == 0
        assert (told in said and "new.conf:" in said) == is_warned
        if not second:
            server.renew(NAME)
            second = server.wait_installed(NAME, 2)
        server.wait_log(f"acme: reload: postponed: .*new.conf:.*{told}")
        assert "AcmeReloadHeld" in server.status()

    # And beside virtual hosts.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for line, told in ((f"Listen 127.0.0.1:{port}",
                            f"Listen 127.0.0.1:{port}: .* already in use"),
                           (f"Listen 192.0.2.1:{server.https_port}",
                            "Listen 192.0.2.1:.* Cannot assign"),
                           ("PidFile /no-such/pid", "no folder /no-such")):
            edits.append(line)
            server.part("new", line + "\n")
            assert server.httpd_t()[0] == 0
            server.wait_log(f"acme: reload: postponed: .*{told}")
    assert server.running and server.look(NAME).serial == first

    server.part("new", "Timeout 7\n")       # an edit that harms nobody
    server.wait(lambda: server.look(NAME).serial == second, "it is served")
    assert len(server.matching("reload: postponed")) == len(edits)


# What -t takes and a load does not, by what it is wrong with: the lines of a
# virtual host that has a pair, a file's content, and mod_ssl's reason.
ENDING = {
    "roots": ("SSLCACertificateFile {file}", "garbage", "AH01895"),
    "folder of roots": ("SSLCACertificatePath {empty}", "", "AH01896"),
    "revoked": ("SSLCACertificateFile {roots}\nSSLCARevocationFile {file}\n"
                "SSLCARevocationCheck chain", "garbage", "AH01901"),
    "no list of revoked": ("SSLCARevocationCheck chain", "", "AH01899"),
    "roots of the proxy": ("SSLProxyEngine on\n"
                           "SSLProxyCACertificateFile {file}", "garbage",
                           "AH01895"),
    "roots of a <Proxy>": ("<Proxy https://x.example/>\nSSLProxyEngine on\n"
                           "SSLProxyCACertificateFile {file}\n</Proxy>",
                           "garbage", "AH01895"),
    "chain": ("SSLCertificateChainFile {file}",
              "-----BEGIN CERTIFICATE-----\nAAAA\n"
              "-----END CERTIFICATE-----\n", "AH01903"),
    "key of tickets": ("SSLSessionTicketKeyFile {file}", "short", "AH02287"),
    "protocols": ("SSLProtocol -all", "", "AH02231"),
    "stapling": ("SSLUseStapling on", "", "AH01958"),
    "ciphers of TLS 1.3": ("SSLCipherSuite TLSv1.3 no-such", "", "AH10127"),
    "ciphers of the proxy": ("SSLProxyEngine on\n"
                             "SSLProxyCipherSuite no-such", "", "AH01898"),
    "command": ("SSLOpenSSLConfCmd Curves no-such", "", "AH02407"),
    "file of the proxy": ("SSLProxyEngine on\n"
                          "SSLProxyMachineCertificateFile {file}",
                          "the roots", "it crashes, signal 11")
}


@pytest.mark.slow
def test_what_a_load_would_end_of_is_found_by_a_test(site):
    server = site.server(site.ca())
    crt, key = site.authority.server_files("own", NAME)
    pair = f"SSLCertificateFile {crt}\nSSLCertificateKeyFile {key}\n"
    file, empty = site.folder / "mutex", site.folder / "empty"
    empty.mkdir()
    roots = site.authority.file
    for name, (lines, content, told) in ENDING.items():
        if "crash" in told and SANITIZERS:
            continue                # they report it, and the test fails
        file.write_text(content if content != "the roots" else
                        roots.read_text() + ENDING["chain"][1])
        path = server.vhost(NAME, body=pair + lines.format(
            file=file, empty=empty, roots=roots))
        code, said = server.httpd_t()
        assert code == 0 and "trial:" not in said, name
        code, said = server.httpd_t("-DACME_TRIAL")
        assert code != 0, name
        told_line = next(x for x in said.split("\n") if "trial:" in x)
        assert told in told_line, name
        assert "crash" in told or f"{path}:1: httpd will" in told_line, name
        if "crash" not in told:
            with pytest.raises(AssertionError, match="did not start"):
                server.start()

    # What an administrator's own test warns of, too.
    for line, told in ((f"CustomLog {empty} common", f"{empty} is a folder"),
                       ('ErrorLog "|/no-such/program -x"',
                        "/no-such/program does not exist")):
        path = server.vhost(NAME, body=pair + line)
        code, said = server.httpd_t()
        assert code == 0
        assert re.search(f"trial: {path}:.: httpd will not .*: {told}", said)
        assert server.httpd_t("-DACME_TRIAL")[0] != 0
        with pytest.raises(AssertionError, match="did not start"):
            server.start()


def test_near_the_expiry_the_new_pairs_count_not_the_old_ones(site):
    """A certificate was exchanged by an edit, and the old one is gone."""
    ca = site.proxied_ca()
    ca.answer(proxy.substitute(begin=-80 * DAY, end=5 * DAY), "certificate")
    server = site.server(ca)
    server.vhost(NAME, body="AcmeRenewWindow 1d")
    crt, key = site.authority.server_files("old", "own.example.org")
    own = server.vhost("own.example.org", part="own",
                       body=f"SSLCertificateFile {crt}\n"
                            f"SSLCertificateKeyFile {key}")
    server.start()
    first = server.wait_installed(NAME)
    server.wait(lambda: server.look(NAME).serial == first, "it is served")

    new, new_key = site.authority.server_files("new", "own.example.org")
    own.write_text(own.read_text().replace(str(crt), str(new))
                   .replace(str(key), str(new_key)))
    crt.unlink()
    server.renew(NAME)
    second = server.wait_installed(NAME, 2)
    server.wait(lambda: server.look(NAME).serial == second, "it is served")


@pytest.mark.whole
@pytest.mark.parametrize("damage", ["key", "chain"])
def test_an_own_pair_that_is_damaged_holds_no_others(site, damage):
    server = site.server(site.ca())
    names = ["a.example.org", "b.example.org"]
    for name in names:
        server.vhost(name)
    server.start()
    for name in names:
        server.wait_valid(name)
    first = server.look(names[0]).serial
    server.renew(names[0])
    server.wait_valid(names[0], count=2)

    live = server.store / "live" / names[0]
    {"key": live / "privkey.pem",
     "chain": live / "fullchain.pem"}[damage].write_text("garbage\n")
    server.renew(names[1])
    server.wait_valid(names[1], count=2)
    server.wait_log(f"acme: {names[0]}: .*archive/{names[0]}/1, is served")
    assert not server.matching("reload: postponed")
    # Until the new one that is ordered for it.
    served = server.wait_valid(names[0], count=3)
    assert served.serial != first


def forms_of_a_key(folder, path):
    """All that mod_ssl reads besides PEM: name of a file for each."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    for form in (serialization.PrivateFormat.PKCS8,
                 serialization.PrivateFormat.TraditionalOpenSSL):
        der = key.private_bytes(serialization.Encoding.DER, form,
                                serialization.NoEncryption())
        for kind, data in (("der", der), ("base64", base64.encodebytes(der))):
            found = folder / f"{form.name}.{kind}"
            found.write_bytes(data)
            yield found


def encrypted(folder, path):
    """A key with a pass phrase, and the program that says it."""
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    locked = folder / "locked.pem"
    locked.write_bytes(key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"secret")))
    program = folder / "phrase"
    program.write_text("#!/bin/sh\necho secret\n")
    program.chmod(0o755)
    return locked, program


def test_what_httpd_would_load_holds_no_reload(site):
    server = site.server(site.ca())
    authority = site.authority
    a, a_key = authority.server_files("a", "a.example.org")
    b, b_key = authority.server_files("b", "b.example.org")
    locked, program = encrypted(site.folder, a_key)
    more = site.folder / "more.pem"
    more.write_text(a.read_text() + "-----BEGIN CERTIFICATE-----\nAAAA\n"
                                    "-----END CERTIFICATE-----\n")
    tickets = site.folder / "tickets"
    tickets.write_bytes(bytes(range(48)))
    machine = site.folder / "machine.pem"
    machine.write_text(a.read_text() + a_key.read_text())
    port = free_port()
    server.part("shared", f"SSLCertificateKeyFile {a_key}\n"
                          f"SSLPassPhraseDialog exec:{program}\n"
                          "SSLStaplingCache shmcb:run/stapling(65536)\n"
                          f"Listen 127.0.0.1:{port} https\n")
    server.part("by-listen", f"<VirtualHost 127.0.0.1:{port}>\n"
                             "ServerName listen.example.org\n"
                             f"SSLCertificateFile {a}\n"
                             f"SSLCertificateKeyFile {locked}\n"
                             "</VirtualHost>\n")
    server.vhost("all.example.org",
                 body=f"SSLCertificateFile {a}\nSSLUseStapling on\n"
                      f"SSLCACertificateFile {authority.file}\n"
                      f"SSLSessionTicketKeyFile {tickets}\n"
                      "SSLCipherSuite TLSv1.3 TLS_AES_256_GCM_SHA384\n"
                      "SSLOpenSSLConfCmd Curves P-384\n"
                      "SSLProxyEngine on\n"
                      f"SSLProxyCACertificateFile {authority.file}\n"
                      f"SSLProxyMachineCertificateFile {machine}\n"
                      "<Proxy https://x.example/>\nSSLProxyEngine on\n"
                      f"SSLProxyCACertificateFile {authority.file}\n"
                      "</Proxy>")
    server.vhost("a.example.org", body=f"SSLCertificateFile {a}")
    server.vhost("b.example.org", body=f"SSLCertificateKeyFile {b_key}\n"
                                       f"SSLCertificateFile {b}")
    server.vhost("off.example.org", tls_on=False,
                 body=f"SSLEngine off\nSSLCertificateFile {a}\n"
                      f"SSLCertificateKeyFile {b_key}")
    server.vhost("optional.example.org", tls_on=False,
                 body=f"SSLEngine optional\nSSLCertificateFile {a}\n"
                      f"SSLCertificateKeyFile {b_key}")
    server.vhost("optional.example.com", tls_on=False,
                 body="SSLEngine optional\nAcmeEngine off")
    for key in (*forms_of_a_key(site.folder, a_key), locked):
        server.vhost(f"{key.stem}.{key.suffix[1:]}.example.org".lower(),
                     body=f"SSLCertificateFile {a}\n"
                          f"SSLCertificateKeyFile {key}")
    server.vhost("chain.example.org",
                 body=f"SSLCertificateFile {more}\n"
                      f"SSLCertificateKeyFile {a_key}\n"
                      f"SSLCertificateChainFile {authority.file}")
    server.vhost("command.example.org",
                 body="AcmeEngine off\n"
                      f"SSLOpenSSLConfCmd Certificate {a}\n"
                      f"SSLOpenSSLConfCmd PrivateKey {a_key}")
    server.vhost(NAME)
    code, said = server.httpd_t()
    assert code == 0
    assert "trial:" not in said
    server.start()
    server.wait_valid(NAME)
    assert not server.matching("reload: postponed")


def start_at_terminal(server, answer):
    """Started by somebody who types this where httpd asks.

    In a shell: whose end would end the terminal is not httpd, which leaves it
    a moment after its first process has ended.
    """
    pid, terminal = pty.fork()
    if not pid:
        command = server.command("-k", "start")
        os.execve("/bin/sh", ["sh", "-c", '"$@"; echo "ended $?"; read line',
                              "sh", *command], server.process_environment)
    said = b""
    answers = 0
    while b"ended " not in said or not said.endswith(b"\n"):
        said += os.read(terminal, 4096)
        while answers < said.count(b"pass phrase:"):
            os.write(terminal, answer + b"\n")
            answers += 1
    assert b"ended 0" in said, said
    server.wait_log("resuming normal operations")
    os.write(terminal, b"\n")
    os.waitpid(pid, 0)
    os.close(terminal)
    server.pid = int((server.root / "run" / "httpd.pid").read_text())


def test_a_pass_phrase_that_was_typed_holds_no_reload(site):
    """But one that would have to be typed does: nobody can."""
    crt, key = site.authority.server_files("own", "own.example.org")
    locked, _ = encrypted(site.folder, key)
    server = site.server(site.ca())
    own = server.vhost("own.example.org",
                       body=f"SSLCertificateFile {crt}\n"
                            f"SSLCertificateKeyFile {locked}")
    server.vhost(NAME)
    start_at_terminal(server, b"secret")
    server.wait_valid(NAME)
    assert not server.matching("reload: postponed")

    files = crt, locked
    before = [file.read_bytes() for file in files]
    os.utime(locked)                # mod_ssl has the key
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    assert not server.matching("reload: postponed")

    new, key = site.authority.server_files("new", "own.example.org")
    crt.write_bytes(new.read_bytes())
    encrypted(site.folder, key)     # into the same file
    server.renew(NAME)
    third = server.wait_installed(NAME, 3)
    server.wait_log(f"acme: reload: postponed: .*{own}:.*pass phrase of "
                    f"{locked} must be typed")
    for file, content in zip(files, before):
        file.write_bytes(content)
    server.wait_served(NAME, third)


def files_of(*folders):
    return {path: path.stat().st_ino for folder in folders
            for path in folder.iterdir()}


def test_a_test_touches_nothing_of_the_running_server(site):
    module = pathlib.Path(modules_folder()) / "mod_socache_dbm.so"
    if not module.exists():
        pytest.skip("no mod_socache_dbm")
    scratch = site.folder / "scratch"
    scratch.mkdir()
    ran = site.folder / "ran"
    program = site.folder / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\nhead -c 64 /dev/zero\n")
    program.chmod(0o755)
    garbage = site.folder / "garbage.pem"
    garbage.write_text("garbage\n")
    server = site.server(environment={"TMPDIR": str(scratch)})
    server.part("cache", f"LoadModule socache_dbm_module {module}\n"
                         "SSLSessionCache dbm:run/sessions-dbm\n"
                         f"Mutex flock:{server.root}/run default\n")
    server.vhost(NAME)
    server.start()
    server.get_tls(NAME)
    folders = (server.root / "run", scratch, server.store / "live")
    before = files_of(*folders)
    assert any("sessions-dbm" in path.name for path in before)
    assert any(path.name.startswith("ssl-cache") for path in before)

    assert server.httpd_t("-DACME_TRIAL")[0] == 0
    assert files_of(*folders) == before
    server.vhost(NAME, body=f"SSLCACertificateFile {garbage}")
    assert server.httpd_t("-DACME_TRIAL")[0] != 0, "mod_ssl was asked"
    assert files_of(*folders) == before

    # Where mod_ssl would do more than read it is not asked.
    for line in (f"Mutex flock:{server.root}/run ssl-cache OmitPID",
                 f"SSLRandomSeed startup exec:{program} 16"):
        server.part("more", line + "\n")
        assert server.httpd_t("-DACME_TRIAL")[0] == 0, line
    assert files_of(*folders) == before and not ran.exists()


@pytest.fixture
def mod_md(site):
    """A server that has mod_md as well, for one name."""
    server = site.server(site.ca())
    server.part("amd", f"LoadModule md_module {modules_folder()}/mod_md.so\n"
                       "MDomain md.example.org\n"
                       "MDContactEmail admin@example.org\n"
                       "MDCertificateAgreement accepted\n"
                       "MDCertificateAuthority https://127.0.0.1:1/\n")
    return server


def test_what_mod_md_manages_has_a_certificate(mod_md):
    mod_md.vhost("md.example.org", body="AcmeEngine off")
    mod_md.vhost(NAME)
    code, said = mod_md.httpd_t("-DACME_TRIAL")
    assert code == 0, said
    mod_md.start()
    mod_md.wait_valid(NAME)


@pytest.mark.parametrize("where", ["vhost", "server", "server and mod_md"])
def test_tls_without_a_certificate_is_told_by_a_test(site, where, request):
    server = (request.getfixturevalue("mod_md") if "mod_md" in where
              else site.server(site.ca()))
    if where == "vhost":
        place = f"{server.vhost(NAME, body='AcmeEngine off')}:1"
    else:
        crt, key = site.authority.server_files("own", NAME)
        server.vhost(NAME, body=f"SSLCertificateFile {crt}\n"
                                f"SSLCertificateKeyFile {key}")
        server.part("on", "SSLEngine on\nAcmeEngine off\n")
        place = "the server config"
    code, said = server.httpd_t()
    assert code == 0
    assert f"{place}: httpd will not start" in said
    assert server.httpd_t("-DACME_TRIAL")[0] != 0
    with pytest.raises(AssertionError, match="did not start"):
        server.start()


@pytest.mark.parametrize("where", ["gone", "not to be entered"])
def test_the_folder_that_httpd_was_started_in_may_be_lost(site, monkeypatch,
                                                          where):
    folder = site.folder / "started-in"
    folder.mkdir(mode=0o700)            # root's
    server = site.server(site.ca(), as_root=where == "gone")
    server.vhost(NAME)
    monkeypatch.chdir(folder)
    server.start()
    monkeypatch.undo()
    if where == "gone":
        folder.rmdir()
    server.wait_valid(NAME)
    assert not server.matching("reload: postponed")
