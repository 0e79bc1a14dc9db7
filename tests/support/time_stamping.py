"""A time stamp authority of our own: `openssl ts` with a root of its own, behind a loopback server.

python tests/support/time_stamping.py OUT NOTE    writes a token of a file, and the root
"""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256R1,
    EllipticCurvePrivateKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CONFIG = """
[tsa]
default_tsa = one
[one]
serial = {folder}/serial
default_policy = 1.2.3.4.1
digests = sha256
signer_digest = sha256
ess_cert_id_alg = sha256
"""


@dataclass
class Authority:
    """An authority with its key below a folder. `until`: when its certificates expire.

    `answers` are bytes that its server sends in place of tokens; `asked` the queries that came,
    `sent` what it answered. Tokens have its own certificate, and that of its root too if it
    `sends_root`: these two by turns in one order and in the other.
    """

    folder: Path
    name: str = "authority"
    until: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(days=1))
    answers: list[bytes] = field(default_factory=list)
    asked: list[bytes] = field(default_factory=list)
    status: int = 200
    sends_root: bool = False
    sent: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        root_key, key = (generate_private_key(SECP256R1()) for _ in range(2))
        root = self._certificate(f"{self.name} root", root_key, root_key, is_root=True)
        own = self._certificate(self.name, key, root_key)
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "key.pem").write_bytes(pem)
        (self.folder / "own.pem").write_bytes(own.public_bytes(Encoding.PEM))
        self.root.write_bytes(root.public_bytes(Encoding.PEM))
        (self.folder / "serial").write_text("01")
        (self.folder / "ts.conf").write_text(_CONFIG.format(folder=self.folder.absolute()))

    @property
    def root(self) -> Path:
        """The file of its root certificate."""
        return self.folder / "root.pem"

    def stamp(self, query: bytes) -> bytes:
        """The answer to a query."""
        (self.folder / "query.tsq").write_bytes(query)
        command = [
            "openssl", "ts", "-reply", "-config", "ts.conf", "-queryfile", "query.tsq",
            "-signer", "own.pem", "-inkey", "key.pem", "-out", "answer.tsr",
        ]  # fmt: skip
        command += ["-chain", "root.pem"] if self.sends_root else []
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)
        return (self.folder / "answer.tsr").read_bytes()

    def token_of(self, note: str) -> bytes:
        """A token of a note, without asking over the network."""
        from archiver.evidence.time_tokens import token_request

        return self.stamp(token_request(note).query)

    @contextmanager
    def served(self) -> Iterator[str]:
        """The address at which it answers while the block runs."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/tsr"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def _certificate(
        self,
        name: str,
        key: EllipticCurvePrivateKey,
        signer: EllipticCurvePrivateKey,
        is_root: bool = False,
    ) -> x509.Certificate:
        subject, issuer = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)])
            for each in (name, f"{self.name} root")
        )
        builder = (
            x509.CertificateBuilder(issuer, subject, key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.until - timedelta(days=9))
            .not_valid_after(self.until)
            .add_extension(x509.BasicConstraints(is_root, None), critical=True)
        )
        if not is_root:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
            builder = builder.add_extension(usage, critical=True)
        return builder.sign(signer, SHA256())


def swapped_certificates(token: bytes, authority: Authority) -> bytes:
    """A token of an authority that sends its root, with the two certificates changing places."""
    found = [
        x509.load_pem_x509_certificate((authority.folder / name).read_bytes())
        for name in ("own.pem", "root.pem")
    ]
    one, other = (each.public_bytes(Encoding.DER) for each in found)
    swapped = token.replace(one + other, other + one)
    return swapped if swapped != token else token.replace(other + one, one + other)


def _handler(authority: Authority) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            authority.asked.append(query)
            is_right = (self.path, self.headers["Content-Type"]) == (
                "/tsr", "application/timestamp-query",
            )  # fmt: skip
            status = authority.status if is_right else 400
            body = authority.answers.pop(0) if authority.answers else authority.stamp(query)
            if authority.sends_root and len(authority.sent) % 2:
                body = swapped_certificates(body, authority)
            authority.sent.append(body)
            self.send_response(status)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


if __name__ == "__main__":
    out, note = map(Path, sys.argv[1:])
    made = Authority(out, until=datetime.now(UTC) + timedelta(minutes=1))
    (out / "token.tsr").write_bytes(made.token_of(note.read_text("utf-8")))
