"""The base of all data models.

Rule 1: frozen and closed; unknown fields are an error, collections are tuples, equal values have equal hashes.
Rule 2: whatever is wrong with a value is an `errors.ValidationError` with paths, never pydantic's own exception.
Rule 3: `model_validate_json(x.model_dump_json()) == x`.
"""

import json
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, cast

import pydantic
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, JsonValue
from pydantic_core import from_json, to_json

from allm_rx.data.translation import translated
from allm_rx.errors import Issue, ValidationError, ValidationReason

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)


def whole_characters(text: str) -> str:
    """Give text that can be written: halves of one character are joined, a half that stands alone becomes U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def jsonable(value: object) -> JsonValue:
    """Give any value as JSON data; what JSON cannot hold becomes its `repr`, and a secret stays masked."""
    try:
        return from_json(to_json(value, fallback=_described, bytes_mode="base64", inf_nan_mode="constants"))
    except Exception:  # noqa: BLE001 - the value may be of any class, and this is called while an error is told
        return _described(value)


def parse_json(text: str | bytes | bytearray) -> Any:
    """Parse JSON, also where it is nested as deep as `model_dump_json` writes it.

    Raises:
        ValueError: the text is not JSON.
    """
    try:
        return from_json(text.encode() if isinstance(text, str) else text)
    except ValueError as error:
        if _TOO_DEEP not in str(error):
            raise
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _described(value: object) -> str:
    try:
        return whole_characters(repr(value))
    except Exception:  # noqa: BLE001 - a `repr` of somebody else
        return object.__repr__(value)


_TOO_DEEP = "recursion limit"
"""What pydantic's parser says at 200 levels; its serializer writes 255."""

Text = Annotated[str, AfterValidator(whole_characters)]
"""Text from outside; a lone surrogate in it could be neither sent nor saved."""

JsonLike = Annotated[JsonValue, BeforeValidator(jsonable)]
"""Any value; what JSON cannot hold is kept as its `repr`."""


def hash_of(value: object) -> int:
    """Give a hash that is equal for equal values, dicts and lists in them included."""
    return hash(_hashable(value))


def _hashable(value: object) -> object:
    if isinstance(value, dict):
        return frozenset((key, _hashable(item)) for key, item in cast("dict[str, object]", value).items())
    if isinstance(value, (list, tuple)):
        return tuple(_hashable(item) for item in cast("tuple[object, ...]", value))
    return value


class _Translating(ModelMetaclass):
    """Constructing a model raises our error; pydantic's nested construction does not pass here, so paths stay whole."""

    if not TYPE_CHECKING:  # a typed `__call__` would hide the constructors' signatures from type checkers

        def __call__(cls, *args, **kwargs):  # noqa: N805 - the instance of a metaclass is a class
            """Construct an instance."""
            try:
                return super().__call__(*args, **kwargs)
            except pydantic.ValidationError as error:
                raise translated(error, cls, cls.invalid) from None


class Data(BaseModel, metaclass=_Translating):
    """A frozen, closed model that translates what is wrong with its values."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        ser_json_bytes="base64",
        val_json_bytes="base64",
        ser_json_inf_nan="constants",
    )
    invalid: ClassVar[ValidationReason] = "invalid_request"
    """The reason of the error that a wrong value of this class gets."""

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Build the model from plain Python data.

        Raises:
            ValidationError: the data does not fit; `errors` has every path.
        """
        try:
            return super().model_validate(obj, **options)
        except pydantic.ValidationError as error:
            raise translated(error, cls, cls.invalid) from None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Build the model from the JSON that `model_dump_json` gave.

        Raises:
            ValidationError: the text is not JSON or does not fit; `errors` has every path.
        """
        try:
            return super().model_validate_json(json_data, **options)
        except pydantic.ValidationError as error:
            if _TOO_DEEP not in str(error):
                raise translated(error, cls, cls.invalid) from None
        try:
            data = parse_json(json_data)
        except ValueError as error:
            raise ValidationError.of(cls.invalid, Issue((), "json_invalid", f"the text is not JSON: {error}.")) from None
        return cls.model_validate(data, **options)

    def replace(self, **changes: Any) -> Self:
        """Give a copy with some fields changed, validated like any new value.

        Raises:
            ValidationError: a change does not fit, or names no field.
        """
        return type(self).model_validate({**dict(self), **changes})

    def __hash__(self) -> int:
        """Hash by value, so that messages can be keys of a cache; who changes nested JSON in place breaks it."""
        return hash_of((type(self), *self.__dict__.values()))

    if not TYPE_CHECKING:  # else a type checker would allow any assignment

        def __setattr__(self, name, value):
            """Refuse: a model is frozen."""
            del value
            what = f"{type(self).__name__} is frozen: make another with `replace({name}=...)`."
            raise ValidationError.of(self.invalid, Issue((name,), "frozen_instance", what))
