"""Every data file of this room is validated at start, and a mistake in one is named with its file and line."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import prompts
from bot.errors import FormatError
from bot.prompts import files

OURS = ("language/*.yaml", "messages/*.yaml", "web/*.yaml", "model/*.yaml", "demo.yaml")


def forget() -> None:
    for read in vars(prompts).values():
        if hasattr(read, "cache_clear"):
            read.cache_clear()


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the data files, which the room then reads."""
    copy = Path(shutil.copytree(prompts.folder(), tmp_path / "prompts"))
    for module in (prompts, files):
        monkeypatch.setattr(module, "folder", lambda: copy)
    forget()
    yield copy
    monkeypatch.undo()
    forget()


@pytest.mark.parametrize(
    "name", sorted(str(path.relative_to(prompts.folder())) for kind in OURS for path in prompts.folder().glob(kind))
)
def test_a_mistake_in_any_file_is_found_at_start_and_named(copied: Path, name: str) -> None:
    prompts.check()
    forget()
    path = copied / name
    path.write_text(path.read_text(encoding="utf-8") + "\nnot_a_known_name: 1\n", encoding="utf-8")
    with pytest.raises(FormatError) as found:
        prompts.check()
    line = len(path.read_text(encoding="utf-8").splitlines())
    assert f"prompts/{name}:{line}" in str(found.value)
    assert "not_a_known_name" in str(found.value)
