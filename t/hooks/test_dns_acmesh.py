"""dns-acmesh: dnsapi scripts are called as acme.sh calls them.

Debian has no acme.sh. A small one of our own stands in, with the functions
that acme.sh documents for dnsapi scripts. With $ACME_ACMESH=/path/acme.sh the
tests take that one.
"""

import fcntl
import os
import shutil
from concurrent.futures import ThreadPoolExecutor

import pytest

from lib.hook import FOLDER, run_hook

NAME = "_acme-challenge.www.example.org"
VALUE = "XKrxpRBosdIKFzxW-CT3KLZNf6q0HG9i01zxXp5CPB_"

# acme.sh ends with such a call of main.
STAND_IN = r"""#!/usr/bin/env sh
_info() { printf '%s\n' "$*"; }
_err() { printf '%s\n' "$*" >&2; return 1; }
_debug() { :; }
_startswith() { case $1 in "$2"*) return 0 ;; esac; return 1; }
_initpath() {
  ACCOUNT_CONF_PATH=$LE_CONFIG_HOME/account.conf
  if [ -f "$ACCOUNT_CONF_PATH" ]; then . "$ACCOUNT_CONF_PATH"; fi
}
_findHook() {
  for _hook_at in "$_SCRIPT_HOME/$2/$3.sh" "$LE_WORKING_DIR/$3.sh"; do
    [ ! -f "$_hook_at" ] || { printf %s "$_hook_at"; return; }
  done
}
_readaccountconf_mutable() {
  eval "printf %s \"\$SAVED_$1\""
}
_saveaccountconf_mutable() {
  _kept=$(grep -v "^SAVED_$1=" "$ACCOUNT_CONF_PATH")
  printf '%s\nSAVED_%s=%s\n' "$_kept" "$1" "'$2'" >"$ACCOUNT_CONF_PATH"
}
showhelp() { echo "Usage: acme.sh"; }
_process() { exit 3; }
main() {
  [ -z "$1" ] && showhelp && return
  if _startswith "$1" '-'; then _process "$@"; else "$@"; fi
}
main "$@"
"""

# A provider whose records are a file; as administrators write them.
MYAPI = r"""#!/usr/bin/env sh
dns_myapi_add() {
  fulldomain=$1
  txtvalue=$2
  MYAPI_Zone="${MYAPI_Zone:-$(_readaccountconf_mutable MYAPI_Zone)}"
  MYAPI_Token="${MYAPI_Token:-$(_readaccountconf_mutable MYAPI_Token)}"
  if [ -z "$MYAPI_Token" ]; then
    _err "You did not set MYAPI_Token."
    return 1
  fi
  _saveaccountconf_mutable MYAPI_Zone "$MYAPI_Zone"
  _info "adding $fulldomain"
  _records=$(cat "$MYAPI_Zone")
  sleep 0.1
  printf '%s\n' "$_records" "$fulldomain $txtvalue" >"$MYAPI_Zone"
  env >"$MYAPI_Zone.env"
}
dns_myapi_rm() {
  MYAPI_Zone="$(_readaccountconf_mutable MYAPI_Zone)"
  grep -vx "$1 $2" "$MYAPI_Zone" >"$MYAPI_Zone.new"
  mv "$MYAPI_Zone.new" "$MYAPI_Zone"
}
"""


class Acmesh:
    """An installed acme.sh, with one script more."""

    def __init__(self, folder):
        self.home = folder / "acme home"
        (self.home / "dnsapi").mkdir(parents=True)
        program = self.home / "acme.sh"
        if "ACME_ACMESH" in os.environ:
            shutil.copy(os.environ["ACME_ACMESH"], program)
        else:
            program.write_text(STAND_IN)
        (self.home / "dnsapi" / "dns_myapi.sh").write_text(MYAPI)
        self.zone = folder / "zone"
        self.zone.write_text("")
        self.conf = self.home / "account.conf"
        self.conf.write_text("LOG_LEVEL='1'\n"
                             f"SAVED_MYAPI_Zone='{self.zone}'\n"
                             "SAVED_MYAPI_Token='s3cr3t-t0k3n'\n")

    def run(self, *arguments, env=None):
        return run_hook("dns-acmesh", "--home", self.home, "--dnsapi",
                        "dns_myapi", *arguments, env=env)

    def records(self):
        return sorted(line for line in self.zone.read_text().splitlines()
                      if line)


@pytest.fixture(name="acmesh")
def installed_acmesh(tmp_path):
    return Acmesh(tmp_path)


def test_records_are_set_and_removed(acmesh):
    for value in VALUE, "second":
        ended = acmesh.run("present", NAME + ".", value)
        assert ended.code == 0, ended
        assert "adding" in ended.text and "s3cr3t" not in ended.text
    assert acmesh.records() == [f"{NAME} {VALUE}", f"{NAME} second"]
    assert "SAVED_MYAPI_Token='s3cr3t-t0k3n'" in acmesh.conf.read_text()

    ended = acmesh.run("cleanup", NAME, VALUE)
    assert ended.code == 0, ended
    assert acmesh.records() == [f"{NAME} second"]
    assert "Usage" not in ended.text


def test_the_home_folder_is_that_of_the_user(acmesh):
    ended = acmesh.run("present", NAME, VALUE)
    assert ended.code == 0, ended
    env = (acmesh.zone.parent / "zone.env").read_text()
    assert f"\nHOME={os.path.expanduser('~root')}\n" in f"\n{env}"

    # The default folder is below it, and account.conf may be elsewhere.
    other = acmesh.zone.parent / "config"
    other.mkdir()
    acmesh.conf.rename(other / "account.conf")
    home = acmesh.zone.parent / "home"
    home.mkdir()
    (home / ".acme.sh").symlink_to(acmesh.home)
    ended = run_hook("dns-acmesh", "--dnsapi", "dns_myapi", "--config-home",
                     other, "present", NAME, "third",
                     env={"HOME": os.fspath(home)})
    assert ended.code == 0, ended
    assert f"{NAME} third" in acmesh.records()


def test_a_script_that_fails_is_named_with_what_it_said(acmesh):
    acmesh.conf.write_text("")
    ended = acmesh.run("present", NAME, VALUE)
    assert ended.code == 1
    assert "You did not set MYAPI_Token." in ended.text
    last = ended.text.strip().splitlines()[-1]
    assert "dns_myapi_add failed for " + NAME in last
    assert "account.conf" in last

    script = acmesh.home / "dnsapi" / "dns_myapi.sh"
    script.write_text("dns_myapi_add() { exit 0; }\n")
    ended = acmesh.run("cleanup", NAME, VALUE)
    assert ended.code == 1 and "no function dns_myapi_rm" in ended.text


@pytest.mark.parametrize("arguments, part", [
    (("present", NAME), "VALUE is missing"),
    (("remove", NAME, VALUE), "remove: not present or cleanup"),
    (("--dnsapi", "../x", "present", NAME, VALUE), "../x"),
    (("--dnsapi", "dns_none", "present", NAME, VALUE), "dns_none"),
    (("--home", "/nonexistent", "present", NAME, VALUE), "--home"),
    (("--config-home", "/nonexistent", "present", NAME, VALUE), "no such"),
    (("--zone", "x", "present", NAME, VALUE), "--zone: not an option"),
    (("--wait", "1m", "present", NAME, VALUE), "--wait 1m"),
    (("--home",), "--home needs a value"),
])
def test_a_wrong_call_is_told(acmesh, arguments, part):
    ended = acmesh.run(*arguments)
    assert ended.code == 2 and part in ended.text, ended
    assert not acmesh.records()


def test_another_program_is_not_taken_for_acme_sh(acmesh):
    (acmesh.home / "acme.sh").write_text("echo hello\n")
    ended = acmesh.run("present", NAME, VALUE)
    assert ended.code == 1 and "this is not acme.sh" in ended.text
    assert run_hook("dns-acmesh", "--help").code == 0


def test_several_at_a_time_lose_no_record(acmesh):
    """The script reads and replaces all records, as those of many do."""
    with ThreadPoolExecutor(4) as pool:
        values = [f"value{i}" for i in range(4)]
        for ended in pool.map(lambda value: acmesh.run("present", NAME, value),
                              values):
            assert ended.code == 0, ended
    assert acmesh.records() == [f"{NAME} {value}" for value in values]


def test_one_that_waits_too_long_says_so(acmesh, tmp_path):
    script = FOLDER / "dns-acmesh"
    copy = tmp_path / "dns-acmesh"          # the lock is the file's
    copy.write_text(script.read_text())
    copy.chmod(0o755)
    with open(copy, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ended = run_hook("dns-acmesh", "--home", acmesh.home, "--dnsapi",
                         "dns_myapi", "--wait", "1", "present", NAME, VALUE,
                         folder=tmp_path)
    assert ended.code == 1 and "Raise AcmeHookTimeout" in ended.text, ended
    assert NAME in ended.text and not acmesh.records()
