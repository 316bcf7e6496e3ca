"""What a reply may not carry: strange links, images, personal data, claims we must not make, too much text."""

from __future__ import annotations

import re
from functools import cache

from bot import prompts
from bot.guardrails import privacy
from bot.guardrails.context import Context
from bot.guardrails.links import stripped
from bot.guardrails.policy import compiled, outgoing
from bot.messages import Reply

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


@cache
def _claims() -> re.Pattern[str]:
    return compiled("|".join(f"(?:{item})" for item in outgoing().never_say), re.IGNORECASE)


def own_words(reply: Reply, context: Context) -> str:
    """The reply without quotes, the sources' own particulars and the contacts an organization published."""
    text = _ESCAPED.sub(r"\1", reply.markdown)  # quotes and titles stand in it with their marks escaped
    for citation in reply.citations:
        text = text.replace(citation.quote, " ")
        for known in (
            citation.title,
            citation.publisher,
            citation.url,
            citation.published,
            citation.verified_by,
            citation.verified_on,
            citation.section,
            *citation.notes,
        ):
            shown = known if known in text or "/" not in known else stripped(known, context.links)[0]
            text = text.replace(shown, " ") if len(shown) > 2 else text
    for contact in (context.contacts.crisis, context.contacts.general, *context.contacts.offices.values()):
        text = text.replace(contact, " ") if contact else text
    text = re.sub(r"^>.*$", " ", text, flags=re.MULTILINE)
    for phrase in _phrases(reply.language):
        text = text.replace(phrase, " ")
    return text


@cache
def _phrases(language: str) -> tuple[str, ...]:
    """The house's own fixed phrases, without what is filled into them, the longest first: no detail of a person is in them."""
    found: set[str] = set()

    def gather(value: object) -> None:
        if isinstance(value, str):
            found.update(part.strip() for part in re.split(r"\{[^}]*\}", value) if len(part.strip()) >= 5)
        elif isinstance(value, dict):
            for inner in value.values():
                gather(inner)

    gather(prompts.messages(language).model_dump())
    return tuple(sorted(found, key=lambda phrase: (-len(phrase), phrase)))


def personal(text: str, context: Context) -> list[str]:
    """Kinds of personal detail in a text; links are judged elsewhere."""
    found = privacy.redact(text, context.country, context.terms).kinds
    return [kind for kind, _ in found if kind not in ("link", "file name", "mention")]


def objections(reply: Reply, context: Context) -> list[str]:
    """Why a reply must be held back: personal data or a forbidden claim in our own words, or too long."""
    own = own_words(reply, context)
    found: list[str] = []
    kinds = personal(own, context)
    if kinds:
        found.append("personal data: " + ", ".join(kinds))
    if _claims().search(own):
        found.append("a claim that must not be made")
    if len(reply.markdown) > outgoing().max_characters:
        found.append("too long")
    return found


def bad_restatement(text: str, context: Context) -> bool:
    """Whether a model's restatement carries what a reply may not: it is dropped, the quotes stay."""
    return bool(personal(text, context)) or bool(_claims().search(text)) or stripped(text, ())[1] != []
