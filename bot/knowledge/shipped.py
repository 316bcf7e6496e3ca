"""Where the files of the shipped ``knowledge/`` folder are. Imports nothing heavy, so that short commands start at once."""

from __future__ import annotations

from pathlib import Path

import bot


def data_file(*parts: str) -> Path:
    """A file of the shipped ``knowledge/`` folder, in a checkout or an installed wheel."""
    return Path(bot.__file__).parent.parent.joinpath("knowledge", *parts)
