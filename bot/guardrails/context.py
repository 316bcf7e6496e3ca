"""What the guardrails are told about a turn, and what they decide. Pure data; the doors and the turn fill it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.guardrails.features import Read
from bot.guardrails.organizations import OrganizationPolicy
from bot.messages import Handling, Reply


@dataclass(frozen=True)
class Contacts:
    """Whom to name, as an organization wrote it. ``crisis`` may hold a protocol's address; ``offices`` go by a rule's id or
    its family ('misuse', 'unsafe'); ``general`` is who is asked when no office is named."""

    crisis: str = ""
    general: str = ""
    offices: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Context:
    """One turn's surroundings.

    ``read`` gives what the shipped embedder makes of a text and is called with the redacted text, so that the caller can keep the
    vector for the search, and then with its clauses where it has several; None or a failing embedder leaves the local rules
    standing. ``links`` are the only addresses a reply may carry, whole or as prefixes ending in '/'. ``terms`` are words of the
    published documents that look like names and are none (:func:`bot.guardrails.terms.terms`). ``model`` names the chat model
    that took part."""

    organization: str | None = None
    language: str | None = None
    country: str = "US"
    contacts: Contacts = field(default_factory=Contacts)
    read: Read | None = None
    policy: OrganizationPolicy | None = None
    links: tuple[str, ...] = ()
    terms: frozenset[str] = frozenset()
    model: str | None = None


@dataclass(frozen=True)
class Decision:
    """A rule that decided, and why: ``reasons`` are short lines without any of the asker's words. ``own`` says that a pattern or
    an example which the organization added decided."""

    rule: str
    version: int
    handling: Handling
    reasons: tuple[str, ...]
    own: bool = False


@dataclass(frozen=True)
class Screened:
    """What came in, made safe. ``text`` may be stored, searched and sent (empty in a crisis: nothing of it is kept);
    ``reply`` is a finished fixed reply, or None to go on; ``redactions`` are kinds and counts; ``notice`` is one line for the
    asker; ``caution`` is said before the answer to what may be a crisis after all; ``keep`` is False when only the fact may be
    recorded; ``notify`` asks to tell the human contact; ``own`` is the decision's."""

    handling: Handling
    text: str
    language: str
    rule: str | None = None
    version: int | None = None
    reply: Reply | None = None
    redactions: tuple[tuple[str, int], ...] = ()
    notice: str | None = None
    caution: str | None = None
    reasons: tuple[str, ...] = ()
    keep: bool = True
    notify: bool = False
    own: bool = False


@dataclass(frozen=True)
class Inspected:
    """What goes out. ``reply`` is safe to show; ``problems`` name what was removed or why the reply was held back."""

    reply: Reply
    held: bool
    problems: tuple[str, ...] = ()
