"""The terminal: shows replies in plain text and holds a conversation with history, citations, ``why`` and ``person``."""

from __future__ import annotations

import re
import sys
import textwrap
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from bot.assistant.compose import unescape
from bot.assistant.reasons import in_words
from bot.assistant.record import why as looked_up
from bot.errors import NotFound, SignpostError
from bot.knowledge.versions import read_version
from bot.messages import Action, Answered, Choice, Citation, Message, Person, Place, Reply, Utterance
from bot.store import Database

PERSON = "terminal:local"
"""Whoever sits at this data directory's keyboard: nothing is known about them."""

WIDTH = 88
HELP = """Type a question. Or:
  1, 2, 3     open that citation: the exact words in their place, dates, official page
  why         why the last answer came out as it did
  person      ask a person instead
  new         forget this conversation
  quit        leave"""


def plain(markdown: str) -> str:
    """Markdown as plain text, wrapped."""
    lines = []
    for line in markdown.split("\n"):
        text = unescape(re.sub(r"\*\*(.+?)\*\*", r"\1", line))
        indent = "  " if line.startswith(("- ", "> ")) else ""
        lines.append(textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False))
    return "\n".join(lines)


def show(reply: Reply, answer_id: str) -> None:
    """Print a reply."""
    sys.stdout.write(f"{plain(reply.markdown)}\n\n(answer {answer_id})\n")
    sys.stdout.flush()


def explain(row: dict[str, Any], database: Database) -> str:
    """A receipt in plain words."""
    receipt = row["receipt"]
    signals = receipt["signals"]
    libraries = ", ".join(f"{name} generation {number}" for name, number in row["generation"].items())
    lines = [
        f"Answer {row['id']} of {row['at']}: {row['outcome'].replace('_', ' ')}.",
        f"It looked in {libraries}.",
        f"It judged the chance that the best sentence answers at {100 * signals.get('probability', 0):.0f} %.",
        *([f"What weighed most, {weighed}."] if (weighed := in_words(receipt["reasons"], "en")) else []),
        f"Model: {row['model'] or 'none; the library chose its own sentences'}. Prompts {row['prompt_version']}.",
        f"It took {row['total_ms']:.0f} ms.",
    ]
    with database.reading() as connection:
        for cited in row["citations"]:
            version = read_version(connection, cited["version"])
            words = version.text[cited["start"] : cited["end"]] or "(erased)"
            lines.append(f"[{cited['n']}] {cited['version']} ({version.state}): {words}")
    if receipt["considered"]:
        lines.append("It also looked at: " + ", ".join(f"{name} {score}" for name, score in receipt["considered"][:5]))
    return "\n".join(textwrap.fill(line, WIDTH, subsequent_indent="  ") for line in lines)


def beside_text(figures: dict[str, Any]) -> str:
    """Whole answers of several assistants, a column each."""
    lines = [f"{'':<36}" + "".join(f"{name:>34}" for name in figures)]
    for measure in next(iter(figures.values())):
        cells = [figures[name][measure] for name in figures]
        shown = [
            "none"
            if c["share"] is None
            else f"{c['share']:.3f} [{c['interval'][0]:.3f}, {c['interval'][1]:.3f}] {c['hits']}/{c['of']}"
            for c in cells
        ]
        lines.append(f"{measure:<36}" + "".join(f"{cell:>34}" for cell in shown))
    return "\n".join(lines)


def evaluation_text(result: dict[str, Any]) -> str:
    """An evaluation report as a table."""
    lines = []
    for name, figure in result["figures"].items():
        if figure["of"]:
            low, high = figure["interval"]
            lines.append(f"{name:<52} {figure['share']:.3f}  [{low:.3f}, {high:.3f}]  {figure['hits']}/{figure['of']}")
    lines.append(f"{'AUROC of the decision':<52} {result['auroc']:.3f}")
    lines.append("\nTrade-off: answered when answerable / not covered when not")
    lines += [f"  {p['answered']:.3f} / {p['not covered when not']:.3f}  (threshold {p['threshold']})" for p in result["curve"]]
    lines.append("\nFailures by cause")
    lines += [f"  {count:4d}  {cause}" for cause, count in result["causes"].items()] or ["  none"]
    return "\n".join(lines)


def _listed(choices: Sequence[Choice]) -> str:
    """Choices as numbered lines, for typing."""
    lines = [f"  {n}. {choice.label}" for n, choice in enumerate(choices, 1) if not choice.box]
    return "\n\n" + "\n".join(lines) if lines else ""


class Terminal:
    """A conversation at the keyboard."""

    def __init__(
        self,
        ask: Callable[[Message], Answered],
        database: Database,
        organization: str | None,
        waiting: Callable[[], Sequence[Reply]] = tuple,
    ) -> None:
        self._ask = ask
        self._database = database
        self._organization = organization
        self._waiting = waiting
        self._history: list[Utterance] = []
        self._last: Answered | None = None
        self._choices: tuple[Choice, ...] = ()

    def run(self) -> None:
        """Read lines until the end of input or ``quit``. What waits for whoever comes, such as a person's answer, is said at
        the start and before each question."""
        sys.stdout.write("Signpost. Ask about AI in schools; 'help' shows what else works, 'quit' leaves.\n")
        self._catch_up()
        while True:
            try:
                line = input("\nYou: ").strip()
            except (EOFError, KeyboardInterrupt):
                sys.stdout.write("\n")
                return
            if line.lower() in ("quit", "exit", "q"):
                return
            self._catch_up()
            if line:
                self._say(self.respond(line))

    def _catch_up(self) -> None:
        """Say what arrived; its choices are the ones that a number or a label means next."""
        for reply in self._waiting():
            self._choices = reply.choices
            self._say(plain(reply.markdown) + _listed(reply.choices))

    def respond(self, line: str) -> str:
        """What to show for one line."""
        low = line.lower()
        if low in ("help", "?"):
            return HELP
        if low == "new":
            self._history, self._last, self._choices = [], None, ()
            return "A new conversation."
        if low == "why":
            return self._why()
        if (choice := self._chosen(line)) is not None:
            return self._answered(choice.label, Action(choice.value))
        if re.fullmatch(r"\[?\d{1,2}\]?", low):
            return self._open(int(low.strip("[]")))
        return self._answered(line, None)

    def _answered(self, line: str, action: Action | None) -> str:
        """Ask, and keep what the next line may refer to."""
        message = Message(
            line,
            tuple(self._history[-8:]),
            self._organization,
            person=Person(PERSON),
            place=Place("terminal"),
            action=action,
            at=datetime.now(UTC),
        )
        try:
            self._last = self._ask(message)
        except SignpostError as error:
            return f"Sorry: {error.message}."
        reply = self._last.reply
        self._choices = reply.choices
        if action is None and self._last.receipt.generation:
            self._history += [Utterance("user", line), Utterance("assistant", " ".join(c.quote for c in reply.citations))]
        hint = "\n\nType a number to open a citation, 'why', or 'person'." if reply.citations else ""
        return plain(reply.markdown) + (hint or _listed(reply.choices))

    def _chosen(self, line: str) -> Choice | None:
        """The choice of the last message that was typed: by label, or by number where a number means no citation."""
        for choice in self._choices:
            if line.casefold().rstrip(".!") == choice.label.casefold().rstrip(".!"):
                return choice
        cited = self._last is not None and bool(self._last.reply.citations) and self._choices is self._last.reply.choices
        number = int(line) if line.isdecimal() and len(line) < 3 and not cited else 0
        return self._choices[number - 1] if 1 <= number <= len(self._choices) else None

    def _why(self) -> str:
        if self._last is None:
            return "Nothing has been asked yet."
        try:
            return explain(looked_up(self._database, self._last.receipt.answer_id), self._database)
        except NotFound as error:
            return error.message

    def _open(self, number: int) -> str:
        if self._last is None:
            return "Nothing has been asked yet."
        reply = self._last.reply
        citation = next((c for c in reply.citations if c.n == number), None)
        if citation is None:
            return f"There is no citation {number} in the last answer."
        return self._passage(citation)

    def _passage(self, citation: Citation) -> str:
        with self._database.reading() as connection:
            version = read_version(connection, citation.version)
        passage = next((p for p in version.parts[0] if p.id == citation.passage), None)
        if passage is None:
            return "That text is no longer in the library."
        before = version.text[passage.start : citation.start]
        after = version.text[citation.end : passage.end]
        body = f"{before}>>> {citation.quote} <<<{after}"
        paragraphs = "\n\n".join(textwrap.fill(p, WIDTH, initial_indent="  ", subsequent_indent="  ") for p in body.split("\n\n"))
        head = " > ".join(passage.heading_path) or version.front.title
        page = f", page {passage.page}" if passage.page else ""
        numbers = next((s.facts for s in version.parts[1] if s.start == citation.start), ())
        sources = [version.front.sources[n] for n in numbers if n in version.front.sources]
        traced = "\n".join(f"  Source: {s.locator} ({s.seen}) {s.url}".rstrip() for s in sources)
        facts = (
            f"  {version.front.title}, {version.front.publisher}, {citation.published}{page}. Verified {citation.verified_on} by "
            f"{citation.verified_by}. Review by {version.review_by}."
        )
        return "\n".join(
            part
            for part in (
                head,
                "",
                paragraphs,
                "",
                textwrap.fill(facts, WIDTH, subsequent_indent="  "),
                traced,
                f"  {citation.url}",
            )
            if part is not None
        )

    @staticmethod
    def _say(text: str) -> None:
        sys.stdout.write(f"\n{text}\n")
        sys.stdout.flush()
