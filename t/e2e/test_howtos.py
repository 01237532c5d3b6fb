"""The pages of docs/howto: a reader does what they say, and it works."""

import base64
import datetime
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import threading

import pytest

from lib import tls
from lib.hook import FOLDER
from lib.howto import Howto
from lib.httpd import MODULE, REPOSITORY, WORKER, modules_folder
from lib.named import DELEGATED
from lib.pebble import DAYS_90
from lib.ports import accepts
from lib.process import Process
from lib.tls import Authority
from lib.wait import PATIENCE

NAME = "www.example.org"


def certbot(site, ca, *words):
    """A real one, which trusts this CA; its folder."""
    etc = site.folder / "letsencrypt"
    done = subprocess.run(
        ["certbot", *map(str, words), "--server", ca.url, "-n", "--agree-tos",
         "--register-unsafely-without-email", "--config-dir", etc,
         "--work-dir", site.folder / "certbot-work", "--logs-dir",
         site.folder / "certbot-logs"], check=False, timeout=PATIENCE,
        env={**os.environ, "REQUESTS_CA_BUNDLE": str(ca.authority.file)},
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout
    return etc


def contents(folder):
    """All of a folder: names, contents and times."""
    return {path: (path.stat().st_mtime_ns,
                   path.is_file() and path.read_text())
            for path in sorted([folder, *folder.rglob("*")])}


def test_always_https(netns, site):
    netns.hosts(NAME)
    server = site.server(site.ca())
    (server.htdocs / ".htaccess").write_text("Require all denied\n")
    server.part("folder", f"<Directory {server.htdocs}>\nAllowOverride All\n"
                          "</Directory>\n")
    before = contents(server.htdocs)
    server.start()
    page = Howto("always-https.md", server,
                 {"/var/www/example": server.htdocs})
    page.configure()
    page.run()
    server.wait_valid(NAME)
    page.run()
    server.append("howto", page.take("apache"))
    page.run()
    assert contents(server.htdocs) == before

    server.append("howto", page.take("apache"))
    server.graceful()
    assert server.get_tls(NAME).headers["strict-transport-security"] \
        == "max-age=86400"
    page.end()


def test_activate_without_reload(netns, site):
    netns.hosts(NAME)
    server = site.server(site.ca())
    server.start()
    page = Howto("activate-without-reload.md", server,
                 {"/var/www/example": server.htdocs})
    page.configure()
    page.run()
    loads = server.loads
    assert server.keeper
    page.run()
    page.run()
    page.end()
    assert server.loads == loads


class AcmeDns(http.server.ThreadingHTTPServer):
    """What acme-dns does for one account, in a zone of bind9."""

    def __init__(self, names):
        super().__init__(("127.0.0.1", 0), Registration)
        self.names = names
        self.values = []
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(.05,)).start()

    def update(self, value):
        """The last two are kept."""
        self.values = [*self.values[-1:], value]
        name = f"8e57.{DELEGATED}"
        assert not self.names.update(
            f"delete {name} TXT",
            *(f"add {name} 1 TXT {each}" for each in self.values))

    def end(self):
        self.shutdown()
        self.server_close()


class Registration(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path == "/register":
            return self.answer(201, {
                "username": "eabcdb41", "password": "pbAXVjlI",
                "fulldomain": f"8e57.{DELEGATED}", "subdomain": "8e57",
                "allowfrom": []})
        data = json.loads(body)
        if (self.path, self.headers["X-Api-User"], self.headers["X-Api-Key"],
                data["subdomain"]) \
                != ("/update", "eabcdb41", "pbAXVjlI", "8e57"):
            return self.answer(401, {"error": "forbidden"})
        self.server.update(data["txt"])
        return self.answer(200, {"txt": data["txt"]})

    def answer(self, status, data):
        text = json.dumps(data, separators=(",", ":")).encode() + b"\n"
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


@pytest.fixture(name="names")
def named(netns, site):
    netns.resolver("127.0.0.1")
    return site.named(port=53, more="_acme-challenge IN CNAME "
                                    f"8e57.{DELEGATED}.\n")


def test_wildcard(site, names):
    ca = site.ca210(dns=names.at, caa=["pebble.example"])
    server = site.server(ca)
    server.start()
    acme_dns = AcmeDns(names)
    site.closing.callback(acme_dns.end)
    etc = site.folder / "etc"
    etc.mkdir()
    page = Howto("wildcard.md", server, {
        "https://auth.acme-dns.io": acme_dns.url,
        "auth.acme-dns.io": DELEGATED, "/etc/httpd": etc})
    page.configure()
    page.run()
    server.wait_failed("example.org")
    record = server.acmectl("dns-persist", "example.org")[1]
    page.run()
    name, _, _, value = record.strip().split(" ", 3)
    assert not names.update(f"add {name} 1 TXT {value}")
    page.run()
    served = server.wait_valid("example.org")
    assert served.names == ("*.example.org", "example.org")

    assert not names.update(f"delete {name} TXT")
    page.run()
    alias = page.take("").split()
    assert [alias[0], alias[-1]] == [
        "_acme-challenge.example.org.", f"8e57.{DELEGATED}."]
    page.write_file("", etc)
    page.write_file("sh", etc)
    page.configure()
    page.end()
    server.graceful()
    server.renew("example.org")
    server.wait_valid("example.org", count=2)
    assert acme_dns.values


@pytest.fixture(name="cloud")
def moto(site):
    """It checks signatures, and what a user may do."""
    from lib.moto import Moto           # of Debian trixie: it may be missing
    cloud = Moto(site.folder)
    site.closing.callback(cloud.end)
    return cloud.start()


def script(path, *lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh -e", *lines, ""]))
    path.chmod(0o755)


def allow(cloud, page, *actions):
    """The page names these actions; a user who may do no more."""
    text = (REPOSITORY / "docs" / "howto" / page).read_text()
    assert sorted(re.findall(r"`(\w+:\w+)`", text)) == sorted(actions)
    # moto has not AWS's name for one of them.
    more = ["tagging:GetResources"] if "tag:GetResources" in actions else []
    return cloud.user(page.partition(".")[0], *actions, *more)


def open_ports(cloud, group):
    rules = cloud.client("ec2").describe_security_group_rules(
        Filters=[{"Name": "group-id", "Values": [group]}])
    return {rule["FromPort"] for rule in rules["SecurityGroupRules"]
            if not rule["IsEgress"]}


def test_the_hooks_of_certbot(netns, site, cloud):
    """Scripts as administrators have them, with certbot's variables."""
    netns.hosts(NAME)
    group = cloud.client("ec2").create_security_group(
        GroupName="web", Description="of a test")["GroupId"]
    user = allow(cloud, "certbot-hooks.md",
                 "ec2:AuthorizeSecurityGroupIngress",
                 "ec2:RevokeSecurityGroupIngress",
                 "ec2:DescribeSecurityGroupRules")
    hooks = site.folder / "renewal-hooks"
    for path, verb in ("pre/open-port", "authorize"), \
            ("post/close-port", "revoke"):
        script(hooks / path, f"export HOME={user['HOME']}",
               f"aws --endpoint-url {cloud.endpoint} ec2 "
               f"{verb}-security-group-ingress --group-id {group} "
               "--protocol tcp --port 80 --cidr 0.0.0.0/0")
    mail = site.folder / "mail"
    mail.mkdir()
    script(hooks / "deploy" / "mail-server", "umask 077",
           "for domain in $RENEWED_DOMAINS; do",
           'cat "$RENEWED_LINEAGE/privkey.pem" '
           f'"$RENEWED_LINEAGE/fullchain.pem" >{mail}/$domain.new',
           f"mv {mail}/$domain.new {mail}/$domain.pem", "done")

    ca = site.proxied_ca()
    server = site.server(ca, environment={
        "PATH": f"{cloud.folder}:{os.environ['PATH']}"})
    server.start()
    page = Howto("certbot-hooks.md", server, {
        "/etc/letsencrypt/renewal-hooks": hooks,
        "sg-0123456789abcdef0": group,
        "/usr/share/mod_acme/hooks/firewall-aws-sg":
            f"/usr/bin/env HOME={user['HOME']} {FOLDER}/firewall-aws-sg "
            f"--endpoint-url {cloud.endpoint}"})
    script(page.tools / "systemctl", f'echo "$*" >>{mail}/systemctl')

    def opened_and_closed(count, begin):
        held = ca.hold("challenge")
        begin()
        held.wait()
        assert open_ports(cloud, group) == {80}
        held.release()
        server.wait_valid(NAME, count=count)
        server.wait(lambda: not open_ports(cloud, group), "it is closed")

    page.configure()
    opened_and_closed(1, page.run)
    page.run()
    copy = mail / f"{NAME}.pem"
    server.wait(copy.exists, "the mail server has it")
    live = server.store / "live" / NAME
    assert copy.read_text() == (live / "privkey.pem").read_text() \
        + (live / "fullchain.pem").read_text()
    assert (mail / "systemctl").read_text() == "disable --now certbot.timer\n"

    part = server.root / "conf" / "parts" / "howto.conf"
    part.write_text(re.sub("^AcmeHook p.*\n", "", part.read_text(),
                           flags=re.M))
    server.append("howto", page.take("apache"))
    server.graceful()
    opened_and_closed(2, lambda: server.renew(NAME))
    page.end()


def test_acm(netns, site, cloud):
    netns.hosts(NAME)
    user = allow(cloud, "acm.md", "acm:ImportCertificate",
                 "acm:AddTagsToCertificate", "acm:ListCertificates",
                 "acm:ListTagsForCertificate", "acm:DescribeCertificate",
                 "tag:GetResources")
    etc = site.folder / "etc"
    etc.mkdir()
    kid, key = "kid-1", base64.urlsafe_b64encode(b"1" * 48).decode()
    ca = site.ca(eab={kid: key})
    server = site.server(ca, environment={
        "PATH": f"{cloud.folder}:{os.environ['PATH']}"})
    server.start()
    page = Howto("acm.md", server, {
        "/etc/httpd": etc, "https://acme.example.com/directory": ca.url,
        "your-key-id": kid,
        "/usr/share/mod_acme/hooks/import-acm":
            f"/usr/bin/env HOME={user['HOME']} {FOLDER}/import-acm "
            f"--endpoint-url {cloud.endpoint}"})
    script(page.tools / "editor", f'echo {key} >"$1"')
    script(page.tools / "aws", f"export HOME={cloud.environment['HOME']}",
           f'{cloud.folder}/aws --endpoint-url {cloud.endpoint} "$@"')
    page.run()
    page.configure()
    page.run()
    acm = cloud.client("acm")

    def held():
        return {one["CertificateArn"]: acm.get_certificate(
            CertificateArn=one["CertificateArn"])["Certificate"].strip()
            for one in acm.list_certificates()["CertificateSummaryList"]}

    def imported():
        live = (server.store / "live" / NAME / "cert.pem").read_text()
        return live.strip() in held().values()

    server.wait_valid(NAME)
    server.wait(imported, "ACM has it")
    page.run()
    page.end()
    before = set(held())
    server.renew(NAME)
    server.wait_valid(NAME, count=2)
    server.wait(imported, "ACM has the new one")
    assert set(held()) == before
    assert key not in server.log_text


def test_issue_here_serve_there(netns, site, cloud):
    """The bucket is between two servers, and each may do what the page says."""
    netns.hosts(NAME)
    s3 = cloud.client("s3", "eu-central-1")
    s3.create_bucket(Bucket="example-certificates", CreateBucketConfiguration={
        "LocationConstraint": "eu-central-1"})
    ca = site.ca()
    here = site.server(ca, environment={
        "PATH": f"{cloud.folder}:{os.environ['PATH']}"})
    here.start()
    there = site.server(ca, acme=False)
    there.start()
    publish, fetch = (site.folder / name for name in ("publish-s3",
                                                      "fetch-s3"))
    page = Howto("issue-here-serve-there.md", here, {
        "/usr/share/mod_acme/hooks/publish-s3": publish,
        "--prefix web": "--prefix web --keep 1",        # it removes, too
        "/usr/local/sbin/fetch-s3": fetch, "/etc/ssl": site.folder / "ssl"})

    def command(path, user):
        script(path, f"export HOME={user['HOME']} PATH={cloud.folder}:$PATH",
               f'exec {FOLDER}/{path.name} --endpoint-url {cloud.endpoint} '
               '"$@"')

    command(publish, cloud.user("here", policy=page.take("json")))
    command(fetch, allow(cloud, "issue-here-serve-there.md",
                         "s3:ListBucket", "s3:GetObject"))
    script(page.tools / "aws", f"export HOME={cloud.environment['HOME']}",
           f'{cloud.folder}/aws --endpoint-url {cloud.endpoint} "$@"')

    def versions(count):
        """The folders of the bucket, once it was published that often."""
        here.wait_log(rf"publish-s3: {NAME}: published to ", count)
        return {one["Key"].rpartition("/")[0] for one in s3.list_objects_v2(
            Bucket="example-certificates")["Contents"]} - {"web"}

    def serves(serial):
        try:
            return there.look(NAME, verify=True).serial == serial
        except OSError:                 # not yet, and not with TLS
            return False

    page.configure()
    page.run()
    served = here.wait_valid(NAME)
    first = versions(1)
    page.run()

    unit = page.write_file("ini", site.folder).read_text()
    script(page.tools / "systemctl", 'case "$*" in',
           '"enable --now fetch-s3.timer") ;;',
           '"start fetch-s3.service")',
           *unit.partition("ExecStart=")[2].splitlines(), ";;",
           f'"reload httpd") kill -USR1 {there.pid} ;;', "*) exit 1", "esac")
    there.part("howto", page.take("apache").replace(
        "*:443", f"127.0.0.1:{there.https_port}"))
    page.run()
    page.end()
    there.wait(lambda: serves(served.serial), "the other one serves it")

    here.renew(NAME)
    renewed = here.wait_valid(NAME, count=2)
    assert len(versions(2)) == 1 and versions(2) != first
    assert serves(served.serial)
    subprocess.run(["systemctl", "start", "fetch-s3.service"], check=True,
                   env={**os.environ, **page.environment}, timeout=PATIENCE)
    there.wait(lambda: serves(renewed.serial), "it serves the renewed one")


def enable(page, server, fragment):
    """a2enmod and a2enconf of the page's tools: parts of the configuration."""
    parts = server.root / "conf" / "parts"
    shutil.copy(MODULE, server.root / "modules" / "mod_acme.so")
    script(page.tools / "a2enmod", f"echo LoadModule acme_module "
           f"modules/mod_acme.so >{parts}/a-acme.conf")
    script(page.tools / "a2enconf", f"cat {fragment} - "
           f">{parts}/b-import.conf <<END",
           f"AcmeCA {server.ca.url}",
           f"AcmeCACertificateFile {server.ca.authority.file}",
           f"AcmePorts http:{server.http_port} https:{server.https_port}",
           "END")


def goes_on(server, ca, serial, requests):
    """It is served as before, and nothing was ordered."""
    assert server.look(NAME).serial == serial
    assert [request.kind for request in ca.requests[requests:]
            if request.kind in ("order", "account")] == []


def test_from_certbot(netns, site):
    netns.hosts(NAME, "example.org")
    ca = site.proxied_ca(always_valid=True)
    etc = certbot(site, ca, "certonly", "--webroot", "-w", site.folder,
                  "-d", NAME, "-d", "example.org", "--key-type", "ecdsa")
    (etc / "options-ssl-apache.conf").write_text("SSLEngine on\n")
    server = site.server(ca, acme=False)
    fragment = site.folder / "acme-certbot.conf"
    page = Howto("from-certbot.md", server, {
        "/etc/letsencrypt": etc, "import certbot": f"import certbot {etc}",
        "/etc/apache2/sites-enabled": server.root / "conf" / "parts",
        "/etc/apache2/conf-available/acme-certbot.conf": fragment})
    enable(page, server, fragment)
    script(page.tools / "systemctl", f'echo "$*" >>{site.folder}/systemctl')
    script(page.tools / "certbot", f"REQUESTS_CA_BUNDLE={ca.authority.file} "
           f'exec {shutil.which("certbot")} "$@" -n --config-dir {etc} '
           "--no-random-sleep-on-renew "
           f"--work-dir {site.folder}/certbot-work "
           f"--logs-dir {site.folder}/certbot-logs")
    script(page.tools / "a2disconf", f"rm {server.root}/conf/parts/b-import.conf")
    # As certbot has left it: the page's, with the lines that it takes out.
    vhost = next(text for language, text in page.blocks
                 if language == "apache")
    server.part("howto", vhost.replace("# SSL", "SSL"))
    server.start()
    serial = server.look(NAME).serial
    before = contents(etc)
    requests = len(ca.requests)

    page.run()
    assert not server.store.exists()
    page.run()
    page.configure()
    page.run()
    server.wait_state(NAME, "valid")
    page.run()
    goes_on(server, ca, serial, requests)
    page.run()
    server.wait_valid(NAME)
    renewed = server.look(NAME).serial
    assert renewed != serial
    assert contents(etc) == before
    assert len([request for request in ca.requests[requests:]
                if request.kind == "order"]) == 1

    # Back to certbot, which has renewed by then.
    page.run()
    server.part("howto", vhost.replace("# SSL", "SSL"))
    page.run()
    page.end()
    assert server.look(NAME).serial not in (serial, renewed)
    assert (site.folder / "systemctl").read_text() \
        == "disable --now certbot.timer\nenable --now certbot.timer\n"


def test_from_mod_md(site):
    ca = site.proxied_ca(always_valid=True)
    server = site.server(ca, acme=False)
    parts = server.root / "conf" / "parts"
    fragment = site.folder / "acme-md.conf"
    page = Howto("from-mod_md.md", server, {
        "/etc/apache2/md": server.root / "md",
        "/etc/apache2/conf-available/acme-md.conf": fragment,
        "--conf /etc/apache2": f"--conf {parts}",
        "*:443": f"127.0.0.1:{server.https_port}"})
    enable(page, server, fragment)
    script(page.tools / "a2dismod", f"rm {parts}/md.conf")
    server.part("md", f"""
LoadModule md_module {modules_folder()}/mod_md.so
MDStoreDir md
MDCertificateAuthority {ca.url}
MDCACertificateFile {ca.authority.file}
MDContactEmail admin@example.org
MDPortMap http:{server.http_port} https:{server.https_port}
MDCAChallenges http-01
MDPrivateKeys secp256r1
""")
    vhost = next(text for language, text in page.blocks
                 if language == "apache")
    server.part("howto", vhost.replace("# MD", "MD"))
    server.start()
    server.wait_log(f"AH10059.*{NAME}")
    # A child that ends while mod_md's thread is in libcurl may crash.
    server.append("md", "MDInitialDelay 1h")
    page.run()
    server.wait(lambda: not server.look(NAME).self_signed, "it is served")
    serial = server.look(NAME).serial
    before = contents(server.root / "md")
    requests = len(ca.requests)

    page.configure()
    page.run()
    loads = server.loads
    page.run()
    server.wait(lambda: server.loads > loads, "httpd has restarted")
    server.wait_state(NAME, "valid")
    page.run()
    page.end()
    goes_on(server, ca, serial, requests)
    assert contents(server.root / "md") == before


def wait_served(server, cert_id):
    """Until it is served, whatever the address."""
    server.wait(lambda: server.certificate(cert_id).get("Served") == "yes",
                f"{cert_id} is served")


def test_ip_address(netns, site):
    addresses = "192.0.2.1", "2001:db8::1"
    for address in addresses:
        subprocess.run(["ip", "address", "add", address, "dev", "lo"],
                       check=True, timeout=PATIENCE)
    ca = site.ca210(profiles={"default": DAYS_90, "shortlived": 160 * 3600})
    server = site.server(ca)
    server.part("addresses", "".join(
        f"Listen {address}:{port}\n" for port in (80, 443)
        for address in ("192.0.2.1", "[2001:db8::1]")))
    server.start()
    page = Howto("ip-address.md", server,
                 {"/usr/share/mod_acme/hooks": FOLDER})
    page.configure()
    page.run()
    for address, cert_id in zip(addresses, (addresses[0], NAME)):
        wait_served(server, cert_id)
        leaf = tls.look(443, address, ca.roots, address=address)
        assert leaf.addresses == (address,)
        assert datetime.timedelta(hours=159) \
            < leaf.not_after - leaf.not_before <= datetime.timedelta(hours=160)
    page.run()
    server.append("howto", page.take("apache"))
    assert server.httpd_t() == (0, "Syntax OK\n")
    page.end()


def test_company_ca(netns, site):
    netns.hosts(NAME)
    ca = site.caddy(lifetime="24h")
    server = site.server(ca)
    part = server.root / "conf" / "parts" / "acme.conf"
    part.write_text(re.sub("^AcmeCA.*\n", "", part.read_text(), flags=re.M))
    server.start()
    etc = site.folder / "etc"
    etc.mkdir()
    page = Howto("company-ca.md", server, {
        "root_ca.crt": ca.authority.file, "/etc/httpd": etc,
        "https://ca.example.com/acme/acme/directory": ca.url})
    page.run()
    page.configure()
    page.run()
    server.wait_valid(NAME)
    page.run()
    page.end()

    (etc / "company-root.pem").chmod(0o600)
    assert f"may not be readable by {WORKER.pw_name}" in server.httpd_t()[1]
    (etc / "company-root.pem").chmod(0o644)
    other = site.folder / "other"
    other.mkdir()
    (etc / "company-root.pem").write_text(Authority(other, "Another CA").pem)
    server.graceful()
    server.renew(NAME)
    server.wait_failed(NAME)
    server.wait(lambda: server.certificate(NAME).get("Reason")
                == "ca-untrusted", "the reason is shown")


def test_load_balancer(netns, site):
    """nginx has ports 80 and 443, and terminates TLS."""
    netns.hosts(NAME)
    lb = site.folder / "lb"
    lb.mkdir()
    ca = site.ca()
    server = site.server(ca, http_port=8080, https_port=8443, environment={
        "PATH": f"{site.folder}:{os.environ['PATH']}"})
    script(site.folder / "systemctl", f'echo "$*" >{lb}/systemctl',
           f"[ ! -f {lb}/pid ] || kill -HUP $(cat {lb}/pid)")
    server.start()
    page = Howto("load-balancer.md", server, {
        "/etc/lb": lb, "192.0.2.10": "127.0.0.1",
        "/usr/bin/systemctl": site.folder / "systemctl"})
    page.configure("ports")
    assert server.httpd_t()[0] == 0
    page.configure()
    blocks = [page.take("nginx")]

    def serve():
        (lb / "nginx.conf").write_text(
            f"daemon off;\npid {lb}/pid;\nerror_log {lb}/log;\n"
            "events {}\nhttp {\naccess_log off;\n" + "".join(
                f"{kind}_temp_path {lb}/{kind};\n" for kind in (
                    "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
            + "".join(blocks) + "}\n")

    serve()
    nginx = Process(["/usr/sbin/nginx", "-p", lb, "-c", lb / "nginx.conf"],
                    lb / "output")
    site.closing.callback(nginx.end)
    server.wait(lambda: accepts(80) and (lb / "pid").exists(),
                "nginx listens")
    page.run()
    copy = lb / "www.pem"
    server.wait(copy.exists, "the load balancer has it")
    page.run()
    blocks.append(page.take("nginx"))
    serve()
    nginx_pid = int((lb / "pid").read_text())
    os.kill(nginx_pid, signal.SIGHUP)
    page.end()

    def served():
        try:
            return tls.look(443, NAME, ca.roots).serial
        except OSError:
            return None

    first = server.wait_installed(NAME)
    server.wait(lambda: served() == first, "the load balancer serves it")
    server.wait(lambda: (lb / "systemctl").exists()
                and (lb / "systemctl").read_text() == "reload nginx\n",
                "the command of deploy has run")
    server.renew(NAME)
    second = server.wait_installed(NAME, 2)
    server.wait(lambda: served() == second, "it serves the renewed one")


DOCKER = """#!/bin/sh -e
# What docker does for the page: process 1 of its own, without rights, and
# ports that are mapped.
cd {root}
case $1 in
run)
    init='exec "$@"'
    nft 'table ip docker {{ chain output {{
        type nat hook output priority -100; }}; }}
        flush chain ip docker output'
    shift
    while [ $# -gt 1 ]; do
        case $1 in
        --init) init='"$@" & wait' ;;
        --publish)
            nft add rule ip docker output ip daddr 127.0.0.1 \
                tcp dport "${{2%:*}}" redirect to ":${{2#*:}}"
            shift ;;
        --name | --volume | --user) shift ;;
        --detach) ;;
        *) echo "docker: $1?" >&2; exit 2 ;;
        esac
        shift
    done
    setsid unshare --pid --fork --kill-child --mount-proc sh -c "$init" \\
        docker {httpd} -DFOREGROUND >>docker.log 2>&1 </dev/null &
    echo $! >docker.pid
    until pgrep -P "$(cat docker.pid)" >/dev/null; do sleep .05; done
    ;;
exec)
    [ "$2" = web ] && shift 2
    [ "$1" = httpd ] || set -- setpriv --reuid {uid} --regid {gid} \
        --clear-groups "$@"
    exec nsenter --target "$(pgrep -P "$(cat docker.pid)")" --pid --mount "$@"
    ;;
rm)
    kill -KILL "$(pgrep -P "$(cat docker.pid)")"
    while kill -0 "$(cat docker.pid)" 2>/dev/null; do sleep .05; done
    rm -f run/*
    ;;
esac
"""


def test_container(netns, site):
    """httpd is process 1, then below an init; nobody is root."""
    netns.hosts(NAME)
    ca = site.ca()
    server = site.server(ca, as_root=False, http_port=8080, https_port=8443)
    server.ended = True             # its pid is that of another namespace
    site.validated_port = 80
    page = Howto("container.md", server, {
        "Listen 8080\nListen 8443\n": "", "/var/lib/acme": server.store})
    script(page.tools / "docker", "")
    (page.tools / "docker").write_text(DOCKER.format(
        root=server.root, httpd=page.tools / "httpd",
        uid=WORKER.pw_uid, gid=WORKER.pw_gid))

    def remove():
        subprocess.run([page.tools / "docker", "rm"], check=False,
                       timeout=PATIENCE)

    site.closing.callback(remove)
    page.configure()
    page.run()
    serial = server.wait_installed(NAME)

    def serves():
        try:
            return tls.look(443, NAME, ca.roots).serial == serial
        except OSError:
            return False

    server.wait(serves, "the container serves it")
    page.run()
    page.run()
    server.wait(serves, "the new container serves it")
    page.end()
    assert server.installed(NAME) == [serial]
    assert not server.failures(NAME)


def test_why_not_renewed_and_monitoring(netns, site):
    """One server: first its DNS is wrong, then it is watched."""
    netns.resolver("127.0.0.1")
    dns = site.challenge_dns(port=53)
    ca = site.ca(dns=dns.address)
    server = site.server(ca)
    server.vhost(NAME, body="AcmeChallenges http-01")
    server.start()
    server.wait_valid(NAME)

    dns.add_a(NAME, "127.0.0.2")            # where nobody listens
    server.renew(NAME)
    server.wait_failed(NAME)
    page = Howto("why-not-renewed.md", server, {})
    while "acmectl renew" not in page.blocks[0][1]:
        page.run()
    dns.clear_a(NAME)
    page.run()
    server.wait_valid(NAME, count=2)
    server.wait_state(NAME, "valid")
    page.run()
    page.end()

    etc = site.folder / "prometheus"
    etc.mkdir()
    monitoring = REPOSITORY / "conf" / "monitoring"
    page = Howto("monitoring.md", server, {
        "http://localhost": f"http://127.0.0.1:{server.http_port}",
        "/etc/prometheus": etc, "/usr/share/mod_acme/monitoring": monitoring,
        "/usr/share/mod_acme/hooks": FOLDER})
    page.configure()
    server.graceful()
    server.wait_state(NAME, "valid")
    page.run()
    page.run()
    server.append("howto", page.take("apache"))
    assert server.httpd_t() == (0, "Syntax OK\n")
    page.run()
    page.end()
