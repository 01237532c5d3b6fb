"""The scripts of conf/hooks, against servers that check signatures. No httpd."""

import pytest

from lib.moto import Moto


@pytest.fixture(scope="session")
def moto(tmp_path_factory):
    cloud = Moto(tmp_path_factory.mktemp("moto"))
    try:
        yield cloud.start()
    finally:
        cloud.end()
