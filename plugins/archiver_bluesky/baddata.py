"""The error for data that violates its specification."""


class BadData(ValueError):
    """Bytes or JSON that violate their specification, or whose hash or signature is wrong.

    The message is one sentence without a full stop. `code` is a short word for programs:
    `malformed`; `hash` (not the bytes that a CID names); `incomplete` (a block that the tree names
    is missing); `signature` (not signed by a key of the account); `identity` (the DID's document or
    log does not hold together); `stale` (older than what was seen before).
    """

    def __init__(self, message: str, code: str = "malformed") -> None:
        super().__init__(message)
        self.code = code
