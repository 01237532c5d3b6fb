"""firewall-nft: a real nft in a network of the test's own."""

import json
import os
import socket
import subprocess

import pytest

from lib.fixtures import netns          # noqa: F401 # pylint: disable=W0611
from lib.hook import FOLDER, run_hook
from lib.wait import PATIENCE

WITH_DROP = """
table inet filter {
    chain input {
        type filter hook input priority 0; policy accept;
        ct state established,related accept
        tcp dport 22 accept
        counter drop
        tcp dport 9 accept
    }
}
"""
WITH_POLICY = """
table inet filter {
    chain input {
        type filter hook input priority 0; policy drop;
        ct state established,related accept
        tcp dport 22 accept
    }
}
"""
WITH_JUMP = """
table ip fw {
    chain rest { reject with tcp reset; }
    chain INPUT {
        type filter hook input priority 0; policy accept;
        ct state established,related accept
        log prefix "in: " jump rest
    }
}
"""
# Nobody passes the second one, for all that the first one lets through.
WITH_BLOCKLIST = """
table inet filter {
    chain blocklist {
        ip saddr 127.0.0.2 drop
        counter return
        drop
    }
    chain rest { jump last; }
    chain last { counter drop; }
    chain input {
        type filter hook input priority 0; policy accept;
        ct state established,related accept
        jump blocklist
        jump rest
        accept
    }
}
"""


def nft(*arguments, script=None):
    done = subprocess.run(["/usr/sbin/nft", *arguments], input=script,
                          text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, check=False)
    if done.returncode and os.geteuid() == 0 \
            and "Operation not" in done.stdout:
        pytest.skip(f"no nftables here: {done.stdout.strip()}")
    assert done.returncode == 0, done.stdout
    return done.stdout


def rules(family="inet", table="filter", chain="input"):
    """All rules of the chain, without their handles and counters."""
    found = json.loads(nft("-j", "list", "chain", family, table, chain))
    return [json.dumps([part["rule"].get("comment"),
                        [each for each in part["rule"]["expr"]
                         if "counter" not in each]])
            for part in found["nftables"] if "rule" in part]


@pytest.fixture(name="servers")
def servers_at_three_ports(netns):      # noqa: F811
    servers = [socket.create_server(("127.0.0.1", port))
               for port in (80, 443, 8080)]
    yield
    for server in servers:
        server.close()


def connects(port, timeout, source=None):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout, source):
            return True
    except OSError:
        return False


def is_open(port):
    return connects(port, PATIENCE)


def is_closed(port):
    return not connects(port, .2)


@pytest.mark.parametrize("ruleset, options, chain", [
    (WITH_DROP, (), ()),
    (WITH_POLICY, (), ()),
    (WITH_JUMP, ("--table", "ip/fw", "--chain", "INPUT"),
     ("ip", "fw", "INPUT")),
    (WITH_BLOCKLIST, (), ()),
], ids=["drop", "policy", "jump", "blocklist"])
def test_a_port_is_open_between_open_and_close(servers, ruleset, options,
                                               chain):
    nft("-f", "-", script=ruleset)
    before = rules(*chain)
    assert is_closed(80)
    for _ in 1, 2:              # a second open changes nothing
        ended = run_hook("firewall-nft", *options, "open")
        assert ended.code == 0 and not ended.text, ended
        assert is_open(80) and is_closed(443)
        assert len(rules(*chain)) == len(before) + 1
    for _ in 1, 2:
        ended = run_hook("firewall-nft", *options, "close")
        assert ended.code == 0 and not ended.text, ended
        assert is_closed(80)
        assert rules(*chain) == before


def test_blocked_addresses_stay_blocked(servers):
    nft("-f", "-", script=WITH_BLOCKLIST)
    assert run_hook("firewall-nft", "open").code == 0
    assert is_open(80)
    assert not connects(80, .2, ("127.0.0.2", 0))


def test_what_was_open_before_stays_open(servers):
    nft("-f", "-", script=WITH_POLICY)
    nft("add rule inet filter input tcp dport 80 accept")
    nft('add rule inet filter input tcp dport 8080 accept comment "mod_acme"')
    before = rules()
    assert run_hook("firewall-nft", "--port", "80", "--port", "443",
                    "open").code == 0
    assert is_open(80) and is_open(443)
    # One port is closed while another validation needs the other.
    assert run_hook("firewall-nft", "--port", "443", "close").code == 0
    assert is_open(80) and is_closed(443)
    assert len(rules()) == len(before) + 1
    assert run_hook("firewall-nft", "close").code == 0
    assert is_open(80) and is_open(8080)
    assert rules() == before


def test_a_firewall_that_was_loaded_anew_is_closed(servers):
    nft("-f", "-", script=WITH_POLICY)
    assert run_hook("firewall-nft", "open").code == 0
    nft("flush", "ruleset")
    assert run_hook("firewall-nft", "close").code == 0
    ended = run_hook("firewall-nft", "open")
    assert ended.code == 1 and "chain inet filter input" in ended.text
    assert "--table" in ended.text and "No such file" in ended.text
    assert is_open(80)                # there is no firewall


def test_a_chain_with_another_name_is_not_forgotten(servers):
    nft("-f", "-", script=WITH_POLICY)
    assert run_hook("firewall-nft", "open").code == 0
    nft("rename", "chain", "inet", "filter", "input", "incoming")
    ended = run_hook("firewall-nft", "close")
    assert ended.code == 1 and "inet filter incoming" in ended.text, ended
    assert is_open(80)
    assert run_hook("firewall-nft", "--chain", "incoming", "close").code == 0
    assert is_closed(80)


@pytest.mark.parametrize("fails, code", [(1, 0), (9, 1)])
def test_a_rule_that_stays_is_told(servers, tmp_path, fails, code):
    """nft refuses a deletion, as when the rules are loaded at this moment."""
    nft("-f", "-", script=WITH_POLICY)
    before = rules()
    assert run_hook("firewall-nft", "open").code == 0
    (tmp_path / "nft").write_text(f"""#!/bin/sh
if [ "$1" = -f ] && echo x >>{tmp_path}/tries &&
        [ "$(wc -l <{tmp_path}/tries)" -le {fails} ]; then
    echo "Error: Could not process rule: No such file or directory" >&2
    exit 1
fi
exec /usr/sbin/nft "$@"
""")
    (tmp_path / "nft").chmod(0o755)
    ended = run_hook("firewall-nft", "close",
                     env={"PATH": f"{tmp_path}:/usr/sbin:/usr/bin:/bin"})
    assert ended.code == code, ended
    assert len((tmp_path / "tries").read_text().split()) == 2
    if code:
        assert "was not closed" in ended.text and is_open(80)
    else:
        assert rules() == before


def test_a_user_without_rights_is_told(servers):
    nft("-f", "-", script=WITH_POLICY)
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--",
         "python3", "-", "open"], text=True, check=False,
        input=(FOLDER / "firewall-nft").read_text(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={"PATH": "/usr/sbin:/usr/bin"})
    assert done.returncode == 1 and "not permitted" in done.stdout
    assert is_closed(80)


@pytest.mark.parametrize("options, part", [
    ((), "action"),
    (("shut",), "shut"),
    (("--port", "0", "open"), "'0' is not a port"),
    (("--table", "filter", "open"), "inet/filter"),
    (("--table", "inet/a b", "open"), "'a b' is not a name"),
    (("--chain", "in; flush ruleset", "open"), "not a name"),
])
def test_a_wrong_call_is_told(options, part):
    ended = run_hook("firewall-nft", *options)
    assert ended.code == 2 and part in ended.text, ended


def test_nft_that_is_not_there_is_told(tmp_path):
    done = subprocess.run(
        ["/usr/bin/python3", "-c",
         "import shutil, sys; shutil.which = lambda *_, **__: None; "
         "sys.argv[1:] = ['open']; exec(sys.stdin.read())"],
        input=(FOLDER / "firewall-nft").read_text(),
        text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        cwd=tmp_path, check=False)
    assert done.returncode == 2 and "install nftables" in done.stdout
