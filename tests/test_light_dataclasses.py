"""Classes that are defined faster, beside those that the standard library makes of the same."""

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, InitVar, field
from itertools import product
from typing import Any, ClassVar

import pytest

from archiver import light_dataclasses, models


def _define(dataclass: Callable[..., Any], **how: bool) -> list[Any]:
    """One class of each kind, made by this decorator."""

    @dataclass(**how)
    class Empty:
        """No field."""

    @dataclass(**how)
    class One:
        """A single field."""

        value: float

    @dataclass(**how)
    class Many:
        """Fields of all kinds."""

        name: str
        secret: str = field(repr=False)
        items: list[int] = field(default_factory=list, hash=False)
        note: str | None = field(default=None, compare=False)
        made: dict[str, int] = field(default_factory=dict, init=False, compare=False)
        fixed: int = field(default=7, init=False)
        by_name: int = field(default=1, kw_only=True, metadata={"help": "after all others"})

    @dataclass(**how)
    class Own:  # noqa: PLW1641 — the decorator adds what it adds
        """Some methods of its own."""

        first: int
        second: int = field(init=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "second", self.first + 1)

        def __repr__(self) -> str:
            return f"<{self.first}>"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, Own) and abs(self.first) == abs(other.first)

    @dataclass(**how)
    class Hashed:
        """A hash of its own."""

        value: int

        def __hash__(self) -> int:
            return 5

    return [Empty, One, Many, Own, Hashed]


def _objects(classes: list[Any]) -> list[Any]:
    empty, one, many, own, hashed = classes
    nan = float("nan")
    return [
        empty(), one(1.0), one(1.0), one(nan), one(value=2.0),
        many("a", "b"), many("a", "b", note="c"), many("a", "b", [1], by_name=2),
        many(name="a", secret="c"), own(1), own(-1), own(2), hashed(1), hashed(2),
    ]  # fmt: skip


def _outcomes(classes: list[Any]) -> list[Any]:
    """What wrong calls and changes of objects end with."""
    empty, one, many, own, _ = classes
    thing = many("a", "b")
    calls: list[Callable[[], Any]] = [
        one, lambda: one(1, 2), lambda: empty(1), lambda: many("a", "b", [], None, 2),
        lambda: setattr(thing, "name", "c"), lambda: delattr(thing, "name"), lambda: thing.name,
        lambda: dataclasses.replace(own(3), first=4).second,
        lambda: dataclasses.replace(thing, fixed=1),
    ]  # fmt: skip
    return [_outcome(call) for call in calls]


def _outcome(function: Callable[[], Any]) -> Any:
    try:
        return function()
    except (TypeError, ValueError, AttributeError) as error:
        return type(error), str(error)


HOW = [
    dict(zip(("frozen", "slots", "eq"), values, strict=True))
    for values in product((False, True), repeat=3)
]


@pytest.fixture(params=HOW, ids=str)
def pair(request: pytest.FixtureRequest) -> tuple[list[Any], list[Any]]:
    """The same classes, by the standard library and by this program."""
    how = request.param
    return _define(dataclasses.dataclass, **how), _define(light_dataclasses.dataclass, **how)


def test_objects_look_the_same(pair: tuple[list[Any], list[Any]]) -> None:
    for theirs, ours in zip(*map(_objects, pair), strict=True):
        assert repr(ours).partition(" object at ")[0] == repr(theirs).partition(" object at ")[0]
        assert str(dataclasses.asdict(ours)) == str(dataclasses.asdict(theirs))


def test_objects_compare_and_hash_the_same(pair: tuple[list[Any], list[Any]]) -> None:
    (theirs, same), (ours, also_same) = [(_objects(part), _objects(part)) for part in pair]
    for one, other in product(range(len(ours)), repeat=2):
        assert (ours[one] == ours[other]) == (theirs[one] == theirs[other])
        assert (ours[one] == also_same[other]) == (theirs[one] == same[other])
        assert ours[one] != theirs[other]
    for mine, other, model, model_other in zip(ours, also_same, theirs, same, strict=True):
        has_hash = type(model).__hash__ is not None
        assert (type(mine).__hash__ is not None) == has_hash
        if has_hash and _is_by_value(type(mine)):
            assert (hash(mine) == hash(other)) == (hash(model) == hash(model_other))


def _is_by_value(cls: Any) -> bool:
    return bool(cls.__hash__ is not object.__hash__)


def test_classes_say_the_same_of_themselves(pair: tuple[list[Any], list[Any]]) -> None:
    for theirs, ours in zip(*pair, strict=True):
        assert inspect.signature(ours) == inspect.signature(theirs) or _shows_the_same(ours, theirs)
        assert [str(f) for f in dataclasses.fields(ours)] == [
            str(f) for f in dataclasses.fields(theirs)
        ]
        assert ours.__match_args__ == theirs.__match_args__
        assert str(ours.__dataclass_params__) == str(theirs.__dataclass_params__)
        assert getattr(ours, "__slots__", None) == getattr(theirs, "__slots__", None)
        assert ours.__init__.__annotations__.keys() == theirs.__init__.__annotations__.keys()
        assert ours.__doc__ == theirs.__doc__


def _shows_the_same(ours: Any, theirs: Any) -> bool:
    """Factories stand in a signature as an object of each decorator's own."""
    return str(inspect.signature(ours)) == str(inspect.signature(theirs))


def test_wrong_calls_and_changes_fail_the_same(pair: tuple[list[Any], list[Any]]) -> None:
    theirs, ours = map(_outcomes, pair)
    assert ours == theirs


def test_defaults_are_made_anew_for_each_object(pair: tuple[list[Any], list[Any]]) -> None:
    many = pair[1][2]
    one, other = many("a", "b"), many("a", "b")
    one.items.append(1)
    one.made["x"] = 1
    assert (other.items, other.made) == ([], {})


def test_what_is_not_supported_is_refused_when_the_class_is_defined() -> None:
    with pytest.raises(TypeError, match="ClassVar"):

        @light_dataclasses.dataclass
        class _Counted:
            count: ClassVar[int] = 0

    with pytest.raises(TypeError, match="InitVar"):

        @light_dataclasses.dataclass
        class _Given:
            given: InitVar[int]

    with pytest.raises(TypeError, match="frozen"):

        @light_dataclasses.dataclass(slots=True)
        class _Account(models.Account):  # type: ignore[misc]  # what is refused
            """A class that could be changed, of one that could not."""


def test_a_plugin_may_derive_a_class_from_one_of_ours() -> None:
    @dataclasses.dataclass(frozen=True, slots=True)
    class Wider(models.Identity):
        """With a field more."""

        bio: str = ""

    one = Wider("threads", "1", bio="b")
    assert (one.platform, one.bio) == ("threads", "b")
    assert one == Wider("threads", "1", bio="b")
    assert one != models.Identity("threads", "1")
    with pytest.raises(FrozenInstanceError, match="platform"):
        one.platform = "x"  # type: ignore[misc]  # what must not be possible


def test_what_is_no_field_cannot_be_set_either() -> None:
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'other'"):
        models.Proof(True, "").other = 1  # type: ignore[attr-defined]  # what must not be possible


@pytest.mark.parametrize(
    "made",
    [
        models.Identity("threads", "1", avatar=models.Rendition("original", "u")),
        models.Proof(True, "signed"),
    ],
    ids=["Identity", "Proof"],
)
def test_an_object_can_be_copied_and_pickled(made: models.Identity | models.Proof) -> None:
    for again in (copy.copy(made), copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert again == made
        assert again is not made
        assert hash(again) == hash(made)
