"""What a reply may not carry: strange links, images, personal data, claims we must not make, too much text."""

from __future__ import annotations

import re
from functools import cache

from bot.guardrails import privacy
from bot.guardrails.context import Context
from bot.guardrails.policy import compiled, outgoing
from bot.messages import Reply

_IMAGE = re.compile(
    (
        r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])|<img\b[^>]*>|<(?:picture|svg|iframe|object|embed|video|audio|script|"
        r"style|link|meta)\b[^>]*>"
    ),
    re.IGNORECASE,
)
_TAG = re.compile(r"</?(?![a-zA-Z][a-zA-Z0-9+.-]*:)[a-zA-Z][^>\n]{0,200}>")
"""A tag, not an address between angle brackets."""
_MARKDOWN_LINK = re.compile(r"(?<!!)\[([^\]]*)\]\(\s*<?([^)\s>]*)>?[^)]*\)")
_REFERENCE = re.compile(r"^\s*\[[^\]]+\]:\s*\S+.*$", re.MULTILINE)
_BARE = re.compile(r"(?:(?:https?|ftp|javascript|data|file|vbscript):|//|www\.)[^\s<>\"')\]]+", re.IGNORECASE)
_SCHEMES = ("https://", "http://")


@cache
def _claims() -> re.Pattern[str]:
    return compiled("|".join(f"(?:{item})" for item in outgoing().never_say), re.IGNORECASE)


def vetted(url: str, links: tuple[str, ...]) -> bool:
    """Whether an address is on the allow list: the same address, or below an entry that ends in '/'."""
    plain = url.rstrip(".,;:!?")
    if not plain.lower().startswith(_SCHEMES) or "@" in plain.split("/", 3)[2]:
        return False
    return any(
        plain in (link, link.rstrip("/")) or plain.rstrip("/") == link or (link.endswith("/") and plain.startswith(link))
        for link in links
    )


def own_words(reply: Reply, context: Context) -> str:
    """The reply without quotes, the sources' own particulars and the contacts an organization published."""
    text = reply.markdown
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
            text = text.replace(known, " ") if known else text
    for contact in (context.contacts.crisis, context.contacts.general, *context.contacts.offices.values()):
        text = text.replace(contact, " ") if contact else text
    return re.sub(r"^>.*$", " ", text, flags=re.MULTILINE)


def personal(text: str, context: Context) -> list[str]:
    """Kinds of personal detail in a text; links are judged elsewhere."""
    return [kind for kind, _ in privacy.redact(text, context.country).kinds if kind not in ("link", "file name", "mention")]


def stripped(text: str, links: tuple[str, ...]) -> tuple[str, list[str]]:
    """The text without images, tags and links that are not vetted, and what was taken out."""
    problems: list[str] = []
    text, images = _IMAGE.subn("", text)
    text, references = _REFERENCE.subn("", text)
    if images:
        problems.append("image removed")

    def link(match: re.Match[str]) -> str:
        if vetted(match.group(2), links):
            return match.group()
        problems.append("link removed")
        return match.group(1)

    def bare(match: re.Match[str]) -> str:
        if vetted(match.group(), links):
            return match.group()
        problems.append("link removed")
        return ""

    text = _MARKDOWN_LINK.sub(link, text)
    text = _BARE.sub(bare, text)
    text, tags = _TAG.subn("", text)
    if references or tags:
        problems.append("markup removed")
    return text, problems


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
