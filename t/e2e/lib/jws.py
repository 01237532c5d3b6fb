"""Signed requests, read as a strict CA reads them (RFC 8555, 6)."""

import base64
import hmac
import json
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

CONTENT_TYPE = "application/jose+json"

# Where a request is signed with a key that it carries.
BY_KEY = ("account", "revocation")


def from_base64url(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass(frozen=True)
class Jws:
    protected: dict
    payload: bytes
    signature: bytes
    signed: bytes               # what the signature is of

    @classmethod
    def read(cls, document):
        """Of the flattened serialization, as a dict."""
        protected, payload = document["protected"], document["payload"]
        return cls(json.loads(from_base64url(protected)),
                   from_base64url(payload),
                   from_base64url(document["signature"]),
                   f"{protected}.{payload}".encode())

    @property
    def json(self):
        return json.loads(self.payload)

    def authentic(self, key):
        """By the key of an account binding, as base64url."""
        mac = hmac.digest(from_base64url(key), self.signed, "sha256")
        return hmac.compare_digest(mac, self.signature)

    def verifies(self, jwk):
        """By an EC key of a JWK; other keys are taken on trust."""
        if jwk["kty"] != "EC":
            return True
        _curve, size, digest = CURVES[jwk["crv"]]
        try:
            public_key(jwk).verify(
                utils.encode_dss_signature(
                    int.from_bytes(self.signature[:size], "big"),
                    int.from_bytes(self.signature[size:], "big")),
                self.signed, ec.ECDSA(digest()))
        except InvalidSignature:
            return False
        return len(self.signature) == 2 * size


# Of each: octets of a number of the signature, and its digest. (7518, 3.4)
CURVES = {"P-256": (ec.SECP256R1, 32, hashes.SHA256),
          "P-384": (ec.SECP384R1, 48, hashes.SHA384)}


def public_key(jwk):
    x, y = (int.from_bytes(from_base64url(jwk[name]), "big")
            for name in ("x", "y"))
    curve = CURVES[jwk["crv"]][0]
    return ec.EllipticCurvePublicNumbers(x, y, curve()).public_key()


class Reader:
    """Knows the nonces and the account keys of all requests before."""

    def __init__(self):
        self.nonces = set()
        self.keys = {}              # account URL: JWK

    def complaints(self, url, request):
        """What is wrong with a POST to this URL, as sentences."""
        try:
            jws = request.jws
        except (ValueError, KeyError, TypeError) as problem:
            return [f"{url}: no JWS: {problem!r}"]
        header = jws.protected
        wrong = {
            "content type":
                request.headers.get("Content-Type") != CONTENT_TYPE,
            "no User-Agent": not request.headers.get("User-Agent"),
            "members": set(json.loads(request.body)) != {
                "protected", "payload", "signature"},
            "url": header.get("url") != url,
            "nonce used twice": header.get("nonce") in self.nonces,
            "jwk and kid": ("jwk" in header) == ("kid" in header),
            "signed with a jwk":
                "jwk" in header and request.kind not in BY_KEY,
            "signature": not self._verifies(jws)}
        if request.status:          # else the CA may not have seen it
            self.nonces.add(header.get("nonce"))
        if request.status in (200, 201):
            self._learn(request, jws)
        return [f"{request.kind} {url}: {what}"
                for what, is_wrong in wrong.items() if is_wrong]

    def _verifies(self, jws):
        header = jws.protected
        jwk = header.get("jwk") or self.keys.get(header.get("kid"))
        return jwk is None or jws.verifies(jwk)

    def _learn(self, request, jws):
        """The key of an account: at its making, and when it changes."""
        if request.kind == "account" and "jwk" in jws.protected:
            self.keys[request.reply_headers.get("Location")] = \
                jws.protected["jwk"]
        if request.kind == "key-change":
            inner = Jws.read(jws.json)
            self.keys[inner.json["account"]] = inner.protected["jwk"]
