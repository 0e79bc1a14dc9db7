"""Puts the certificates of a time stamp authority's answer into the order that DER asks for.

They are a set, which DER sorts by its bytes. Not every authority does, and the library that reads
tokens refuses what is not sorted. No signature covers the set: each certificate has its own, and
whose token it is, the signature of the token says. So its order says nothing.
"""

_SEQUENCE, _SET, _OID, _INTEGER, _TAGGED_0 = 0x30, 0x31, 0x06, 0x02, 0xA0
_Element = tuple[int, int, int]
"""The tag of an element, where its content begins, and where it ends."""


def with_sorted_certificates(answer: bytes) -> bytes:
    """The answer (TimeStampResp, DER) with the certificates of its token sorted.

    What is built otherwise is returned as it is, for whoever reads it to refuse.
    """
    try:
        begin, end = _certificates(answer)
        found = _elements(answer, begin, end)
    except (LookupError, ValueError):
        return answer
    starts = [begin, *(end for _, _, end in found)]
    pieces = [answer[start:end] for start, (_, _, end) in zip(starts, found, strict=False)]
    return answer[:begin] + b"".join(sorted(pieces)) + answer[end:]


def _certificates(answer: bytes) -> tuple[int, int]:
    """Where the certificates begin and end: RFC 3161, section 2.4.2, and RFC 5652, section 5.1.

    Raises LookupError, ValueError.
    """
    _, begin, end = _elements(answer, 0, len(answer), (_SEQUENCE,))[0]
    _, begin, end = _elements(answer, begin, end, (_SEQUENCE, _SEQUENCE))[1]  # after the status
    _, begin, end = _elements(answer, begin, end, (_OID, _TAGGED_0))[1]
    _, begin, end = _elements(answer, begin, end, (_SEQUENCE,))[0]  # what is signed data
    order = (_INTEGER, _SET, _SEQUENCE, _TAGGED_0)
    _, begin, end = _elements(answer, begin, end, order)[3]
    return begin, end


def _elements(data: bytes, begin: int, end: int, tags: tuple[int, ...] = ()) -> list[_Element]:
    """The elements between two places, of which the first ones have these tags.

    Raises IndexError, ValueError.
    """
    found = []
    while begin < end:
        tag, length, start = data[begin], data[begin + 1], begin + 2
        if length & 0x80:
            start += length & 0x7F
            length = int.from_bytes(data[begin + 2 : start])
        if start + length > end or data[start - 1 : start] == b"\x80" or tag & 0x1F == 0x1F:
            raise ValueError("an element that is cut off, has no length, or a tag of several bytes")
        begin = start + length
        found.append((tag, start, begin))
    if tuple(tag for tag, _, _ in found[: len(tags)]) != tags:
        raise ValueError("other elements")
    return found
