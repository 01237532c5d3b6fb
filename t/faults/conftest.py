"""Faults: what must be survived. The harness is that of t/e2e."""

from lib.fixtures import *      # noqa: F401,F403
