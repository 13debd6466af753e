"""The base of all data models.

Rule 1: frozen and closed; unknown fields are an error, collections are tuples.
Rule 2: whatever is wrong with a value is an `errors.ValidationError` with paths, never pydantic's own exception.
Rule 3: `model_validate_json(x.model_dump_json()) == x`.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Self

import pydantic
from pydantic import BaseModel, ConfigDict

from allm_rx.errors import Issue, ValidationError, ValidationReason

if TYPE_CHECKING:
    from pydantic._internal._model_construction import ModelMetaclass
else:
    ModelMetaclass = type(BaseModel)

_SHOWN = 80
"""Characters of a wrong value that a message quotes."""


def _translated(error: pydantic.ValidationError, reason: ValidationReason) -> ValidationError:
    issues: list[Issue] = []
    for item in error.errors(include_url=False, include_context=False):
        value = repr(item["input"])
        shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}..."
        what = item["msg"].removeprefix("Value error, ")
        issues.append(Issue(tuple(item["loc"]), item["type"], f"{what}, got {shown}."))
    return ValidationError.of(reason, *issues)


class _Translating(ModelMetaclass):
    """Constructing a model raises our error; pydantic's nested construction does not pass here, so paths stay whole."""

    if not TYPE_CHECKING:  # a typed `__call__` would hide the constructors' signatures from type checkers

        def __call__(cls, *args, **kwargs):  # noqa: N805 - the instance of a metaclass is a class
            """Construct an instance."""
            try:
                return super().__call__(*args, **kwargs)
            except pydantic.ValidationError as error:
                raise _translated(error, cls.invalid) from None


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
            raise _translated(error, cls.invalid) from None

    @classmethod
    def model_validate_json(cls, json_data: str | bytes | bytearray, **options: Any) -> Self:
        """Build the model from the JSON that `model_dump_json` gave.

        Raises:
            ValidationError: the text is not JSON or does not fit; `errors` has every path.
        """
        try:
            return super().model_validate_json(json_data, **options)
        except pydantic.ValidationError as error:
            raise _translated(error, cls.invalid) from None

    def replace(self, **changes: Any) -> Self:
        """Give a copy with some fields changed, validated like any new value."""
        return type(self).model_validate({**dict(self), **changes})
