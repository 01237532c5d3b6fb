"""Whoever may write above the store could swap it: then it isn't used."""

import os

NAME = "www.example.org"


def test_a_folder_above_the_store_that_others_may_write(site):
    server = site.server(site.ca())
    above = server.store.parent
    server.vhost(NAME)
    above.chmod(0o757)
    server.start()
    server.wait_log(f"{above}: others can write in it .*set AcmeStateDir")
    assert server.look(NAME).self_signed
    assert not server.store.exists()

    above.chmod(0o755)
    server.graceful()
    good = server.wait_valid(NAME)

    # What is there already is served nevertheless.
    server.stop()
    os.chown(above, 33, -1)
    server.start()
    server.wait_log(f"{above}: belongs to uid 33, .*set AcmeStateDir")
    assert server.look(NAME, verify=True).serial == good.serial
    server.stop()
    os.chown(above, 0, -1)
    server.start()
    assert server.look(NAME, verify=True).serial == good.serial
