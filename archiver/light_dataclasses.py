"""`dataclass` as that of the standard library, which takes five times as long to define a class.

That compiles up to six functions for each class. Here only `__init__` is compiled, which is called
for every object; all other methods are closures over the names of the fields. What is made is a
dataclass to `fields`, `replace`, `asdict`, `is_dataclass` and to type checkers.
"""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, FrozenInstanceError
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Final


class _DefaultFactory:
    """Stands in a signature for what a factory makes anew for each object."""

    def __repr__(self) -> str:
        return "<factory>"


_FACTORY: Final = _DefaultFactory()


def _dataclass(
    cls: type | None = None, /, *, frozen: bool = False, slots: bool = False, eq: bool = True
) -> Any:
    """See `dataclasses.dataclass`.

    Raises TypeError for what is not supported: ClassVar and InitVar, and frozen base classes.
    """

    def make(cls: type) -> Any:
        made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots)(cls)
        fields = dataclasses.fields(made)
        if len(fields) < len(made.__dataclass_fields__):
            raise TypeError(f"{cls.__qualname__} has a ClassVar or an InitVar")
        said = made.__dataclass_params__
        said.init = said.repr = True
        said.eq, said.frozen = eq, frozen

        own = vars(made)
        methods: dict[str, Any] = {
            "__init__": _init(made, fields, frozen=frozen),
            "__repr__": _repr([field.name for field in fields if field.repr]),
        }
        if eq:
            methods["__eq__"] = _eq([field.name for field in fields if field.compare])
            if own.get("__hash__") is None:  # Python itself has set it, for an __eq__ without it
                made.__hash__ = _hash(fields) if frozen else None
        if frozen:
            methods |= _frozen(made, [field.name for field in fields], slots=slots)
        for name, method in methods.items():
            if name not in own:
                setattr(made, name, method)
        return made

    return make if cls is None else make(cls)


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 — it is exported from here
else:
    dataclass = _dataclass


def _init(cls: type, fields: Sequence[Field[Any]], *, frozen: bool) -> Callable[..., None]:
    """The function that sets all fields, compiled from text as the standard library does."""
    known: dict[str, Any] = {
        "__name__": cls.__module__, "dataclass_factory": _FACTORY,
        "dataclass_set": object.__setattr__,
    }  # fmt: skip
    positional: list[str] = []
    by_name: list[str] = []
    lines: list[str] = []
    for field in fields:
        name = value = parameter = field.name
        default = f"dataclass_default_{name}"
        if field.default_factory is not MISSING:
            known[default] = field.default_factory
            parameter = f"{name}=dataclass_factory"
            value = f"{default}()"
            if field.init:
                value += f" if {name} is dataclass_factory else {name}"
        elif field.default is not MISSING:
            known[default] = field.default
            parameter = f"{name}={default}"
            value = name if field.init else default
        elif not field.init:  # __post_init__ sets it
            continue
        if field.init:
            (by_name if field.kw_only else positional).append(parameter)
        setting = f"dataclass_set(self, {name!r}, {value})" if frozen else f"self.{name} = {value}"
        lines.append(setting)
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    head = ", ".join(["self", *positional, *(["*", *by_name] if by_name else ())])
    text = "\n ".join([f"def __init__({head}):", *lines, "return"])
    exec(text, known)  # noqa: S102 — made of the names of fields, which are identifiers
    made: Callable[..., None] = known["__init__"]
    made.__qualname__ = f"{cls.__qualname__}.__init__"
    made.__annotations__ = {field.name: field.type for field in fields if field.init}
    made.__annotations__["return"] = None
    return made


def _values(names: Sequence[str]) -> Callable[[object], tuple[Any, ...]]:
    """A function that returns what an object has in these fields."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda self: tuple(getattr(self, name) for name in names)


def _repr(names: Sequence[str]) -> Callable[[object], str]:
    @recursive_repr()
    def text(self: object) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({values})"

    return text


def _eq(names: Sequence[str]) -> Callable[[object, object], Any]:
    values = _values(names)

    def is_equal(self: object, other: object) -> Any:
        return (
            values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented
        )

    return is_equal


def _hash(fields: Sequence[Field[Any]]) -> Callable[[object], int]:
    values = _values([f.name for f in fields if (f.compare if f.hash is None else f.hash)])
    return lambda self: hash(values(self))


def _frozen(cls: Any, names: Sequence[str], *, slots: bool) -> dict[str, Callable[..., Any]]:
    """Methods that let only `__init__`, copies and pickles set a field."""

    def set_one(self: object, name: str, value: object) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def delete_one(self: object, name: str) -> None:
        if type(self) is cls or name in names:
            raise FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    def state(self: object) -> list[Any]:
        return [getattr(self, name) for name in names]

    def restore(self: object, state: Sequence[Any]) -> None:
        for name, value in zip(names, state, strict=True):
            object.__setattr__(self, name, value)

    methods: dict[str, Callable[..., Any]] = {"__setattr__": set_one, "__delattr__": delete_one}
    if slots:
        methods |= {"__getstate__": state, "__setstate__": restore}
    return methods
