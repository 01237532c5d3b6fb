"""Faults: what must be survived. The harness is that of t/e2e."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "e2e"))

from lib.fixtures import *      # noqa: E402,F401,F403
