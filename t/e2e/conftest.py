"""End-to-end tests: a real httpd with mod_acme, a real CA, real clients."""

from lib.fixtures import *      # noqa: F401,F403
