"""docs/howto/files-for-a-mail-server.md, by its own commands."""

import re
import subprocess

from lib.httpd import BUILD, REPOSITORY
from lib.wait import PATIENCE, wait_until

NAME = "mail.example.org"
PAGE = REPOSITORY / "docs" / "howto" / "files-for-a-mail-server.md"


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def test_files_for_a_mail_server(site):
    etc = site.folder / "etc"
    programs = site.folder / "bin"
    for folder in (etc / "postfix", etc / "dovecot", programs):
        folder.mkdir(parents=True)
    script = programs / "reload-mail"
    server = site.server(site.ca(), environment={
        "PATH": f"{programs}:/usr/sbin:/usr/bin:/sbin:/bin"})

    # As on the page, but for the folders, the port and the group.
    page = PAGE.read_text()
    for there, here in {
            "/etc/postfix": etc / "postfix", "/etc/dovecot": etc / "dovecot",
            "/usr/local/sbin/reload-mail": script,
            "*:443": f"127.0.0.1:{server.https_port}",
            "root:dovecot": "root:daemon"}.items():
        assert there in page
        page = page.replace(there, str(here))
    configuration, = blocks(page, "apache")
    reload_mail, = blocks(page, "sh")
    script.write_text(reload_mail)
    script.chmod(0o755)
    # What the mail server would read when it is told to.
    told = site.folder / "told"
    (programs / "systemctl").write_text(
        f'#!/bin/sh\necho "$*" >>{told}\n'
        f"exec cat {etc}/postfix/tls.pem"
        f" {etc}/dovecot/tls/current/fullchain.pem >>{told}\n")
    (programs / "systemctl").chmod(0o755)
    server.part("mail", configuration)

    server.start()
    server.wait_valid(NAME)
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    live = server.store / "live" / NAME
    key, chain = ((live / name).read_text()
                  for name in ("privkey.pem", "fullchain.pem"))
    # Told of the newest, with all copies in their place.
    server.wait(lambda: told.exists() and told.read_text().endswith(
        f"reload postfix dovecot\n{key}{chain}{chain}"), "it is told")

    commands = [line[2:] for block in blocks(page, "")
                for line in block.split("\n") if line.startswith("# ")
                and not line.startswith("# /")]
    assert commands[0] == "httpd -t" and len(commands) == 5
    for command in commands:
        for there, here in {
                "httpd -t": " ".join(server.command("-t")),
                "apachectl graceful": f"kill -USR1 {server.pid}",
                "acmectl": f"{BUILD}/mod_acme/ctl/acmectl"
                           f" --state-dir {server.store}"}.items():
            command = command.replace(there, here)
        # A reload ends the keeper that acmectl asks.
        wait_until(lambda: not subprocess.run(
            ["sh", "-c", command], check=False, timeout=PATIENCE,
            env=server.process_environment,
            capture_output=True).returncode, f"{command} succeeds")
    assert (etc / "dovecot" / "tls" / "current" / "privkey.pem"
            ).stat().st_mode & 0o7777 == 0o640
