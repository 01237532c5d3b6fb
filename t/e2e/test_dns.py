"""dns-01: records set and removed, by commands and by dynamic updates.

A real bind9 answers the CA, and httpd too: a network of the test's own has
both at port 53.
"""

import os
import pathlib

import dns.query
import dns.zone
import pytest

from lib import proxy
from lib.named import ZONES
from lib.process import alive
from lib.wait import stays, wait_until

NAME = "www.example.org"
RECORD = f"_acme-challenge.{NAME}"
APEX = "_acme-challenge.example.org"

ONLY_DNS = "AcmeChallenges dns-01"

# What all commands here begin with: a log of the arguments, and a way to set
# ("add RECORD. 1") or remove ("delete RECORD.") a value.
PRELUDE = """#!/bin/sh
echo "$*" >>"$0.log"
txt() {{
    nsupdate -k {names.key_file} <<END
server {names.address} {names.port}
update $1 TXT "$2"
send
END
}}
"""

PLAIN = """
case $1 in
present) txt "add $2. 1" "$3" ;;
cleanup) txt "delete $2." "$3" ;;
*) exit 2 ;;
esac
"""

MOD_MD = """
case $1 in
setup) txt "add _acme-challenge.$2. 1" "$3" ;;
teardown) txt "delete _acme-challenge.$2." "$3" ;;
*) exit 2 ;;
esac
"""

DEHYDRATED = """
case $1 in
deploy_challenge) txt "add _acme-challenge.$2. 1" "$4" ;;
clean_challenge) txt "delete _acme-challenge.$2." "$4" ;;
*) exit 2 ;;
esac
"""

CERTBOT_AUTH = """
txt "add _acme-challenge.$CERTBOT_DOMAIN. 1" "$CERTBOT_VALIDATION"
echo "$CERTBOT_REMAINING_CHALLENGES" >>"$0.remaining"
echo "id of $CERTBOT_DOMAIN"
"""

CERTBOT_CLEANUP = """
echo "$CERTBOT_AUTH_OUTPUT" >>"$0.output"
txt "delete _acme-challenge.$CERTBOT_DOMAIN." "$CERTBOT_VALIDATION"
"""


@pytest.fixture(name="names")
def named(netns, site):
    """The zones, which httpd's own resolver sees too."""
    netns.resolver("127.0.0.1")
    return site.named(port=53)


def by_update(names, key_file=None):
    return (f"{ONLY_DNS}\nAcmeDns rfc2136 server={names.at} "
            f"key={key_file or names.key_file}")


def script(site, names, body, name="dns-hook"):
    path = site.folder / name
    path.write_text(PRELUDE.format(names=names) + body)
    path.chmod(0o755)
    return path


def calls(path):
    """The arguments of each call."""
    log = pathlib.Path(f"{path}.log")
    lines = log.read_text().splitlines() if log.exists() else ()
    return [line.split(" ") for line in lines]


def txt_values(names):
    """Of all TXT records in all zones."""
    found = []
    for origin in ZONES:
        zone = dns.zone.Zone(origin)
        dns.query.inbound_xfr(names.address, zone, port=names.port,
                              lifetime=5)
        found += [str(row[2]) for row in zone.iterate_rdatas("TXT")]
    return found


def wait_empty(names):
    wait_until(lambda: not txt_values(names), "the zones have no TXT record")


# What others see

def test_a_ca_that_shares_the_cache_of_this_machine(netns, site):
    primary = site.named(port=53, negative=5)
    cache = site.unbound(primary)
    netns.resolver(cache.address)
    ca = site.proxied_ca(dns=cache.at)
    server = site.server(ca)
    server.vhost(NAME, body=by_update(primary))
    server.vhost("shop.example.org", body=by_update(primary))
    cache.ask("_acme-challenge.shop.example.org")   # somebody looked early
    server.start()
    server.wait_valid(NAME)
    server.wait_valid("shop.example.org")
    for name in (NAME, "shop.example.org"):
        assert not server.failures(name)
    assert not server.matching("warning: ")


def test_the_cname_of_a_wildcard_is_not_followed(netns, site):
    netns.resolver("127.0.0.1")
    primary = site.named(port=53, more="* IN CNAME lb.cloud.test.\n"
                                       "x._acme-challenge.c IN CNAME x\n")
    server = site.server(site.ca(dns=primary.at))
    names = ("blog.example.org", "c.example.org", "deleg.example.org")
    server.vhost(*names, body=by_update(primary))
    assert primary.ask("_acme-challenge.blog.example.org", "SOA").answer
    server.start()
    assert server.wait_valid(names[0]).names == names
    assert not server.failures(names[0])
    assert not server.matching("warning: ")
    wait_empty(primary)


def test_no_cname_is_followed_where_the_administrator_says_so(site, names):
    command = script(site, names, PLAIN)
    server = site.server(site.ca(dns=names.at))
    server.vhost("deleg.example.org",
                 body=f"{ONLY_DNS}\nAcmeDns exec {command} follow=off")
    server.start()
    wait_until(lambda: calls(command), "the record is set")
    assert calls(command)[0][:2] == ["present",
                                     "_acme-challenge.deleg.example.org"]


def test_a_command_that_fails_leads_to_another_challenge(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    names = [f"{name}.example.org" for name in "abcd"]
    server.vhost(*names, body="AcmeChallenges dns-01 http-01\n"
                              "AcmeDns exec /bin/false")
    server.start()
    server.wait_valid(names[0])
    assert not server.failures(names[0])
    told = server.matching("challenge: .*/bin/false.*another challenge")
    assert len(told) == len(names)
    assert ca.count("order") == 2


# Dynamic updates

def test_a_wildcard_and_its_base_are_two_values_at_one_name(site, names):
    ca = site.proxied_ca(dns=names.at)
    server = site.server(ca)
    server.vhost("example.org", body=f"{by_update(names)}\n"
                                     "AcmeNames auto *.example.org")
    held = ca.hold("challenge")
    server.start()
    held.wait()
    assert len(names.txt(APEX)) == 2

    held.release()
    served = server.wait_valid("example.org")
    assert served.names == ("*.example.org", "example.org")
    assert server.look(NAME, verify=True).serial == served.serial
    assert ca.count("order") == 1
    wait_empty(names)


def test_a_wildcard_by_dns_and_its_base_by_http_in_one_order(site, names):
    ca = site.proxied_ca(dns=names.at)
    server = site.server(ca)
    server.vhost("example.org", body=f"{by_update(names)}\n"
                                     "AcmeChallenges http-01 dns-01\n"
                                     "AcmeNames auto *.example.org")
    server.start()
    server.wait_valid("example.org")
    assert server.matching("validated: 2 names by http-01, dns-01")
    assert ca.count("order") == 1
    wait_empty(names)


def test_many_names_of_several_certificates(site, names):
    server = site.server(site.ca(dns=names.at))
    server.vhost(NAME, "sub.www.example.org", "shop.example.org",
                 body=by_update(names))
    server.vhost("a.example.org", "b.example.org", body=by_update(names))
    server.start()
    assert len(server.wait_valid(NAME).names) == 3
    assert len(server.wait_valid("a.example.org").names) == 2
    assert not server.failures(NAME)
    wait_empty(names)


@pytest.mark.parametrize("zone", ["auto", "delegated.example"])
def test_an_alias_is_followed_into_another_zone(site, names, zone):
    ca = site.proxied_ca(dns=names.at)
    server = site.server(ca)
    server.vhost("deleg.example.org", body=f"{by_update(names)} zone={zone}")
    held = ca.hold("challenge")
    server.start()
    held.wait()
    assert len(names.txt("deleg.delegated.example")) == 1
    held.release()
    server.wait_valid("deleg.example.org")
    wait_empty(names)


def test_a_name_server_that_lags_is_waited_for(netns, site):
    primary = site.named(port=53, nameservers=("127.0.0.1", "127.0.0.2"))
    second = site.named(address="127.0.0.2", port=53, primary=primary)
    netns.resolver("127.0.0.1")
    ca = site.proxied_ca(dns=primary.at)
    server = site.server(ca)
    server.vhost(NAME, body=by_update(primary))
    server.start()
    wait_until(lambda: primary.txt(RECORD), "the primary has the record")
    assert second.txt(RECORD) == []
    stays(lambda: not ca.count("challenge"), "the CA is not asked to look", 4)

    second.catch_up()
    server.wait_valid(NAME)
    assert not server.matching("warning: ")
    wait_empty(primary)


def test_the_record_is_removed_after_a_failure_too(site, names):
    ca = site.ca()                  # its resolver knows nothing of the zone
    server = site.server(ca)
    server.vhost(NAME, body=by_update(names))
    server.start()
    assert NAME in server.wait_failed(NAME)
    wait_empty(names)


@pytest.mark.parametrize("step", ["challenge", "order-poll", "finalize"])
def test_the_record_is_removed_after_a_reload_in_the_midst(site, names, step):
    ca = site.proxied_ca(dns=names.at)
    held = ca.hold(step, reply=True)
    server = site.server(ca)
    server.vhost(NAME, body=by_update(names))
    server.start()
    held.wait()
    server.graceful()
    held.release()
    server.wait_valid(NAME)
    assert ca.count("order") == 1
    wait_empty(names)


def test_a_wrong_key_is_told_with_the_words_of_nsupdate(site, names):
    server = site.server(site.ca(dns=names.at))
    server.vhost(NAME, body=by_update(names, names.wrong_key_file))
    server.start()
    told = server.wait_failed(NAME)
    for part in (NAME, RECORD, names.address, str(names.wrong_key_file)):
        assert part in told, part
    assert "NOTAUTH" in told or "tsig" in told.lower()
    assert server.matching(r"nsupdate: .*(NOTAUTH|TSIG|tsig)")
    server.wait_state(NAME, "failed")


def test_a_key_that_others_can_read_is_not_used(site, names):
    names.key_file.chmod(0o644)
    server = site.server(site.ca(dns=names.at))
    server.vhost(NAME, body=by_update(names))
    server.start()
    told = server.wait_failed(NAME)
    assert str(names.key_file) in told and "chmod" in told
    assert "nsupdate" not in server.log_text


def test_a_server_that_refuses_other_zones_is_named(site, names):
    server = site.server(site.ca(dns=names.at))
    server.vhost("www.elsewhere.example", body=by_update(names))
    server.start()
    told = server.wait_failed("www.elsewhere.example")
    assert "_acme-challenge.www.elsewhere.example" in told
    assert names.address in told


# Commands

def test_the_plain_convention_with_another_dns_server(netns, site):
    netns.resolver("127.0.0.1")
    provider = site.challenge_dns(port=53)
    command = provider.command(site.folder)
    server = site.server(site.ca(dns=provider.address))
    server.vhost(NAME, body=f"{ONLY_DNS}\nAcmeDns exec {command}")
    server.start()
    server.wait_valid(NAME)
    wait_until(lambda: len(calls(command)) == 2, "the record is removed")
    present, cleanup = calls(command)
    assert present[:2] == ["present", RECORD]
    assert cleanup == ["cleanup", *present[1:]]
    assert len(present) == 3 and len(present[2]) == 43


@pytest.mark.parametrize("how, body, words, subject", [
    ("exec", PLAIN, ("present", "cleanup"), APEX),
    ("exec:mod_md", MOD_MD, ("setup", "teardown"), "example.org"),
    ("exec:dehydrated", DEHYDRATED, ("deploy_challenge", "clean_challenge"),
     "example.org")])
def test_the_conventions_of_scripts(site, names, how, body, words, subject):
    command = script(site, names, body)
    ca = site.proxied_ca(dns=names.at)
    server = site.server(ca)
    server.vhost("example.org", body=f"{ONLY_DNS}\nAcmeDns {how} {command}\n"
                                     "AcmeNames *.example.org")
    server.start()
    server.wait_installed("_.example.org")
    wait_until(lambda: len(calls(command)) == 2, "the record is removed")
    present, cleanup = calls(command)
    assert [present[0], cleanup[0]] == list(words)
    assert present[1] == subject
    assert present[1:] == cleanup[1:]
    if how == "exec:dehydrated":
        tokens = [challenge["token"] for challenge in
                  ca.seen("authz")[0].json["challenges"]]
        assert present[2] in tokens
    assert len(present[-1]) == 43
    wait_empty(names)


def test_scripts_of_certbot_work_unchanged(site, names):
    auth = script(site, names, CERTBOT_AUTH, "auth")
    cleanup = script(site, names, CERTBOT_CLEANUP, "cleanup")
    server = site.server(site.ca(dns=names.at))
    server.vhost("example.org", "shop.example.org",
                 body=f"{ONLY_DNS}\nAcmeDns exec {auth} {cleanup}\n"
                      "AcmeNames auto *.example.org")
    server.start()
    served = server.wait_valid("example.org")
    assert served.names == ("*.example.org", "example.org",
                            "shop.example.org")
    # Side by side, so they write in any order.
    remaining = pathlib.Path(f"{auth}.remaining").read_text().split()
    assert sorted(remaining, reverse=True) == ["2", "1", "0"]
    wait_empty(names)
    output = pathlib.Path(f"{cleanup}.output").read_text().splitlines()
    assert sorted(output) == ["id of example.org", "id of example.org",
                              "id of shop.example.org"]


def test_all_names_are_set_up_side_by_side(site, names):
    """Each command ends when all have begun."""
    command = script(site, names, """
if [ "$1" = present ]; then
    touch "$0.begun.$2"
    while [ $(ls "$0".begun.* | wc -l) -lt 5 ]; do sleep 0.1; done
fi
""" + PLAIN)
    server = site.server(site.ca(dns=names.at))
    body = f"{ONLY_DNS}\nAcmeDns exec {command}\nAcmeHookTimeout 30s"
    server.vhost(NAME, "sub.www.example.org", "shop.example.org", body=body)
    server.vhost("a.example.org", "b.example.org", body=body)
    server.start()
    server.wait_valid(NAME)
    server.wait_valid("a.example.org")
    wait_empty(names)


def test_a_command_that_fails_is_named_with_its_last_words(site, names):
    command = script(site, names, """
echo "provider: asked"
echo "provider: no such zone <b>" >&2
exit 1
""")
    server = site.server(site.ca(dns=names.at))
    server.vhost(NAME, body=f"{ONLY_DNS}\nAcmeDns exec {command}")
    server.start()
    told = server.wait_failed(NAME)
    assert NAME in told and str(command) in told
    assert "exit status 1" in told
    assert "provider: no such zone" in told
    assert server.matching(f"{command}: provider: asked")
    shown = server.wait_state(NAME, "failed")
    assert "provider: no such zone" in shown["Problem"]
    page = server.get("/server-status", port=server.status_port).body
    assert "no such zone &lt;b&gt;" in page
    wait_until(lambda: [call[0] for call in calls(command)]
               == ["present", "cleanup"], "it was told to remove the record")


@pytest.mark.whole
@pytest.mark.parametrize("whose", ["ours", "the administrator's"])
def test_a_record_is_removed_whatever_reloads(site, names, whose):
    command = script(site, names, """
if [ "$1" = cleanup ]; then
    touch "$0.slow"
    sleep 4
fi
""" + PLAIN)
    server = site.server(site.ca(dns=names.at))
    if whose != "ours":
        server.part("none", "AcmeActivate none\n")
    server.vhost(NAME, body=f"{ONLY_DNS}\nAcmeDns exec {command}")
    server.start()
    server.wait_installed(NAME)
    if whose != "ours":
        wait_until(pathlib.Path(f"{command}.slow").exists, "it is removed")
        server.graceful()
    server.wait_valid(NAME)
    wait_empty(names)


def test_a_command_that_hangs_is_ended_and_delays_nobody(site, names):
    command = script(site, names, """
if [ "$1" = present ]; then
    trap "" TERM
    sh -c 'trap "" TERM; sleep 1000 & echo $! $$ >>"$1"; wait' sh "$0.pids" &
    echo $! $$ >>"$0.pids"
    while :; do sleep 1000; done
fi
""")
    server = site.server(site.ca(dns=names.at))
    # One place, and the one that hangs is the first to have it.
    server.part("parallel", "AcmeParallel 1\n")
    server.vhost("a.example.org", body=f"{ONLY_DNS}\n"
                 f"AcmeDns exec {command}\nAcmeHookTimeout 20s")
    server.vhost(NAME)
    server.start()
    server.wait_installed(NAME)
    assert not server.failures("a.example.org")    # it is not even late yet
    pids_file = pathlib.Path(f"{command}.pids")
    wait_until(lambda: pids_file.exists()
               and len(pids_file.read_text().split()) >= 4, "it hangs")
    pids = [int(pid) for pid in pids_file.read_text().split()]
    assert all(alive(pid) for pid in pids)
    assert not server.failures("a.example.org")

    told = server.wait_failed("a.example.org")
    assert "AcmeHookTimeout" in told and str(command) in told
    wait_until(lambda: not any(alive(pid) for pid in pids),
               "all that it started is gone")
    server.wait_valid(NAME)


def test_a_command_is_given_no_secret(site, names):
    command = script(site, names, """
env >"$0.env"
id -u >"$0.id"
ls -l /proc/self/fd >"$0.fd"
cat >"$0.input"
""" + PLAIN)
    server = site.server(site.ca(dns=names.at), environment={
        "DATABASE_PASSWORD": "xyzzy"})
    server.vhost(NAME, body=f"{ONLY_DNS}\nAcmeDns exec {command}")
    server.start()
    server.wait_valid(NAME)
    wait_empty(names)

    def written(suffix):
        return pathlib.Path(f"{command}.{suffix}").read_text()

    variables = dict(line.split("=", 1) for line in
                     written("env").splitlines())
    assert not [name for name in variables if not name.startswith(
        ("ACME_", "CERTBOT_")) and name not in (
            "PATH", "LANG", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_")]
    assert variables["ACME_EVENT"] == "dns-cleanup"
    assert variables["ACME_ID"] == variables["CERTBOT_DOMAIN"] == NAME
    assert not variables["ACME_PRIVKEY"]
    assert "xyzzy" not in written("env") + written("input")
    assert "PRIVATE" not in written("input")
    assert written("id").strip() == str(os.geteuid())
    descriptors = [line.split()[-3] for line in written("fd").splitlines()
                   if " -> " in line]
    assert set(descriptors) <= {"0", "1", "2", "3"}     # 3: that of ls


def test_what_a_ca_says_never_gets_to_a_command(site, names):
    command = script(site, names, PLAIN)
    ca = site.proxied_ca(dns=names.at)
    ca.answer(proxy.rewrite_tokens("$(touch x)"), "authz")
    server = site.server(ca)
    server.vhost(NAME, body=f"{ONLY_DNS}\nAcmeDns exec {command}")
    server.start()
    assert "no challenge can be answered here" in server.wait_failed(NAME)
    assert not calls(command)


def test_a_wildcard_without_dns_says_what_it_needs(site):
    ca = site.proxied_ca()
    server = site.server(ca)
    server.vhost("example.org", body="AcmeNames auto *.example.org\n"
                                     "AcmeChallenges http-01 tls-alpn-01")
    server.start()
    told = server.wait_failed("example.org")
    assert "*.example.org" in told and "a wildcard needs AcmeDns" in told
    assert "dns-01" in told             # of what the CA offers
    server.wait_installed("example.org")        # the other name alone, at once
    assert ca.count("challenge") == 1


# What httpd -t says

@pytest.mark.whole
@pytest.mark.parametrize("arguments, said", [
    ("exec /nonexistent/hook", ("/nonexistent/hook", "No such file")),
    ("exec", ("exec takes a command",)),
    ("exce /bin/true", ("exce", "exec:dehydrated", "rfc2136")),
    ("rfc2136 srv=127.0.0.1 key=/dev/null", ("srv=", "server=host[:port]")),
    ("rfc2136 server=127.0.0.1 key=/nonexistent", ("/nonexistent",
                                                   "No such file")),
    ("rfc2136 server=127.0.0.1", ("key=file",)),
    ("rfc2136 server=-x:0 key=/dev/null", ("AcmeDns",)),
    ("rfc2136 server=127.0.0.1 key=/dev/null zone=-bad.example",
     ("-bad.example",))])
def test_wrong_options_stop_the_configuration_test(site, arguments, said):
    server = site.server(site.ca())
    server.vhost(NAME, body=f"AcmeDns {arguments}")
    code, text = server.httpd_t()
    assert code != 0
    for part in ("AcmeDns", *said):
        assert part in text, part
