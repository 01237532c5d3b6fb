"""Hostile: a CA or a worker that wants harm. The harness is that of t/e2e."""

from lib.fixtures import *      # noqa: F401,F403
