"""A way for long work to say how far it is, without knowing who watches."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, steps done, steps in all)."""


def quiet(_what: str, _done: int, _total: int) -> None:
    """Nobody watches."""
