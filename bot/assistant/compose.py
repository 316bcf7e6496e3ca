"""Turns chosen statements into a Reply: verbatim quotes with numbers, then who says so, since when, and who checked it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from bot import prompts
from bot.knowledge.shelf import Shelved
from bot.messages import Choice, Citation, Handling, Outcome, Reply

_ESCAPES = str.maketrans({c: "\\" + c for c in "\\`*_[]<>#|~"})


def escape(text: str) -> str:
    """Text as Markdown that shows exactly these characters."""
    return text.translate(_ESCAPES)


def unescape(text: str) -> str:
    """The reverse of :func:`escape`."""
    out, i = [], 0
    while i < len(text):
        if text[i] == "\\" and i + 1 < len(text):
            i += 1
        out.append(text[i])
        i += 1
    return "".join(out)


def cite(n: int, shelved: Shelved, words: prompts.Messages, today: date) -> Citation:
    """The citation of one statement, with the notes a reader needs beside it."""
    version, front = shelved.version, shelved.version.front
    notes = []
    if front.sample:
        notes.append(words.sample)
    if front.confidence in ("secondary", "mixed"):
        notes.append(words.secondary)
    if version.review_by and today > version.review_by:
        notes.append(words.past_review.format(date=version.review_by.isoformat()))
    return Citation(
        n=n,
        document=version.document,
        version=version.id,
        section=shelved.passage.section,
        passage=shelved.passage.id,
        title=front.title,
        publisher=front.publisher,
        url=front.url,
        published=front.published or "",
        verified_on=version.verified_on.isoformat() if version.verified_on else "",
        verified_by=version.verifier or "",
        level=front.level,
        quote=shelved.text,
        start=shelved.statement.start,
        end=shelved.statement.end,
        page=shelved.passage.page,
        notes=tuple(notes),
    )


def withheld(shelved: Shelved, today: date, grace_days: int) -> bool:
    """Whether the document is so long past its review date that its words are not shown."""
    review = shelved.version.review_by
    return review is not None and today > review + timedelta(days=grace_days)


def source_lines(citations: tuple[Citation, ...], words: prompts.Messages) -> list[str]:
    """One line a document, in order of first mention, naming level, title, publisher, dates, verifier, address."""
    lines: list[str] = []
    for document in dict.fromkeys(c.document for c in citations):
        mine = [c for c in citations if c.document == document]
        first = mine[0]
        numbers = "".join(f"[{c.n}]" for c in mine)
        line = words.source.format(
            n="\x00",
            level=getattr(words, first.level),
            title=escape(first.title),
            publisher=escape(first.publisher),
            published=f" ({first.published})" if first.published else "",
            verified=words.verified.format(date=first.verified_on, verifier=escape(first.verified_by)),
        ).replace("[\x00]", numbers)
        notes = " ".join(first.notes)
        lines.append(" ".join(part for part in (line, notes, f"<{first.url}>" if first.url else "") if part))
    return lines


def answered(chosen: list[Shelved], language: str, today: date, extra: tuple[str, ...] = ()) -> Reply:
    """An answer of one to three statements. The best comes first; the rest follow in reading order."""
    words = prompts.messages(language)
    rest = sorted(chosen[1:], key=lambda s: (s.version.id != chosen[0].version.id, s.version.id, s.statement.start))
    citations = tuple(cite(n, shelved, words, today) for n, shelved in enumerate([chosen[0], *rest], 1))
    body = quotes(citations)
    notices = list(extra)
    levels = {c.level for c in citations}
    if "local" in levels and len(levels) > 1:
        notices.append(words.differs)
    if language != "en":
        notices.append(words.quoted_in_english)
    text = "\n\n".join([body, *notices, "\n".join(f"- {line}" for line in source_lines(citations, words))])
    return Reply(Outcome.ANSWERED, Handling.ANSWER, text, language, citations, notices=tuple(notices))


def quotes(citations: tuple[Citation, ...]) -> str:
    """The quoted sentences, each with its number."""
    return "\n\n".join(f"{escape(c.quote)} [{c.n}]" for c in citations)


def with_restatement(reply: Reply, text: str) -> Reply:
    """An answer with a checked restatement, labelled, under its quotes."""
    line = prompts.messages(reply.language).restated.format(text=escape(text))
    body = quotes(reply.citations)
    rest = reply.markdown.removeprefix(body)
    return replace(reply, markdown=f"{body}\n\n{line}{rest}", restatement=line)


def ask_person(words: prompts.Messages, contact: str) -> str:
    """Who to ask, as set by the organization or in general."""
    return words.ask_person.format(contact=escape(contact)) if contact else words.ask_person_unset


def not_covered(near: list[Shelved], language: str, today: date, contact: str) -> Reply:
    """The honest end: not covered, with the nearest thing shown as such where there is one, and a person."""
    words = prompts.messages(language)
    if not near:
        text = f"{words.not_covered} {ask_person(words, contact)}"
        return Reply(Outcome.NOT_COVERED, Handling.ANSWER, text, language)
    citations = tuple(cite(n, shelved, words, today) for n, shelved in enumerate(near[:1], 1))
    quote = "\n\n".join(f"> {escape(c.quote)} [{c.n}]" for c in citations)
    lines = "\n".join(f"- {line}" for line in source_lines(citations, words))
    text = "\n\n".join([words.not_covered_near, quote, lines, ask_person(words, contact)])
    return Reply(Outcome.NOT_COVERED, Handling.ANSWER, text, language, citations)


def held_back(shelved: Shelved, language: str, contact: str) -> Reply:
    """The only answer stands in a document too long past review: name it, point to the official page."""
    words = prompts.messages(language)
    review = shelved.version.review_by
    text = words.withheld.format(
        title=escape(shelved.version.front.title),
        date=review.isoformat() if review else "",
        url=shelved.version.front.url or "-",
    )
    return Reply(Outcome.NOT_COVERED, Handling.ANSWER, f"{text}\n\n{ask_person(words, contact)}", language)


def clarify(options: list[tuple[str, str]], language: str) -> Reply:
    """One question with buttons; each option is (label, question to ask instead)."""
    words = prompts.messages(language)
    choices = (*(Choice(label, value) for label, value in options), Choice(words.neither, words.neither))
    listed = "\n".join(f"{n}. {escape(choice.label)}" for n, choice in enumerate(choices, 1))
    return Reply(Outcome.CLARIFY, Handling.ANSWER, f"{words.clarify}\n\n{listed}", language, choices=choices)


def together(parts: list[tuple[str, Reply]], language: str) -> Reply:
    """Several questions of one message answered in one reply, citations renumbered throughout."""
    words = prompts.messages(language)
    texts: list[str] = []
    citations: list[Citation] = []
    for question, reply in parts:
        shift = len(citations)
        renumbered = reply.markdown
        for citation in sorted(reply.citations, key=lambda c: -c.n):
            renumbered = renumbered.replace(f"[{citation.n}]", f"[{citation.n + shift}]")
        citations += [Citation(**{**citation.__dict__, "n": citation.n + shift}) for citation in reply.citations]
        texts.append(f"**{words.part.format(question=escape(question))}**\n\n{renumbered}")
    outcome = Outcome.ANSWERED if any(r.outcome is Outcome.ANSWERED for _, r in parts) else parts[0][1].outcome
    return Reply(outcome, Handling.ANSWER, "\n\n".join(texts), language, tuple(citations))
