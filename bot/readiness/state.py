"""Where a check stands: a pure fold over its events, so that a restart or a second device sees the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from bot.readiness.instrument import Answers, FormName, Instrument

Kind = Literal["answer", "skip", "back", "keep", "again"]


@dataclass(frozen=True)
class Event:
    """One thing that happened. ``level`` is that of an answer; None is "not sure". ``at`` is UTC, ISO 8601."""

    revision: int
    kind: Kind
    item: str
    level: int | None
    wording: str
    at: str


@dataclass(frozen=True)
class Progress:
    """A check as it stands. ``cursor`` is the item asked now, None when every item is answered or skipped.

    ``given_at`` is the revision of each answer in force, so that an older card cannot change a newer answer unasked."""

    items: tuple[str, ...]
    answers: Answers
    given_at: dict[str, int]
    skipped: tuple[str, ...]
    cursor: str | None
    revision: int
    reworded: tuple[str, ...]
    looking_back: bool

    @property
    def number(self) -> int:
        """Which question is asked now, from 1."""
        return self.items.index(self.cursor) + 1 if self.cursor else len(self.items)

    @property
    def before(self) -> str | None:
        """The item that "back" leads to."""
        place = self.items.index(self.cursor) if self.cursor else len(self.items)
        return self.items[place - 1] if place else None


def wordings(instrument: Instrument) -> dict[str, frozenset[str]]:
    """The hashes under which each item is worded now, in any language."""
    items = instrument.rules.forms["full"].items
    return {item: frozenset(texts.items[item].wording for texts in instrument.texts.values()) for item in items}


def fold(items: tuple[str, ...], events: Iterable[Event], current: Mapping[str, frozenset[str]]) -> Progress:
    """Replay ``events`` in order of revision. An answer to a wording that is no longer in force does not count."""
    answers: dict[str, int | None] = {}
    given_at: dict[str, int] = {}
    skipped: dict[str, None] = {}
    reworded: dict[str, None] = {}
    back: str | None = None
    revision = 0
    for event in events:
        revision = event.revision
        if event.kind == "again":
            skipped.clear()
            back = None
        elif event.item not in items:
            continue
        elif event.kind == "back":
            back = event.item
        elif event.kind == "skip":
            back = None
            if event.item not in answers:
                skipped[event.item] = None
        elif event.kind == "keep":
            back = None
        elif event.wording not in current.get(event.item, frozenset()):
            answers.pop(event.item, None)
            given_at.pop(event.item, None)
            reworded[event.item] = None
        else:
            answers[event.item], given_at[event.item] = event.level, event.revision
            skipped.pop(event.item, None)
            reworded.pop(event.item, None)
            back = None
    opened = next((item for item in items if item not in answers and item not in skipped), None)
    return Progress(
        items, answers, given_at, tuple(skipped), back or opened, revision, tuple(reworded), looking_back=back is not None
    )


def form_items(instrument: Instrument, form: FormName) -> tuple[str, ...]:
    """The items of a form in order."""
    return instrument.rules.forms[form].items
