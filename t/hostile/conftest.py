"""Hostile: a CA or a worker that wants harm. The harness is that of t/e2e,
with more of its own: lib/ here is a second folder of the same package."""

import pathlib

import lib
from lib.fixtures import *      # noqa: F401,F403

lib.__path__.append(str(pathlib.Path(__file__).parent / "lib"))
