"""Data files in ``prompts/``: where they are, how one is read and validated. Errors name file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

import bot
from bot.errors import FormatError

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]

FileT = TypeVar("FileT", bound=BaseModel)


class File(BaseModel):
    """What every data file has in common. Its validator is built when a file is first read: most commands read few."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


def folder() -> Path:
    """The shipped ``prompts/`` folder, in a checkout or an installed wheel."""
    return Path(bot.__file__).parent.parent / "prompts"


def read_yaml(name: str) -> dict[str, Any]:
    """A data file as a mapping. Raises FormatError naming file and line."""
    path = folder() / name
    raw = path.read_text(encoding="utf-8")
    try:
        data = yaml.load(raw, getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise FormatError(
            str(getattr(error, "problem", error)), where=f"prompts/{name}:{(mark.line if mark else 0) + 1}"
        ) from None
    if not isinstance(data, dict):
        raise FormatError("expected 'name: value' lines", where=f"prompts/{name}:1")
    return data


def validated(model: type[FileT], name: str) -> FileT:
    """A data file as what ``model`` says. Raises FormatError naming file and line."""
    try:
        return model.model_validate(read_yaml(name))
    except ValidationError as error:
        problem = error.errors()[0]
        key = str(problem["loc"][0])
        lines = (folder() / name).read_text(encoding="utf-8").splitlines()
        line = next((i for i, text in enumerate(lines, 1) if text.startswith(f"{key}:")), 1)
        place = ".".join(str(part) for part in problem["loc"])
        raise FormatError(f"{place}: {problem['msg']}", where=f"prompts/{name}:{line}") from None
