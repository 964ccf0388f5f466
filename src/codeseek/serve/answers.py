"""What a server refuses, in the shape of OpenAI's errors, and the few words of JSON Schema that requests are held to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from codeseek.errors import CodeseekError, DaemonError, ModelError, ProjectError, StoreError, UsageError

Schema = Mapping[str, Any]


class Refusal(Exception):
    """A request that is not answered: a status, words for the user, and what OpenAI's clients look at."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def record(self) -> dict[str, object]:
        """Return the body of the answer."""
        kind = {401: "authentication_error", 403: "permission_error"}.get(
            self.status, "invalid_request_error" if self.status < 500 else "server_error"
        )
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


def refusal(error: CodeseekError) -> Refusal:
    """Put an error of ours in the words of HTTP: what the client can mend is 400, what it can wait for 503."""
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    match error:
        case UsageError():
            return Refusal(400, message)
        case StoreError() | ModelError() | ProjectError() | DaemonError():
            return Refusal(503, message, headers={"Retry-After": "1"})
        case _:
            return Refusal(500, message)


def parsed(body: bytes) -> Any:
    """Return a body's JSON value; raises `Refusal`."""
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_number)
    except RecursionError:
        raise Refusal(400, "the body is nested too deeply", code="invalid_json") from None
    except ValueError as error:  # UnicodeDecodeError and JSONDecodeError too
        raise Refusal(400, f"the body is not JSON: {error}", code="invalid_json") from error


def checked(value: Any, schema: Schema, where: str = "") -> Any:
    """Return a value that keeps to a schema, with defaults filled in; raises `Refusal` that names the part that does not.

    The keywords are those that our own schemas use: type, enum, properties, required, additionalProperties, items,
    minItems, maxItems, minLength, maxLength, minimum, maximum, default and anyOf.
    """
    if options := schema.get("anyOf"):
        for option in options:
            try:
                return checked(value, option, where)
            except Refusal:
                continue
        raise _wrong(where, schema.get("description", "something else"))
    if not _is(value, schema.get("type")):
        raise _wrong(where, _ARTICLES[schema["type"]])
    if "enum" in schema and value not in schema["enum"]:
        raise _wrong(where, f"one of {', '.join(map(str, schema['enum']))}")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        for name in schema.get("required", ()):
            if name not in value:
                raise Refusal(400, f"`{_inner(where, name)}` is missing", param=_inner(where, name))
        unknown = value.keys() - properties.keys()
        if unknown and schema.get("additionalProperties") is False:
            raise Refusal(400, f"unknown parameter `{_inner(where, min(unknown))}`", param=_inner(where, min(unknown)))
        defaults = {name: part["default"] for name, part in properties.items() if "default" in part}
        given = {
            name: checked(value[name], part, _inner(where, name)) for name, part in properties.items() if name in value
        }
        return defaults | given
    size = {"string": ("minLength", "maxLength", "characters"), "array": ("minItems", "maxItems", "items")}
    if schema.get("type") in size:
        least, most, unit = size[schema["type"]]
        if not schema.get(least, 0) <= len(value) <= schema.get(most, len(value)):
            raise _wrong(where, f"from {schema.get(least, 0)} to {schema.get(most, 'any number of')} {unit} long")
    if isinstance(value, list):
        return [checked(item, schema.get("items", {}), f"{where}[{at}]") for at, item in enumerate(value)]
    if schema.get("type") == "integer":
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        if not low <= value <= high:
            raise _wrong(where, f"from {low} to {high}" if "maximum" in schema else f"at least {low}")
        return int(value)
    return value


_ARTICLES = {
    "object": "an object", "array": "a list", "string": "text", "integer": "a whole number", "boolean": "true or false",
}  # fmt: skip


def _is(value: object, kind: str | None) -> bool:
    match kind:
        case "object":
            return isinstance(value, dict)
        case "array":
            return isinstance(value, list)
        case "string":
            return isinstance(value, str)
        case "integer":
            whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
            return whole and not isinstance(value, bool)
        case "boolean":
            return isinstance(value, bool)
        case _:
            return True


def _wrong(where: str, wanted: str) -> Refusal:
    return Refusal(400, f"`{where or 'the body'}` has to be {wanted}", param=where or None)


def _inner(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no number")
