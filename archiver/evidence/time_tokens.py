"""Tokens of time stamp authorities (RFC 3161): how one is asked for, and whether it holds.

A token is the whole answer of the authority, with its certificates. It is of the bytes of a
checkpoint's note, as `openssl ts -verify -data` checks it.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from archiver.errors import ConfigError
from archiver.evidence.token_order import with_sorted_certificates
from archiver.net.proxy import Route

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client import TimeStampResponse

NOT_INSTALLED = (
    'Time stamps are not asked for: pip install "social-archiver[evidence]" installs what that '
    "needs"
)
_LONGEST_CHAIN = 8

Problem = Literal["broken_token", "foreign_authority", "misplaced_token"]


class InvalidToken(Exception):
    """A token that does not hold: which kind of problem it has, and the reason in plain words."""

    def __init__(self, problem: Problem, why: str) -> None:
        super().__init__(why)
        self.problem: Problem = problem


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """What an authority is asked: the query (DER), and the number that its answer must repeat."""

    query: bytes
    nonce: int | None


@dataclass(frozen=True, slots=True)
class CheckedToken:
    """A token that holds: the time that it says, and its certificates in PEM, the root last."""

    stamped_at: datetime
    chain: str


def can_check_tokens() -> bool:
    """Whether the extra `evidence` is installed."""
    try:
        import rfc3161_client  # noqa: F401, PLC0415 — an extra
    except ImportError:
        return False
    return True


def token_request(note: str) -> TokenRequest:
    """The request for a token of a note. The authority learns nothing but its SHA-256."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder  # noqa: PLC0415 — an extra

    builder = TimestampRequestBuilder().data(note.encode()).hash_algorithm(HashAlgorithm.SHA256)
    request = builder.build()
    return TokenRequest(request.as_bytes(), request.nonce)


def trusted_roots(file: Path | None, route: Route) -> "list[Certificate]":
    """The root certificates in a PEM file; without one, those that connections trust.

    Raises ConfigError where the file has none.
    """
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415 — an extra

    if file is None:
        return list(_readable(route.tls_authorities()))
    try:
        return load_pem_x509_certificates(file.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"evidence.timestamp_roots: {file} cannot be used",
            why=error.strerror if isinstance(error, OSError) else "It holds no certificates in PEM",
            hint="Name a file of certificates that begin with -----BEGIN CERTIFICATE-----",
        ) from None


def _readable(certificates: "Sequence[bytes]") -> "Iterator[Certificate]":
    """Those of the certificates (DER) that the library reads, and will: it refuses odd ones."""
    from cryptography.utils import CryptographyDeprecationWarning  # noqa: PLC0415 — an extra
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 — as above

    with warnings.catch_warnings():
        warnings.simplefilter("error", CryptographyDeprecationWarning)
        for data in certificates:
            with suppress(ValueError, CryptographyDeprecationWarning):
                yield load_der_x509_certificate(data)


def check_token(
    token: bytes, note: str, roots: "Sequence[Certificate]", nonce: int | None = None
) -> CheckedToken:
    """Check that an authority below one of the roots has stamped a note.

    Certificates count as they were at the time that the token says: they may have expired since.
    With a `nonce`, the token must repeat it. Raises InvalidToken.
    """
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 — an extra
    from cryptography.x509 import InvalidVersion  # noqa: PLC0415 — as above
    from rfc3161_client import (  # noqa: PLC0415 — as above
        VerificationError,
        VerifierBuilder,
        decode_timestamp_response,
    )

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd certificates, which are judged here
            answer = decode_timestamp_response(with_sorted_certificates(token))
            chain = _chain(answer, roots)
        stamped_at = answer.tst_info.gen_time
        stamped = answer.tst_info.message_imprint.message
    except (ValueError, LookupError, InvalidVersion) as error:  # of kinds of text, of versions
        raise InvalidToken("broken_token", "it cannot be read") from error
    if chain is None:
        raise InvalidToken("foreign_authority", "its authority is below no trusted root")
    # the root alone: whatever the library is given besides, it trusts as if it were a root
    builder = VerifierBuilder(nonce=nonce).add_root_certificate(chain[-1])
    verifier = builder.build()
    try:
        verifier.verify(answer, stamped)
    except (VerificationError, ValueError) as error:
        why = "its signature does not hold, or its certificates did not at the time that it says"
        raise InvalidToken("broken_token", why) from error
    try:
        verifier.verify_message(answer, note.encode())
    except VerificationError as error:
        raise InvalidToken("misplaced_token", "it is of something else") from error
    pem = "".join(each.public_bytes(Encoding.PEM).decode() for each in chain)
    return CheckedToken(stamped_at, pem)


def _chain(
    answer: "TimeStampResponse", roots: "Sequence[Certificate]"
) -> "list[Certificate] | None":
    """The signer's certificate, those above it, and a root; None where it is below none of them.

    Raises ValueError where there is no signer, or what is there cannot be read.
    """
    from cryptography.x509 import load_der_x509_certificate  # noqa: PLC0415 — an extra

    data = answer.signed_data
    known = [load_der_x509_certificate(each) for each in sorted(data.certificates)]
    signers = [(each.issuer, each.serial_number) for each in data.signer_infos]
    own = [each for each in known if (each.issuer, each.serial_number) in signers]
    if len(signers) != 1 or not own:
        raise ValueError("no single signer")
    chain = own[:1]
    while len(chain) < _LONGEST_CHAIN:
        if (root := _issuer(chain[-1], roots)) is not None:
            return chain if chain[-1] == root else [*chain, root]
        above = _issuer(chain[-1], [each for each in known if each not in chain])
        if above is None:
            return None
        chain.append(above)
    return None


def _issuer(certificate: "Certificate", among: "Sequence[Certificate]") -> "Certificate | None":
    """That of some certificates by whose key another one is signed."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 — an extra

    for each in among:
        if each.subject != certificate.issuer:
            continue
        try:
            certificate.verify_directly_issued_by(each)
        except (InvalidSignature, TypeError, ValueError):
            continue
        return each
    return None
