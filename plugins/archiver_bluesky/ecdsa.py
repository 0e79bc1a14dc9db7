"""Verifying ECDSA signatures over the two curves of the AT protocol (SEC 1, section 4.1.4).

Only public numbers are worked with, so nothing here has to take the same time for all of them.
See https://atproto.com/specs/cryptography for the form of signatures, and for why `s` must be low.
"""

import hashlib
from typing import NamedTuple

from archiver_bluesky.baddata import BadData

_Point = tuple[int, int, int]
"""A point (X, Y, Z) that stands for (X / Z², Y / Z³); Z is 0 for the point at infinity."""

_INFINITY: _Point = (0, 1, 0)
_SIZE = 32


class Curve(NamedTuple):
    """A curve y² = x³ + ax + b over the field of `p` elements, with a base point of order `n`."""

    name: str
    p: int
    a: int
    b: int
    n: int
    x: int
    y: int


K256 = Curve(  # secp256k1, SEC 2, section 2.4.1
    "k256",
    p=2**256 - 2**32 - 977,
    a=0,
    b=7,
    n=0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141,
    x=0x79BE667E_F9DCBBAC_55A06295_CE870B07_029BFCDB_2DCE28D9_59F2815B_16F81798,
    y=0x483ADA77_26A3C465_5DA4FBFC_0E1108A8_FD17B448_A6855419_9C47D08F_FB10D4B8,
)
P256 = Curve(  # secp256r1, SEC 2, section 2.4.2
    "p256",
    p=2**256 - 2**224 + 2**192 + 2**96 - 1,
    a=2**256 - 2**224 + 2**192 + 2**96 - 4,
    b=0x5AC635D8_AA3A93E7_B3EBBD55_769886BC_651D06B0_CC53B0F6_3BCE3C3E_27D2604B,
    n=0xFFFFFFFF_00000000_FFFFFFFF_FFFFFFFF_BCE6FAAD_A7179E84_F3B9CAC2_FC632551,
    x=0x6B17D1F2_E12C4247_F8BCE6E5_63A440F2_77037D81_2DEB33A0_F4A13945_D898C296,
    y=0x4FE342E2_FE1A7F9B_8EE7EB4A_7C0F9E16_2BCE3357_6B315ECE_CBB64068_37BF51F5,
)


class PublicKey(NamedTuple):
    """A point of a curve, other than the one at infinity."""

    curve: Curve
    x: int
    y: int

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature (r and s, 32 bytes each, s low) of a message is valid."""
        if len(signature) != 2 * _SIZE:
            return False
        n = self.curve.n
        r, s = int.from_bytes(signature[:_SIZE], "big"), int.from_bytes(signature[_SIZE:], "big")
        if not (1 <= r < n and 1 <= s <= n // 2):
            return False
        digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
        inverse = pow(s, -1, n)
        found = _sum_of_multiples(self, digest * inverse % n, r * inverse % n)
        return found is not None and found % n == r

    @property
    def compressed(self) -> bytes:
        """The key in 33 bytes (SEC 1, section 2.3.3)."""
        return bytes((2 + self.y % 2,)) + self.x.to_bytes(_SIZE, "big")


def public_key(curve: Curve, encoded: bytes) -> PublicKey:
    """A key from its 33 bytes, or its 65 uncompressed ones. Raises BadData."""
    p = curve.p
    x = int.from_bytes(encoded[1 : 1 + _SIZE], "big")
    square = (x**3 + curve.a * x + curve.b) % p
    if len(encoded) == 1 + _SIZE and encoded[0] in {2, 3}:
        y = pow(square, (p + 1) // 4, p)  # both fields have p = 3 (mod 4)
        y = y if y % 2 == encoded[0] % 2 else p - y
    elif len(encoded) == 1 + 2 * _SIZE and encoded[0] == 4:
        y = int.from_bytes(encoded[1 + _SIZE :], "big")
    else:
        raise BadData("A public key is not a point of a curve", "identity")
    if not (x < p and y < p and y * y % p == square):
        raise BadData("A public key is not a point of its curve", "identity")
    return PublicKey(curve, x, y)


def _sum_of_multiples(key: PublicKey, u: int, v: int) -> int | None:
    """The x of u · base + v · key; None at infinity. Both are doubled together, bit by bit."""
    curve = key.curve
    base, other = (curve.x, curve.y, 1), (key.x, key.y, 1)
    points = (None, base, other, _add(curve, base, other))
    total = _INFINITY
    for bit in range(max(u.bit_length(), v.bit_length()) - 1, -1, -1):
        total = _double(curve, total)
        if (point := points[(u >> bit & 1) + 2 * (v >> bit & 1)]) is not None:
            total = _add(curve, total, point)
    x, _, z = total
    return None if z == 0 else x * pow(z, -2, curve.p) % curve.p


def _double(curve: Curve, point: _Point) -> _Point:
    x, y, z = point
    p = curve.p
    if z == 0 or y == 0:
        return _INFINITY
    yy = y * y % p
    s = 4 * x * yy % p
    m = (3 * x * x + curve.a * pow(z, 4, p)) % p
    new_x = (m * m - 2 * s) % p
    return new_x, (m * (s - new_x) - 8 * yy * yy) % p, 2 * y * z % p


def _add(curve: Curve, one: _Point, two: _Point) -> _Point:
    if one[2] == 0:
        return two
    if two[2] == 0:
        return one
    p = curve.p
    x1, y1, z1 = one
    x2, y2, z2 = two
    z1z1, z2z2 = z1 * z1 % p, z2 * z2 % p
    u1, u2 = x1 * z2z2 % p, x2 * z1z1 % p
    s1, s2 = y1 * z2 * z2z2 % p, y2 * z1 * z1z1 % p
    if u1 == u2:
        return _double(curve, one) if s1 == s2 else _INFINITY
    h, r = (u2 - u1) % p, (s2 - s1) % p
    hh = h * h % p
    hhh, v = h * hh % p, u1 * hh % p
    x = (r * r - hhh - 2 * v) % p
    return x, (r * (v - x) - s1 * hhh) % p, h * z1 * z2 % p
