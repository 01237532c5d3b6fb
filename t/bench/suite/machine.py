"""What the figures were measured on, for the head of the table."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

from lib.httpd import modules_folder, program


def _said(*argv):
    try:
        done = subprocess.run(argv, check=False, capture_output=True,
                              text=True, timeout=60)
    except OSError:
        return ""
    return done.stdout + done.stderr


def _found(regex, text):
    match = re.search(regex, text)
    return match[1] if match else "not found"


def _package(name):
    version = _said("dpkg-query", "-W", "-f", "${Version}", name)
    return _found(r"^(?:\d+:)?(\d[\w.]*)", version)


def _mod_md():
    """Its version is among the strings of the module."""
    path = pathlib.Path(modules_folder(), "mod_md.so")
    found = re.search(rb"\0(2\.\d+\.\d+)\0", path.read_bytes()) \
        if path.exists() else None
    return found[1].decode() if found else "not found"


def facts(mode):
    cpu = _found(r"Model name:\s+(.*)", _said("lscpu"))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    rivals = ", ".join(f"{name} {version}" for name, version in (
        ("mod_md", _mod_md()), ("Caddy", _package("caddy")),
        ("certbot", _package("certbot")), ("lego", _package("lego"))))
    return {
        "machine": f"{os.cpu_count()} x {cpu}, Linux {platform.release()}, "
                   + _found(r'PRETTY_NAME="(.*)"',
                            pathlib.Path("/etc/os-release").read_text()),
        "httpd": _found(r"Apache/(\S+)", _said(program(), "-v"))
                 + ", mpm_event; OpenSSL "
                 + _found(r"OpenSSL (\S+)", _said("openssl", "version")),
        "CA": f"pebble {_package('pebble')}, on loopback",
        "rivals": rivals,
        "begun": datetime.datetime.now().strftime("%Y-%m-%d %H:%M")
                 + f", build/bench {mode}; load of the machine before "
                 f"(1, 5, 15 minutes): {load}"}
