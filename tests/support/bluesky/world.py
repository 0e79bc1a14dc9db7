"""A small AT network for tests: a directory of DIDs, an AppView, and two servers of accounts.

    network = AtNetwork()
    alice = network.account("alice.example")
    alice.post("Hello")

It is one ASGI application; `/plc`, `/appview`, `/pds-0` and `/pds-1` are its parts.
"""

import base64
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, unquote

from archiver import write_json
from archiver.apis import AsgiReceive, AsgiScope, AsgiSend
from archiver_bluesky.car import write_car
from archiver_bluesky.cid import Cid, cid_of_block, cid_of_file
from archiver_bluesky.dag_cbor import encode
from support.bluesky.signing import SigningKey
from support.bluesky.trees import Blocks, add_block, add_commit, build_tree

_ALPHABET = "234567abcdefghijklmnopqrstuvwxyz"


def tid(number: int) -> str:
    """The TID of microseconds since 1970, times 1024."""
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(60, -1, -5))


def blob(data: bytes, content_type: str) -> dict[str, Any]:
    """A blob as records name it."""
    return {
        "$type": "blob", "ref": cid_of_file(data), "mimeType": content_type, "size": len(data),
    }  # fmt: skip


@dataclass
class AtAccount:
    """An account: its records by key, its files, and its signed state."""

    network: "AtNetwork"
    did: str
    handle: str
    key: SigningKey
    server: int
    records: dict[str, Any] = field(default_factory=dict)
    files: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    state: str = "active"
    rev: str = ""

    def post(self, text: str, **fields: Any) -> str:
        """Publish a post; the result is its URI."""
        return self.put("app.bsky.feed.post", None, text=text, langs=["en"], **fields)

    def put(self, collection: str, rkey: str | None, **fields: Any) -> str:
        """Write a record, over what has its key."""
        rkey = rkey or self.network.next_tid()
        created = {"createdAt": self.network.now().isoformat(timespec="milliseconds")}
        self.records[f"{collection}/{rkey}"] = {"$type": collection, **created, **fields}
        self.rev = self.network.next_tid()
        return f"at://{self.did}/{collection}/{rkey}"

    def delete(self, uri: str) -> None:
        """Take a record back."""
        del self.records[uri.removeprefix(f"at://{self.did}/")]
        self.rev = self.network.next_tid()

    def upload(self, data: bytes, content_type: str) -> dict[str, Any]:
        """A file, to be named in a record."""
        self.files[str(cid_of_file(data))] = (data, content_type)
        return blob(data, content_type)

    def repository(self) -> tuple[Cid, Blocks]:
        """The commit and all blocks of the account as it is now."""
        blocks: Blocks = {}
        entries = {key: add_block(blocks, value) for key, value in self.records.items()}
        tree = build_tree(entries, blocks)
        return add_commit(blocks, self.key, did=self.did, data=tree, rev=self.rev), blocks


Tamper = Callable[[str, bytes], bytes]
"""Changes an answer on its way out: of a path, the body."""


Answer = tuple[int, str, bytes]
"""A status, a content type and a body."""


class AtNetwork:
    """The whole network; see the module. `requests` are the paths that were asked, with queries."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.now = now
        self.base_url = ""
        self.accounts: dict[str, AtAccount] = {}
        self.logs: dict[str, list[dict[str, Any]]] = {}
        self.counts: dict[str, dict[str, int]] = {}
        self.down: set[str] = set()
        self.requests: list[str] = []
        self.tamper: Tamper = lambda _path, body: body
        self.rotation = SigningKey("rotation")
        self._last_tid = 0

    def account(self, handle: str, server: int = 0, key: SigningKey | None = None) -> AtAccount:
        """A new account."""
        key = key or SigningKey(handle)
        operation = self._operation(key, handle, server, None)
        hashed = hashlib.sha256(encode(operation)).digest()
        did = f"did:plc:{base64.b32encode(hashed).decode().lower()[:24]}"
        self._log(did, operation)
        made = AtAccount(self, did, handle, key, server, rev=self.next_tid())
        self.accounts[did] = made
        return made

    def server_url(self, server: int) -> str:
        """The address of a server."""
        return f"{self.base_url}/pds-{server}"

    def next_tid(self) -> str:
        """A TID that is later than all before."""
        now = int(self.now().timestamp() * 1_000_000) << 10
        self._last_tid = max(self._last_tid + 1, now)
        return tid(self._last_tid)

    def update(self, account: AtAccount) -> None:
        """Write into the directory what the account's key, handle and server are now."""
        last = self.logs[account.did][-1]["operation"]
        previous = str(cid_of_block(encode(last)))
        operation = self._operation(account.key, account.handle, account.server, previous)
        self._log(account.did, operation)

    def give_up(self, account: AtAccount) -> None:
        """End an identity, and with it its account."""
        last = self.logs[account.did][-1]["operation"]
        end = {"type": "plc_tombstone", "prev": str(cid_of_block(encode(last)))}
        self._log(account.did, self._signed(end))
        account.state = "deleted"

    def _signed(self, operation: dict[str, Any]) -> dict[str, Any]:
        signature = base64.urlsafe_b64encode(self.rotation.sign(encode(operation)))
        return {**operation, "sig": signature.decode().rstrip("=")}

    def _operation(
        self, key: SigningKey, handle: str, server: int, previous: str | None
    ) -> dict[str, Any]:
        operation = {
            "type": "plc_operation",
            "rotationKeys": [self.rotation.did],
            "verificationMethods": {"atproto": key.did},
            "alsoKnownAs": [f"at://{handle}"],
            "services": {
                "atproto_pds": {
                    "type": "AtprotoPersonalDataServer", "endpoint": self.server_url(server),
                }
            },
            "prev": previous,
        }  # fmt: skip
        return self._signed(operation)

    def _log(self, did: str, operation: dict[str, Any]) -> None:
        self.logs.setdefault(did, []).append(
            {
                "did": did,
                "operation": operation,
                "cid": str(cid_of_block(encode(operation))),
                "nullified": False,
                "createdAt": self.now().astimezone(UTC).isoformat(timespec="milliseconds"),
            }
        )

    # What is asked of it

    async def __call__(self, scope: AsgiScope, receive: AsgiReceive, send: AsgiSend) -> None:
        """Answer one request."""
        query = unquote(scope["query_string"].decode())
        path: str = scope["path"]
        self.requests.append(f"{path}?{query}" if query else path)
        status, content_type, body = self.answer(path, parse_qsl(query))
        body = self.tamper(path, body)
        headers = [(b"content-type", content_type.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def answer(self, path: str, query: Sequence[tuple[str, str]]) -> Answer:
        """The answer to one request, before it is tampered with."""
        part, _, rest = path.removeprefix("/").partition("/")
        name = rest.removeprefix("xrpc/")
        if part in self.down:
            return _json(503, {"error": "down"})
        if part == "plc":
            return self._directory(rest)
        if part == "appview":
            return self._appview(name, query)
        if part.startswith("pds-"):
            return self._server(int(part[-1]), name.removeprefix("com.atproto.sync."), dict(query))
        return _error(404, "NotFound")

    def _appview(self, name: str, query: Sequence[tuple[str, str]]) -> Answer:
        if name == "app.bsky.feed.getPosts":
            uris = [value for key, value in query if key == "uris"]
            assert len(uris) <= 25
            found = [{"uri": uri, **self.counts[uri]} for uri in uris if uri in self.counts]
            return _json(200, {"posts": found})
        handle = dict(query)["handle"]
        named = [account for account in self.accounts.values() if account.handle == handle]
        return _json(200, {"did": named[0].did}) if named else _error(400, "HandleNotFound")

    def _directory(self, path: str) -> Answer:
        did, _, rest = path.partition("/")
        if did not in self.logs:
            return _json(404, {"message": f"DID not registered: {did}"})
        if rest == "log/audit":
            return _json(200, self.logs[did])
        said = self.logs[did][-1]["operation"]
        if said["type"] == "plc_tombstone":
            return _json(410, {"message": "DID not available"})
        key = said["verificationMethods"]["atproto"].removeprefix("did:key:")
        document = {
            "id": did,
            "alsoKnownAs": said["alsoKnownAs"],
            "verificationMethod": [
                {"id": f"{did}#atproto", "type": "Multikey", "controller": did,
                 "publicKeyMultibase": key}
            ],
            "service": [
                {"id": "#atproto_pds", "type": "AtprotoPersonalDataServer",
                 "serviceEndpoint": said["services"]["atproto_pds"]["endpoint"]}
            ],
        }  # fmt: skip
        return _json(200, document)

    def _server(self, server: int, name: str, asked: Mapping[str, str]) -> Answer:
        account = self.accounts.get(asked["did"])
        if account is None or account.server != server:
            return _error(400, "RepoNotFound")
        is_active = account.state == "active"
        if name == "getRepoStatus":
            status = {} if is_active else {"status": account.state}
            return _json(200, {"did": account.did, "active": is_active, **status})
        if not is_active:
            return _error(400, f"Repo{account.state.capitalize()}")
        if name == "getBlob":
            return _file(account.files.get(asked["cid"]))
        root, blocks = account.repository()
        if name == "getLatestCommit":
            return _json(200, {"cid": str(root), "rev": account.rev})
        return 200, "application/vnd.ipld.car", write_car(root, blocks.items())


def _file(found: tuple[bytes, str] | None) -> Answer:
    return _error(400, "BlobNotFound") if found is None else (200, found[1], found[0])


def _json(status: int, value: Any) -> Answer:
    return status, "application/json", write_json(value).encode()


def _error(status: int, error: str) -> Answer:
    return _json(status, {"error": error, "message": "no"})
