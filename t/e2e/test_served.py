"""What is said to be served is what visitors get."""

import json

from lib import tls
from lib.httpd import modules_folder
from lib.preload import preload

# Of each address: its virtual hosts, what is in them, and whether visitors
# get the certificate.
PLACES = {
    "127.0.0.2": [("first2", "", None), ("no-tls", "SSLEngine on", False)],
    "127.0.0.3": [("first3", "SSLEngine on\nServerAlias *", True),
                  ("behind", "SSLEngine on\nServerAlias alias3.example.org",
                   False)],
    "127.0.0.4": [("ciphers", "SSLEngine on\nSSLCipherSuite aRSA\n"
                   "SSLProtocol TLSv1.2", False)],
    "127.0.0.5": [("optional", "SSLEngine optional", False)],
    "127.0.0.6": [("fine", "SSLEngine on", True),
                  ("new-ciphers", "SSLEngine on\nSSLCipherSuite aRSA", True),
                  ("md", "SSLEngine on", None),
                  ("pattern", "SSLEngine on\nServerAlias *", True),
                  ("shared", "SSLEngine on\nServerAlias shared2.example.org\n"
                   "AcmeCertificate pattern.example.org", True)],
}
WARNINGS = {"no-tls": ("visitors get no TLS", "SSLEngine on there"),
            "behind": ("get the virtual host at", "comes first"),
            "ciphers": ("no cipher for keys of type p256",),
            "new-ciphers": ("no cipher for keys of type p256",),
            "optional": ("SSLEngine optional: mod_ssl starts no TLS",),
            "md": ("mod_md manages this virtual host as well",)}


def configure(server):
    """The place of each virtual host."""
    server.part("aa-md", f"LoadModule md_module {modules_folder()}/mod_md.so\n"
                         "MDomain md.example.org manual\n")
    places = {}
    for address, vhosts in PLACES.items():
        lines = [f"Listen {address}:{server.https_port}"]
        for name, body, _ in vhosts:
            places[name] = len(lines) + 1
            lines += [f"<VirtualHost {address}:{server.https_port}>",
                      f"ServerName {name}.example.org", *body.split("\n"),
                      "</VirtualHost>"]
        path = server.part(f"at-{address}", "\n".join(lines) + "\n")
        places |= {name: f"{path}:{places[name]}" for name, _, _ in vhosts}
    return places


def test_what_is_said_to_be_served_is_what_visitors_get(site):
    server = site.server(site.ca(always_valid=True))
    places = configure(server)
    code, said = server.httpd_t()
    assert code == 0, said
    for name, words in WARNINGS.items():
        told, = [line for line in said.split("\n")
                 if f"acme: {places[name]}: " in line]
        assert all(word in told for word in words), told
    assert places["first2"] in said and places["first3"] in said
    for name in "fine", "pattern", "shared":
        assert not [line for line in said.split("\n") if places[name] in line
                    and "is skipped" not in line]

    server.start()
    managed = [(address, f"{name}.example.org", is_served)
               for address, vhosts in PLACES.items()
               for name, _, is_served in vhosts
               if is_served is not None and name != "shared"]
    for _, cert_id, _ in managed:
        server.wait_installed(cert_id)
    loads = server.loads
    server.graceful()
    server.wait(lambda: server.loads > loads and server.keeper, "a reload")
    for address, cert_id, is_served in managed:
        shown = server.wait_state(cert_id, "valid")
        assert shown["Served"] == ("yes" if is_served else "no"), cert_id
        assert bool(server.matching(f"acme: {cert_id}: reloaded: now served")
                    ) == is_served, cert_id
        assert (shown.get("Reason") == "not-served") != is_served, cert_id
        if is_served:
            seen = tls.look(server.https_port, cert_id, server.ca.roots,
                            address=address)
            assert seen.serial == server.installed(cert_id)[-1]
    behind = tls.look(server.https_port, "alias3.example.org",
                      address="127.0.0.3")
    assert behind.serial == server.installed("first3.example.org")[-1]
    found, = json.loads(server.acmectl("status", "behind.example.org",
                                       "--json")[1])
    assert found["served"] is False and found["reason"] == "not-served"
    assert "something else" in server.acmectl("status",
                                              "no-tls.example.org")[1]


FORKS_UNWATCHED = """
int __register_atfork(void (*before)(void), void (*parent)(void),
                      void (*child)(void), void *dso)
{
    int (*real)(void (*)(void), void (*)(void), void (*)(void), void *) =
        dlsym(RTLD_NEXT, "__register_atfork");
    Dl_info info;

    if (child && dladdr((void *)child, &info)
        && strstr(info.dli_fname, "mod_acme")) {
        return 12;
    }
    return real(before, parent, child, dso);
}
"""


def test_without_renewal_the_load_is_reported_as_well(site):
    server = site.server(None, environment=preload(site.folder,
                                                   FORKS_UNWATCHED))
    server.part("ca", "AcmeCA https://127.0.0.1:1/dir\n")
    server.vhost("xx.example.org", body="SSLEngine optional")
    server.vhost("www.example.org")
    server.start()
    assert server.matching("not enough memory; certificates are not renewed")
    assert server.matching("SSLEngine optional: mod_ssl starts no TLS")
    assert server.get_tls("www.example.org").status == 503
    server.restart()
    assert not server.matching("exit signal")
