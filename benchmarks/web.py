"""Files to fetch, and nginx to fetch them from: plain, with latency, over TLS; loopback only."""

import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO

from PIL import Image

from benchmarks.environment import HOME, MODULES, NGINX, run

CERTIFICATE = HOME / "tls.pem"
CORPORA = {"small": (2_000, 60_000), "medium": (300, 1_000_000), "large": (8, 100_000_000)}
"""Number of files and their mean size in bytes."""

_NGINX = """
load_module {modules}/ngx_http_echo_module.so;
daemon off; worker_processes 1; pid {home}/nginx.pid; error_log {home}/error.log crit;
events {{ worker_connections 1024; }}
http {{
    access_log off; sendfile on; tcp_nopush on; tcp_nodelay on;
    keepalive_requests 1000000; keepalive_timeout 300s; default_type image/jpeg;
    client_body_temp_path {home}/t1; proxy_temp_path {home}/t2; fastcgi_temp_path {home}/t3;
    uwsgi_temp_path {home}/t4; scgi_temp_path {home}/t5;
    root {www};
    server {{ listen 127.0.0.1:{plain}; location / {{ }} }}
    server {{
        listen 127.0.0.1:{slow};
        location / {{ echo_sleep 0.03; echo_exec @file; }}
        location @file {{ }}
    }}
    server {{
        listen 127.0.0.1:{tls} ssl;
        ssl_certificate {certificate}; ssl_certificate_key {certificate};
    }}
}}
"""


@dataclass(frozen=True)
class Web:
    """Where the server listens."""

    plain: int
    slow: int
    tls: int

    def urls(self, corpus: str, way: str = "plain") -> list[str]:
        """All files of a corpus: `plain`, 30 ms late (`slow`), or over `tls`."""
        scheme = "https" if way == "tls" else "http"
        base = f"{scheme}://127.0.0.1:{getattr(self, way)}"
        count, _ = CORPORA[corpus]
        return [f"{base}/{corpus}/{number:05d}.{_extension(corpus)}" for number in range(count)]


@contextmanager
def web() -> Iterator[Web]:
    """The server, until the block is left; files and certificate are made where missing."""
    for name in CORPORA:
        _make_corpus(name)
    if not CERTIFICATE.exists():
        _make_certificate()
    ports = Web(*_free_ports(3))
    home = HOME / "run"
    home.mkdir(exist_ok=True)
    config = home / "nginx.conf"
    config.write_text(
        _NGINX.format(
            modules=MODULES, home=home, www=HOME / "www", certificate=CERTIFICATE,
            plain=ports.plain, slow=ports.slow, tls=ports.tls,
        )
    )  # fmt: skip
    server = subprocess.Popen([NGINX, "-p", home, "-c", config])
    try:
        _wait_for(ports.plain, server)
        yield ports
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


def _make_corpus(name: str) -> None:
    folder = HOME / "www" / name
    count, mean = CORPORA[name]
    if folder.is_dir() and len(list(folder.iterdir())) == count:
        return
    folder.mkdir(parents=True, exist_ok=True)
    chance = random.Random(name)
    for number in range(count):
        size = mean if name == "large" else int(mean * (0.4 + 1.2 * chance.random()))
        head = _mp4_head() if name == "large" else _jpeg_head()
        tail = b"\xff\xd9" if name != "large" else b""
        body = chance.randbytes(min(size, 1 << 20)) * (size // (1 << 20) + 1)
        data = head + body[: size - len(head) - len(tail)] + tail
        (folder / f"{number:05d}.{_extension(name)}").write_bytes(data)


def _extension(corpus: str) -> str:
    return "mp4" if corpus == "large" else "jpg"


def _jpeg_head() -> bytes:
    out = BytesIO()
    Image.new("RGB", (1080, 1350)).save(out, "JPEG")
    return out.getvalue()[:620]


def _mp4_head() -> bytes:
    ftyp = b"\0\0\0\x18ftypisom\0\0\2\0isommp42"
    mvhd = b"\0\0\0\x6cmvhd" + bytes(12) + (1000).to_bytes(4, "big") + (5000).to_bytes(4, "big")
    mvhd = mvhd.ljust(0x6C, b"\0")
    return ftyp + (len(mvhd) + 8).to_bytes(4, "big") + b"moov" + mvhd + b"\0\0\0\0mdat"


def _make_certificate() -> None:
    run(
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
        "-nodes", "-days", "3650", "-subj", "/CN=127.0.0.1",
        "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", HOME / "key.pem",
        "-out", HOME / "cert.pem",
    )  # fmt: skip
    both = (HOME / "cert.pem").read_text() + (HOME / "key.pem").read_text()
    CERTIFICATE.touch(0o600)
    CERTIFICATE.write_text(both)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [found.getsockname()[1] for found in sockets]
    for found in sockets:
        found.close()
    return ports


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    while True:
        if server.poll() is not None:
            raise SystemExit("nginx did not start; see .bench/run/error.log")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            time.sleep(0.02)
        else:
            return
