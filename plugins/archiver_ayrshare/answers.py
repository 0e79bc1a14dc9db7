"""Parses answers of the API: a page of records, an empty history, or an error with a hint.

An error comes in four shapes: flat, as a list under `errors`, inside the resource's own key
(`{"history": {"code": 221, …}}`), and in place of a single record. There is one when the status
is not 200 or the body's `status` is "error"; even then the body may carry good records. The codes
are those that the history endpoint may answer with; messages vary, and are only quoted.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from archiver import (
    AccessRefused,
    BadJson,
    Record,
    Response,
    SourceDown,
    SourceError,
    read_json,
    read_records,
    timestamp,
)
from archiver_ayrshare.values import flag_of, list_of, name_of, object_of, text_of

_EMPTY = "221"  # "History not found": the window holds nothing
_NOT_LINKED = {"156": "is not linked", "161": "has lost its link", "272": "has lost its link"}
_X_KEYS = "419"
_WRONG_KEY = "102"  # "API Key not valid", with status 401 or 403
_BAD = r"(?:not valid|invalid|not found|unknown|missing|required|wrong|incorrect|expired|revoked)"
_KEY = r"(api|profile)[ _-]?key"
_ABOUT_KEY = re.compile(
    rf"\b{_KEY}\b.{{0,40}}\b{_BAD}\b|\b{_BAD}\b.{{0,20}}\b{_KEY}\b", re.IGNORECASE
)
_ABOUT_X = re.compile(r"\b(?:x|twitter)\b", re.IGNORECASE)
_SUSPENDED = re.compile(r"\bsuspended\b", re.IGNORECASE)

API_KEY = "credentials"
PROFILE_KEY = "profile_key"
"""Codes of the errors by which a key is refused."""

_RELINK = "Link it (again) on the Social Accounts page of the Ayrshare dashboard, then run again"
X_KEYS_HINT = (
    "Set x_api_key and x_api_secret in the [ayrshare] table: the consumer keys of your own X app"
)


@dataclass(frozen=True, slots=True)
class HistoryAnswer:
    """A successful answer of the history endpoint.

    `count` includes posts that came as errors. `paged`: the answer has information about paging.
    `next` is its cursor; `more` says whether there are older posts, None where it does not say.
    """

    response: Response
    records: tuple[Record, ...] = ()
    count: int = 0
    paged: bool = False
    next: str | None = None
    more: bool | None = None
    partial: bool = False
    updated_at: str | None = None
    fresh_until: str | None = None
    notes: tuple[str, ...] = ()


def read_answer(response: Response, platform: str) -> HistoryAnswer:
    """The answer to a request for a platform's history.

    Raises SourceError or a subclass, also where a successful answer is not as documented.
    """
    envelope, records = _parse_envelope(response, platform)
    failures = [record.data for record in records if _is_failure(record.data)]
    healthy = tuple(record for record in records if not _is_failure(record.data))
    problems = _problems(envelope, platform)
    failed = response.status not in {200, 203} or envelope.get("status") == "error"
    if failed and not healthy:
        if _EMPTY in map(_code, problems):
            return HistoryAnswer(response)
        raise answer_error(response, [*problems, *failures])
    if not records and not _has_empty_list(response.body):
        raise SourceDown(
            "Ayrshare answered without a list of posts",
            why="That is not what its documentation says",
            hint="Try again later, and check base_url",
        )
    paging = object_of(object_of(envelope.get("meta")).get("pagination"))
    return HistoryAnswer(
        response,
        records=healthy,
        count=len(records),
        paged=bool(paging),
        next=name_of(paging.get("next")),
        more=flag_of(paging.get("hasMore")),
        partial=failed or bool(failures or problems) or envelope.get("status") == "partial",
        updated_at=timestamp(envelope.get("lastUpdated")),
        fresh_until=timestamp(envelope.get("nextUpdate")),
        notes=_notes(platform, failures, problems),
    )


def read_object(response: Response) -> dict[str, Any]:
    """The answer of an endpoint that gives one object.

    Raises SourceError or a subclass.
    """
    try:
        body = read_json(response.body)
    except BadJson as error:
        raise _no_json(response, error) from None
    found = object_of(body)
    if response.status not in {200, 203} or (found.get("status") == "error" and "code" in found):
        raise answer_error(response, _problems(found))
    return found


def answer_error(response: Response, problems: Iterable[Mapping[str, Any]]) -> SourceError:
    """The error for an answer: what it means, and what to do.

    It names no network, so that accounts for which it is the same can share it.
    """
    problems = list(problems)
    codes = [code for problem in problems if (code := _code(problem))]
    why = _quote_error(response.status, problems)
    for code in codes:
        if code in _NOT_LINKED:
            return AccessRefused(
                f"The account {_NOT_LINKED[code]}", why=why, hint=_RELINK, code="not_linked"
            )
    if response.status == 419 or _X_KEYS in codes:
        return AccessRefused(
            "X answers only with the API keys of an X app", why=why, hint=X_KEYS_HINT, code="x_keys"
        )
    if refused := _refused_key(response.status, problems):
        return _key_refusal(refused, why)
    if response.status in {402, 403}:
        return _plan_refusal(problems, why)
    if response.status >= 500:
        return SourceDown("Ayrshare failed", why=why, hint="Try again later")
    return SourceError(
        "Ayrshare refused the request",
        why=why,
        hint="If the message does not help, look the code up in Ayrshare's list of errors",
        code=codes[0] if codes else None,
    )


def _refused_key(status: int, problems: Iterable[Mapping[str, Any]]) -> str | None:
    """Which key an answer refuses, if any: the status alone does not tell it from a small plan."""
    if not 400 <= status < 500:
        return None
    for problem in problems:
        message = text_of(problem.get("message")) or ""
        match = None if _ABOUT_X.search(message) else _ABOUT_KEY.search(message)
        if match is not None:
            return PROFILE_KEY if "profile" in match[0].lower() else API_KEY
        if _code(problem) == _WRONG_KEY:
            return API_KEY
    return API_KEY if status == 401 else None


def _key_refusal(code: str, why: str) -> AccessRefused:
    if code == PROFILE_KEY:
        return AccessRefused(
            "Ayrshare does not accept the profile key",
            why=why,
            hint="Compare it with the profile's key in the Ayrshare dashboard, under User Profiles",
            code=code,
        )
    return AccessRefused(
        "Ayrshare does not accept the API key",
        why=why,
        hint="Compare it with the key in the Ayrshare dashboard, under API Key",
        code=code,
    )


def _plan_refusal(problems: Iterable[Mapping[str, Any]], why: str) -> AccessRefused:
    """The error for a valid key whose plan or profile does not allow the request."""
    if any(_SUSPENDED.search(text_of(problem.get("message")) or "") for problem in problems):
        what = "Ayrshare has suspended this profile"
    else:
        what = "Your Ayrshare plan does not include the history API, or the profile is suspended"
    hint = "Check the plan and the profile in the Ayrshare dashboard"
    return AccessRefused(what, why=why, hint=hint, code="plan")


def _parse_envelope(response: Response, platform: str) -> tuple[dict[str, Any], tuple[Record, ...]]:
    """The answer without its list of posts, and the records of that list, under whatever key."""
    body = response.body
    if body.lstrip()[:1] == b"[":
        body = b'{"posts":' + body + b"}"  # old answers were a bare list
    try:
        envelope, records = read_records(body, "posts")
        for key in ("history", platform):
            if not records and isinstance(envelope.get(key), list):
                envelope, records = read_records(body, key)
    except BadJson as error:
        raise _no_json(response, error) from None
    return envelope, records


def _has_empty_list(body: bytes) -> bool:
    """Whether an answer without records holds an empty list."""
    try:
        found = read_json(body)
    except BadJson:
        return False
    return isinstance(found, list) or any(
        isinstance(value, list) and not value for value in object_of(found).values()
    )


def _no_json(response: Response, error: BadJson) -> SourceError:
    """The error for a body that is not JSON: AccessRefused by its status, else SourceDown."""
    if response.status in {401, 402, 403, 419}:
        return answer_error(response, ())
    return SourceDown(
        "Ayrshare answered with something that is not JSON",
        why=f"The status was {response.status}, and the body: {error}",
        hint="Try again later. If it stays so, check base_url, and whether a proxy answers instead",
    )


def _is_failure(data: object) -> bool:
    """Whether an element of `posts` is an error in place of a post.

    A LinkedIn post has a `status` of its own, so the status alone is not enough.
    """
    if not isinstance(data, dict):
        return False
    signs = (data.get("status") == "error") + ("code" in data) + ("action" in data)
    return signs >= 2


def _problems(envelope: Mapping[str, Any], platform: str = "") -> list[dict[str, Any]]:
    """The error objects in an answer, in any documented shape."""
    candidates = [envelope, *(envelope.get(key) for key in ("history", "posts", platform, "error"))]
    candidates += list_of(envelope.get("errors"))
    return [
        candidate
        for candidate in candidates
        if isinstance(candidate, dict) and _is_problem(candidate)
    ]


def _is_problem(candidate: Mapping[str, Any]) -> bool:
    status = candidate.get("status")
    return status == "error" or ("code" in candidate and status not in {"success", "partial"})


def _code(problem: Mapping[str, Any]) -> str:
    code = problem.get("code")
    if isinstance(code, bool) or not isinstance(code, int | str):
        return ""
    return str(code)[:40]


def _quote_error(status: int, problems: list[Mapping[str, Any]]) -> str:
    """The status, and the code and message of the first error that has one."""
    text = f"It answered {status}"
    for problem in problems:
        code, message = _code(problem), text_of(problem.get("message"))
        if code or message:
            text += f" with code {code}" if code else ""
            return text + (f': "{message[:300]}"' if message else "")
    return text


def _notes(
    platform: str, failures: list[dict[str, Any]], problems: list[dict[str, Any]]
) -> tuple[str, ...]:
    notes = []
    if failures:
        posts = "1 post" if len(failures) == 1 else f"{len(failures)} posts"
        why = _quote_error(200, [*failures]).removeprefix("It answered 200").strip(" :")
        notes.append(
            f"Ayrshare could not read {posts} of {platform}" + (f" ({why})" if why else "")
        )
    elif problems:
        why = _quote_error(200, [*problems]).removeprefix("It answered 200").strip(" :")
        notes.append(f"Ayrshare says that its answer for {platform} is incomplete ({why})")
    return tuple(notes)
