"""A DNS server on loopback, over UDP and TCP.

with dns_server({"_atproto.alice.org": ["did=did:plc:…"]}) as server:
    await server.resolver().resolve("_atproto.alice.org.", "TXT")
"""

import socketserver
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from dns.asyncresolver import Resolver

Zone = Mapping[str, Sequence[str] | str | dns.rcode.Rcode | Callable[[], bytes | None]]
"""By name: texts of TXT records, the target of a CNAME, an error, or a function that gives the
bytes of an answer after its id, None for no answer. An absent name does not exist."""


@dataclass
class DnsServer:
    """The server. `asked` are the names, in the order of the requests, with how each came."""

    zone: Zone
    port: int = 0
    asked: list[tuple[str, str]] = field(default_factory=list)

    def resolver(self) -> Resolver:
        """A resolver that asks this server and no other."""
        made = Resolver(configure=False)
        made.nameservers = ["127.0.0.1"]
        made.port = self.port
        return made

    def answer(self, data: bytes, way: str) -> bytes | None:
        """The answer to a request; None for none."""
        request = dns.message.from_wire(data)
        asked = request.question[0].name
        name = asked.to_text(omit_final_dot=True)
        self.asked.append((name, way))
        found = self.zone.get(name, dns.rcode.NXDOMAIN)
        if callable(found):
            after_id = found()
            return None if after_id is None else data[:2] + after_id
        response = dns.message.make_response(request)
        response.flags |= dns.flags.RA
        if isinstance(found, dns.rcode.Rcode):
            response.set_rcode(found)
        elif isinstance(found, str):
            response.answer.append(dns.rrset.from_text(asked, 60, "IN", "CNAME", f"{found}."))
            texts = self.zone[found]
            assert isinstance(texts, Sequence)
            response.answer.append(dns.rrset.from_text(f"{found}.", 60, "IN", "TXT", *texts))
        elif found:
            response.answer.append(dns.rrset.from_text(asked, 60, "IN", "TXT", *found))
        wire = response.to_wire(max_size=65535)
        if way == "udp" and len(wire) > 512:
            response.answer.clear()
            response.flags |= dns.flags.TC
            wire = response.to_wire()
        return wire


@contextmanager
def dns_server(zone: Zone) -> Iterator[DnsServer]:
    """A server while the block lasts."""
    found = DnsServer(zone)

    class OverUdp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, sock = self.request
            if (answer := found.answer(data, "udp")) is not None:
                sock.sendto(answer, self.client_address)

    class OverTcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            (length,) = struct.unpack("!H", self.rfile.read(2))
            if (answer := found.answer(self.rfile.read(length), "tcp")) is not None:
                self.wfile.write(struct.pack("!H", len(answer)) + answer)

    with _on_one_port(OverUdp, OverTcp) as servers:
        found.port = servers[0].server_address[1]
        threads = [
            threading.Thread(target=server.serve_forever, args=(0.01,)) for server in servers
        ]
        for thread in threads:
            thread.start()
        try:
            yield found
        finally:
            for server in servers:
                server.shutdown()
            for thread in threads:
                thread.join()


@contextmanager
def _on_one_port(
    over_udp: type[socketserver.BaseRequestHandler], over_tcp: type[socketserver.BaseRequestHandler]
) -> Iterator[tuple[socketserver.UDPServer, socketserver.TCPServer]]:
    """Servers of both kinds on a port that is free for both."""
    while True:
        with _Tcp(("127.0.0.1", 0), over_tcp) as tcp:
            try:
                udp = socketserver.UDPServer(("127.0.0.1", tcp.server_address[1]), over_udp)
            except OSError:
                continue
            with udp:
                yield udp, tcp
            return


class _Tcp(socketserver.TCPServer):
    allow_reuse_address = True
