"""Keys that sign, for tests: the counterpart of `archiver_bluesky.ecdsa`, written apart from it."""

import hashlib
from dataclasses import dataclass

from archiver_bluesky.ecdsa import K256, Curve, PublicKey
from archiver_bluesky.keys import did_key

_Affine = tuple[int, int] | None


@dataclass(frozen=True)
class SigningKey:
    """A private key; the same `seed` always gives the same one."""

    seed: str
    curve: Curve = K256

    @property
    def secret(self) -> int:
        """The private number."""
        return int.from_bytes(hashlib.sha256(self.seed.encode()).digest(), "big") % self.curve.n

    @property
    def public(self) -> PublicKey:
        """The key that others have."""
        point = _multiple(self.curve, self.secret)
        assert point is not None
        return PublicKey(self.curve, *point)

    @property
    def did(self) -> str:
        """The public key as a did:key."""
        return did_key(self.public)

    def sign(self, message: bytes, *, high_s: bool = False) -> bytes:
        """A signature of a message, with the `s` that is allowed or the one that is not."""
        n = self.curve.n
        digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
        nonce = int.from_bytes(hashlib.sha256(self.seed.encode() + message).digest(), "big") % n
        point = _multiple(self.curve, nonce)
        assert point is not None
        r = point[0] % n
        s = pow(nonce, -1, n) * (digest + r * self.secret) % n
        if (s > n // 2) != high_s:
            s = n - s
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def _multiple(curve: Curve, factor: int) -> _Affine:
    total: _Affine = None
    addend: _Affine = (curve.x, curve.y)
    while factor:
        if factor & 1:
            total = _add(curve, total, addend)
        addend = _add(curve, addend, addend)
        factor >>= 1
    return total


def _add(curve: Curve, one: _Affine, two: _Affine) -> _Affine:
    if one is None or two is None:
        return one or two
    p = curve.p
    if one[0] == two[0] and (one[1] + two[1]) % p == 0:
        return None
    if one == two:
        slope = (3 * one[0] ** 2 + curve.a) * pow(2 * one[1], -1, p) % p
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, p) % p
    x = (slope**2 - one[0] - two[0]) % p
    return x, (slope * (one[0] - x) - one[1]) % p
