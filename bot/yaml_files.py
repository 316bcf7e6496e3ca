"""YAML text as data or as a model; what is wrong with it is named with its file and line. Pure."""

from __future__ import annotations

from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from bot.errors import FormatError

ModelT = TypeVar("ModelT", bound=BaseModel)

Path = tuple[int | str, ...]
"""Names and numbers that lead to a value."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def mapping(raw: str, where: str, *, before: int = 0) -> dict[str, Any]:
    """``raw`` as 'name: value' lines. ``where`` is the file's name, ``before`` how many of its lines stand before ``raw``.

    Raises FormatError."""
    try:
        data = yaml.load(raw, _LOADER)  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = (mark.line if mark else 0) + 1 + before
        raise FormatError(f"not valid YAML: {getattr(error, 'problem', error)}", where=f"{where}:{line}") from None
    if not isinstance(data, dict):
        raise FormatError("expected 'name: value' lines", where=f"{where}:{1 + before}")
    return data


def line_of(raw: str, path: Path) -> int:
    """The line (from 1) where the name or item that ``path`` leads to stands, or the nearest before it that exists."""
    node: Any = yaml.compose(raw, _LOADER)
    line = 0
    for step in path:
        found: tuple[Any, Any] | None = None
        if isinstance(node, yaml.MappingNode):
            found = next(((key, value) for key, value in node.value if key.value == str(step)), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
            found = (node.value[step], node.value[step])
        if found is None:
            break
        line, node = found[0].start_mark.line, found[1]
    return int(line) + 1


def checked(model: type[ModelT], data: object, raw: str, where: str, *, before: int = 0, context: str | None = None) -> ModelT:
    """``data``, read from ``raw``, as a model. Raises FormatError at the first value that is wrong."""
    try:
        return model.model_validate(data, context=context)
    except ValidationError as error:
        problem = error.errors()[0]
        path = tuple(step for step in problem["loc"] if step != "[key]")
        said = ": ".join(part for part in (".".join(map(str, path)), problem["msg"]) if part)
        raise FormatError(said, where=f"{where}:{line_of(raw, path) + before}") from None


def parsed(model: type[ModelT], raw: str, where: str, *, context: str | None = None) -> ModelT:
    """``raw`` as a model. Raises FormatError naming ``where`` and the line."""
    return checked(model, mapping(raw, where), raw, where, context=context)
