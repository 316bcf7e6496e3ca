"""Data files in ``prompts/``: where they are, how one is read and validated. Errors name file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

import bot
from bot.yaml_files import ModelT, parsed

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class File(BaseModel):
    """What every data file has in common. Its validator is built when a file is first read: most commands read few."""

    model_config = ConfigDict(extra="forbid", defer_build=True)


def folder() -> Path:
    """The shipped ``prompts/`` folder, in a checkout or an installed wheel."""
    return Path(bot.__file__).parent.parent / "prompts"


def validated(model: type[ModelT], name: str) -> ModelT:
    """A data file as what ``model`` says. Raises FormatError naming file and line."""
    return parsed(model, (folder() / name).read_text(encoding="utf-8"), f"prompts/{name}")
