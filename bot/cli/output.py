"""How commands speak: JSON for scripts, plain lines for people, errors to standard error with a code."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, NoReturn

import typer

from bot.errors import SignpostError


def as_json(value: Any) -> str:
    """One line of JSON; dates as ISO 8601."""

    def plain(item: Any) -> Any:
        if isinstance(item, (date, datetime)):
            return item.isoformat()
        raise TypeError(type(item).__name__)

    return json.dumps(value, ensure_ascii=False, default=plain)


def say(value: Any, *, json_wanted: bool, text: str | None = None) -> None:
    """Print a result."""
    sys.stdout.write((as_json(value) if json_wanted or text is None else text) + "\n")
    sys.stdout.flush()


def fail(error: SignpostError, *, json_wanted: bool) -> NoReturn:
    """Print an error and leave with status 2."""
    if json_wanted:
        sys.stdout.write(as_json({"error": {"code": error.code, "message": error.message}}) + "\n")
    else:
        sys.stderr.write(f"signpost: {error.message}\n")
    raise typer.Exit(2)


def who(actor: str | None) -> str:
    """Who acts: as given, else the login name."""
    if actor:
        return actor
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


@contextmanager
def refusals(json_wanted: bool) -> Iterator[None]:
    """Turn expected errors into exit status 2."""
    try:
        yield
    except SignpostError as error:
        fail(error, json_wanted=json_wanted)


class Bar:
    """A progress bar on standard error; silent when that is not a terminal."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()
        self._last = -1

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show how far ``what`` is."""
        if not self._shown or total <= 0:
            return
        percent = 100 * done // total
        if percent == self._last:
            return
        self._last = percent
        filled = percent * 30 // 100
        end = "\n" if done >= total else ""
        sys.stderr.write(f"\r{what} [{'#' * filled}{'.' * (30 - filled)}] {percent:3d} % ({done} of {total}){end}")
        sys.stderr.flush()
        if end:
            self._last = -1
