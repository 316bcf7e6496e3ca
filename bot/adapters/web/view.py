"""What a page shows, as plain values: exchanges, replies, an opened passage. Pure functions; the templates only place them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape

from markupsafe import Markup

from bot import prompts
from bot.adapters.markdown_tree import Block, Cite, Items, Paragraph, parse, plain
from bot.adapters.web.html import html, link
from bot.knowledge.opening import Opened
from bot.messages import Answered, Choice, Citation, Outcome, Reply
from bot.store.conversations import Exchange
from bot.store.packed import unpack_answered


@dataclass(frozen=True)
class Source:
    """One cited document with the quotes that stand in it."""

    level: str
    title: str
    publisher: str
    published: str
    verified: str
    notes: tuple[str, ...]
    url: str
    numbers: tuple[int, ...]


SHORT_CHARS = 24
"""Longest words of a button that stands beside others in a row."""


@dataclass(frozen=True)
class Button:
    """A choice as the page shows it. ``short`` ones share a row; the others have one each."""

    label: str
    value: str
    short: bool


@dataclass(frozen=True)
class Shown:
    """A reply as the page shows it. ``parts`` are its blocks in order, each released to the stream as one."""

    answer_id: str
    language: str
    kind: str
    title: str
    parts: tuple[Markup, ...]
    sources: tuple[Source, ...]
    choices: tuple[Button, ...]
    choices_title: str
    verdict: bool
    person: bool
    picture: str
    picture_says: str


@dataclass(frozen=True)
class Turn:
    """One exchange as the page shows it. ``working`` while there is no reply yet; ``unasked`` where we spoke first."""

    row_id: int
    asked: str
    pressed: bool
    working: bool
    shown: Shown | None
    apology: str
    unasked: bool = False


def turn(exchange: Exchange, language: str) -> Turn:
    """An exchange for the page."""
    words, web = prompts.messages(language), prompts.web_words(language)
    answered = unpack_answered(exchange.answered) if exchange.answered else None
    apology = ""
    if exchange.state == "failed" and exchange.incident:
        apology, answered = words.apology.format(incident=exchange.incident), None
    elif exchange.state == "ignored":
        apology = web.over_limit
    working = exchange.state in ("received", "working")
    shown = reply(answered, exchange.row_id, language) if answered is not None else None
    asked = _label(exchange.asked, words, web)
    return Turn(exchange.row_id, asked, exchange.pressed, working, shown, apology, exchange.unasked)


def _label(asked: str, words: prompts.Messages, web: prompts.WebWords) -> str:
    """What was asked, or what a button said; a button's own word is never shown."""
    name = asked.partition(":")[0]
    known = {"why": words.door_why, "person": words.door_person, "privacy": web.privacy, "help": web.help}
    return known.get(name, asked) if " " not in asked.strip() else asked


def reply(answered: Answered, row_id: int, language: str) -> Shown:
    """A reply for the page."""
    made, web = answered.reply, prompts.web_words(language)
    answer = answered.receipt.answer_id
    numbers = {citation.n: citation for citation in made.citations}
    blocks = [b for b in map(_without_sources, parse(made.markdown, frozenset(numbers))) if b is not None]
    blocks, choices = buttons(blocks, tuple(choice for choice in made.choices if not choice.box))

    def cite(n: int) -> str:
        name = escape(web.open_quote.format(n=n, title=numbers[n].title))
        return f'<a class="cite" data-cite href="/?open={answer}.{n}#passage" aria-label="{name}">{n}</a>'

    parts = tuple(Markup(part) for part in html(tuple(blocks), cite, web.new_tab))  # noqa: S704 - escaped in html()
    return Shown(
        answer_id=answer,
        language=made.language,
        kind=_kind(made),
        title=_title(made, web),
        parts=parts,
        sources=sources(made.citations, prompts.messages(made.language), web),
        choices=choices,
        choices_title=web.next if _kind(made) == "quoted" else web.choose,
        verdict=bool(answered.receipt.generation) and made.fixed is None,
        person=_offers_person(made),
        picture=f"/pictures/{row_id}" if made.picture else "",
        picture_says=made.picture.alt if made.picture else "",
    )


def _offers_person(made: Reply) -> bool:
    """Whether the button for a person stands below: not where one is spoken of already."""
    reached = made.fixed in ("ask_person", "forget_sure") or (made.fixed or "").startswith("handoff.")
    return not reached and not any(choice.value == "person" for choice in made.choices)


def buttons(blocks: list[Block], choices: tuple[Choice, ...]) -> tuple[list[Block], tuple[Button, ...]]:
    """The buttons, and the blocks without a numbered list that the buttons already say in full: a phone has no room for both.

    A choice that describes itself in short is given the whole line of the list."""
    labels = {choice.value: choice.describes or choice.label for choice in choices}
    described = [choice for choice in choices if choice.describes]
    kept = []
    for block in blocks:
        lines = _numbered(block)
        said = {c.value: line for line in lines for c in described if _says(c.describes, line)}
        if lines and len(set(said.values())) == len(lines):
            labels.update(said)
        else:
            kept.append(block)
    return kept, tuple(
        Button(labels[c.value], c.value, short=not c.describes and len(labels[c.value]) <= SHORT_CHARS) for c in choices
    )


def _numbered(block: Block) -> list[str]:
    """The lines of a numbered list of one paragraph each, with their numbers; empty for any other block."""
    if not isinstance(block, Items) or block.start is None:
        return []
    found = []
    for n, item in enumerate(block.items, block.start):
        if len(item) != 1 or not isinstance(item[0], Paragraph):
            return []
        found.append(f"{n}. {plain(item[0].children)}")
    return found


def _says(described: str, line: str) -> bool:
    """Whether a description is this line, with or without its number, or its beginning cut short."""
    bare = line.partition(". ")[2]
    return described in (line, bare) or (described.endswith("…") and line.startswith(described[:-1]))


def _without_sources(block: Block) -> Block | None:
    """A block without the lines of the text's own list of sources, which the page shows as cards; None when none is left."""
    if _is_source((block,)):
        return None
    if not isinstance(block, Items) or block.start is not None:
        return block
    kept = tuple(item for item in block.items if not _is_source(item))
    return Items(None, kept) if kept else None


def _is_source(item: tuple[Block, ...]) -> bool:
    first = item[0] if item else None
    return isinstance(first, Paragraph) and isinstance(first.children[0] if first.children else None, Cite)


def _kind(made: Reply) -> str:
    """``quoted`` is an answer in the library's words; a fixed text that also quotes is not set as one."""
    return "quoted" if made.outcome is Outcome.ANSWERED and made.citations and not made.fixed else made.outcome.value


def _title(made: Reply, web: prompts.WebWords) -> str:
    """The line above a reply that is no plain answer; also what a screen reader hears first."""
    if made.outcome is Outcome.NOT_COVERED:
        return web.nearest if made.citations else web.not_covered
    if made.outcome is Outcome.REFUSED and made.fixed != "limited":
        return web.refused
    if made.outcome is Outcome.ROUTED and made.fixed != "apology":
        return web.routed
    return web.clarify if made.outcome is Outcome.CLARIFY and not made.fixed else ""


def sources(citations: tuple[Citation, ...], words: prompts.Messages, web: prompts.WebWords) -> tuple[Source, ...]:
    """One card a document, in order of first mention."""
    found = []
    for document in dict.fromkeys(c.document for c in citations):
        mine = [c for c in citations if c.document == document]
        first = mine[0]
        verified = web.verified_by.format(date=first.verified_on, verifier=first.verified_by) if first.verified_on else ""
        found.append(
            Source(
                level=str(getattr(words, first.level, first.level)),
                title=first.title,
                publisher=first.publisher,
                published=first.published,
                verified=verified,
                notes=first.notes,
                url=first.url if first.url.startswith(("https://", "http://")) else "",
                numbers=tuple(c.n for c in mine),
            )
        )
    return tuple(found)


@dataclass(frozen=True)
class Passage:
    """An opened quote for the page: the words around it paragraph by paragraph, and the facts of its document."""

    n: int
    answer_id: str
    title: str
    heading: str
    text: Markup
    facts: tuple[tuple[str, str], ...]
    rests_on: tuple[Markup, ...]
    url: str
    in_force: bool


def passage(opened: Opened, answer_id: str, language: str) -> Passage:
    """An opened quote for the page."""
    web = prompts.web_words(language)
    facts = [("", opened.publisher), (web.published, opened.published)]
    if opened.verified_on:
        facts.append((web.verified, web.verified_by.format(date=opened.verified_on, verifier=opened.verified_by)))
    facts += [(web.review_by, opened.review_by), (web.page, str(opened.page or ""))]
    seen = {"official": web.seen_official, "copy": web.seen_copy, "secondary": web.seen_secondary}
    rests = []
    for source in opened.sources:
        words = f"{source.locator} ({seen.get(source.seen, source.seen)})"
        shown = link(source.url, words, web.new_tab) if source.url.startswith("http") else escape(words)
        rests.append(Markup(shown))  # noqa: S704 - escaped in link()
    return Passage(
        n=opened.n,
        answer_id=answer_id,
        title=opened.title,
        heading=opened.heading if opened.heading != opened.title else "",
        text=marked(opened.before, opened.quote, opened.after),
        facts=tuple((name, value) for name, value in facts if value),
        rests_on=tuple(dict.fromkeys(rests)),
        url=opened.url if opened.url.startswith(("https://", "http://")) else "",
        in_force=opened.state == "published",
    )


def marked(before: str, quote: str, after: str) -> Markup:
    """The passage in paragraphs with the quote marked, also where the quote runs over several paragraphs."""
    open_, close = "\ue000", "\ue001"
    whole = before.replace(open_, "").replace(close, "") + open_ + quote + close + after
    paragraphs, inside = [], False
    for part in re.split(r"\n{2,}", whole):
        begins, ends = open_ in part, close in part
        body = escape(part.strip("\n")).replace(open_, "<mark>").replace(close, "</mark>").replace("\n", "<br>")
        body = ("<mark>" if inside else "") + body + ("</mark>" if (inside or begins) and not ends else "")
        inside = (inside or begins) and not ends
        if body.strip():
            paragraphs.append(f"<p>{body}</p>")
    return Markup("".join(paragraphs))  # noqa: S704 - escaped above
