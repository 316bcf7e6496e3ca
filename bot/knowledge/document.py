"""A library document in Markdown: typed front matter, sections with the questions they answer, numbered sources.

The format is described in ``docs/library-format.md``. Errors name the file and the line.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from bot.errors import FormatError
from bot.yaml_files import checked, mapping

Kind = Literal["law", "regulation", "policy", "guidance", "framework", "research", "local policy", "about"]
Confidence = Literal["official", "mixed", "secondary", "local"]
Level = Literal["local", "state", "national", "international", "framework", "research", "about"]

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(?:[.-][a-z0-9]+)*$", max_length=100)]
Published = Annotated[str, StringConstraints(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$")]

US_STATES = frozenset(
    "Alabama|Alaska|Arizona|Arkansas|California|Colorado|Connecticut|Delaware|Florida|Georgia|Hawaii|Idaho|Illinois|Indiana|"
    "Iowa|Kansas|Kentucky|Louisiana|Maine|Maryland|Massachusetts|Michigan|Minnesota|Mississippi|Missouri|Montana|Nebraska|"
    "Nevada|New Hampshire|New Jersey|New Mexico|New York|North Carolina|North Dakota|Ohio|Oklahoma|Oregon|Pennsylvania|"
    "Rhode Island|South Carolina|South Dakota|Tennessee|Texas|Utah|Vermont|Virginia|Washington|West Virginia|Wisconsin|"
    "Wyoming|Puerto Rico|District of Columbia|US states".split("|")
)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Questions(_Strict):
    """Questions a section answers, by language; ``fact`` names the numbered source they are about, if one.

    ``unanswered`` holds near misses: questions people ask close by that nothing in the library answers. They are search
    keys of their own, for telling an answer from its neighbour.
    """

    fact: int | None = Field(default=None, ge=1)
    en: tuple[Line, ...] = ()
    es: tuple[Line, ...] = ()
    unanswered: tuple[Line, ...] = ()


class Section(_Strict):
    """A section's id (its heading's anchor) and the questions it answers, in the words people type."""

    id: Slug
    questions: tuple[Questions, ...] = ()


class SourceNote(_Strict):
    """Where one numbered fact comes from: a locator in the official text, an address, how it was seen."""

    locator: str
    url: str
    seen: Literal["official", "copy", "secondary"]


class FrontMatter(_Strict):
    """What the library knows about a document besides its words."""

    id: Slug
    title: Line
    publisher: Line
    jurisdiction: Line
    kind: Kind
    audience: tuple[Line, ...] = ()
    published: Published | None = None
    published_note: str = ""
    url: str = ""
    licence: str = ""
    verified_by: str = ""
    verified_on: date | None = None
    review_by: date | None = None
    confidence: Confidence = "local"
    topics: tuple[Line, ...] = ()
    also_called: tuple[Line, ...] = ()
    sample: bool = False
    sections: tuple[Section, ...] = ()
    sources: dict[int, SourceNote] = Field(default_factory=dict)

    @field_validator("published", mode="before")
    @classmethod
    def _published_text(cls, value: Any) -> Any:
        return value.isoformat() if isinstance(value, date) else str(value) if isinstance(value, int) else value

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if value and not re.match(r"https?://[^\s<>\"']+$", value):
            raise ValueError("must be an http(s) address")
        return value

    @property
    def level(self) -> Level:
        """How near the document stands to the asker: local, state, national and so on."""
        if self.kind == "local policy":
            return "local"
        if self.kind in ("framework", "research", "about"):
            return self.kind
        if self.jurisdiction in US_STATES:
            return "state"
        return "international" if self.jurisdiction == "International" else "national"


_FENCE = re.compile(r"\A---[ \t]*\n(.*?\n)---[ \t]*(?:\n|\Z)", re.S)
_NOTE = re.compile(r"^\[\^(\d+)\]:[ \t]*(.*?)[ \t]*(?:<(\S+?)>)?[ \t]*\((official|copy|secondary)\)[ \t]*$", re.M)


def split_front_matter(raw: str) -> tuple[str, str, int]:
    """Return (front matter, body, lines before the body); empty front matter where there is none."""
    match = _FENCE.match(raw)
    if not match:
        return "", raw, 0
    return match.group(1), raw[match.end() :], raw[: match.end()].count("\n")


def parse_front_matter(raw: str, *, where: str) -> tuple[FrontMatter, str]:
    """Validate a library document's front matter and notes; return it with the body (notes blanked, lines kept).

    Raises FormatError naming ``where:line``.
    """
    head, body, offset = split_front_matter(raw)
    if not head:
        raise FormatError("the document has no front matter (a block between two lines of ---)", where=f"{where}:1")
    data = mapping(head, where, before=1)
    notes: dict[int, SourceNote] = {}
    for match in _NOTE.finditer(body):
        number = int(match.group(1))
        if number in notes:
            line = offset + body[: match.start()].count("\n") + 1
            raise FormatError(f"source note {number} is defined twice", where=f"{where}:{line}")
        notes[number] = SourceNote(locator=match.group(2).rstrip(" .;"), url=match.group(3) or "", seen=match.group(4))  # type: ignore[arg-type]
    stray = re.search(r"^\[\^[^\]]*\]:", _NOTE.sub("", body), re.M)
    if stray:
        place = body.find(stray.group())
        raise FormatError(
            "a source note reads '[^1]: locator <address> (official|copy|secondary)'",
            where=f"{where}:{offset + body[:place].count(chr(10)) + 1}",
        )
    front = checked(FrontMatter, {**data, "sources": notes}, head, where, before=1)
    return front, _NOTE.sub("", body)
