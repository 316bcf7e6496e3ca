"""``signpost learn``: the lessons in the terminal, by the same skill as in chat, and what goes with keeping them."""

from __future__ import annotations

import re
import sys
import textwrap
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from bot.cli.output import Bar, refusals, say
from bot.errors import FormatError, NotFound

if TYPE_CHECKING:
    from bot.app import App
    from bot.literacy.conversation import Lessons
    from bot.literacy.lessons import Lesson
    from bot.messages import Message, Reply

PERSON = "terminal:local"
WELCOME = "Lessons. Type as in a chat; a number under a page opens that source, 'quit' leaves and keeps your place."


def register(cli: typer.Typer) -> None:
    """Add the command."""
    cli.command()(learn)


def learn(
    lesson: Annotated[Optional[str], typer.Argument(help="A lesson's number, id or topic.")] = None,  # noqa: UP045
    listed: Annotated[bool, typer.Option("--list", help="Only list the lessons.")] = False,
    json_wanted: Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")] = False,
    language: Annotated[str, typer.Option("--language", help="en or es.")] = "en",
    role: Annotated[Optional[str], typer.Option("--role", help="educator, leader or admin.")] = None,  # noqa: UP045
    org: Annotated[Optional[str], typer.Option("--org", help="Organization, for --counts.")] = None,  # noqa: UP045
    counts: Annotated[bool, typer.Option("--counts", help="How many finished each lesson, from five people on.")] = False,
    approve: Annotated[bool, typer.Option("--approve", help="Approve the lesson's words in --language.")] = False,
    reviewer: Annotated[str, typer.Option("--as", help="Your name, for --approve.")] = "",
) -> None:
    """Take a two-minute lesson; list the lessons; approve a translation; count, without names."""
    with refusals(json_wanted):
        if language not in ("en", "es") or role not in (None, "educator", "leader", "admin"):
            raise FormatError("--language is en or es, --role is educator, leader or admin", where="command line")
        from bot.app import App
        from bot.knowledge.library import utc_now
        from bot.literacy.conversation import build

        app = App(progress=Bar())
        lessons = build(app.settings, app.database, utc_now)
        if counts:
            _counts(app, lessons, org or app.settings.organization, json_wanted)
            return
        chosen = _chosen(lessons, lesson, language)
        if approve:
            _approve(app, chosen, language, reviewer, json_wanted)
        elif listed or (json_wanted and chosen is None):
            _list(app, lessons, language, json_wanted)
        elif json_wanted and chosen is not None:
            say(_whole(chosen, language), json_wanted=True)
        else:
            Desk(app, lessons, language, role, org or app.settings.organization).run(chosen)


def _chosen(lessons: Lessons, wanted: str | None, language: str) -> Lesson | None:
    from bot.literacy.phrases import named

    if wanted is None:
        return None
    found = lessons.catalogue.get(wanted) or named(wanted, lessons.catalogue, "es" if language == "es" else "en")
    if found is None:
        raise NotFound(f"no lesson is called '{wanted}'; 'signpost learn --list' shows them")
    return found


def _list(app: App, lessons: Lessons, language: str, json_wanted: bool) -> None:
    from bot.knowledge.library import utc_now
    from bot.literacy import records, reviews

    with app.database.reading() as connection:
        approved = reviews.approved(connection, lessons.catalogue)
        learner = records.load(connection, PERSON)
    today = utc_now().date()
    for lesson in lessons.catalogue.lessons:
        words = lesson.words(language)
        held, late = lesson.held(today, app.settings.grace_days), lesson.past_review(today)
        row = {
            "number": lesson.number,
            "id": lesson.id,
            "title": words.title,
            "objective": words.objective,
            "leaders_path": lesson.leaders_path,
            "checked_on": lesson.checked_on,
            "review_by": lesson.review_by,
            "state": "held" if held else "past review" if late else "current",
            "draft": words.draft and (lesson.id, language) not in approved,
            "finished": learner is not None and lesson.id in learner.finished,
        }
        marks = [str(row["state"])] if late else []
        marks += [name for name in ("draft", "finished") if row[name]]
        mark = f" ({', '.join(marks)})" if marks else ""
        line = f"{lesson.number:2d}  {words.title}{mark}\n      {words.objective}"
        say(row, json_wanted=json_wanted, text=line)


def _whole(lesson: Lesson, language: str) -> dict[str, Any]:
    words = lesson.words(language)
    return {
        "number": lesson.number,
        "id": lesson.id,
        "language": language,
        "checked_on": lesson.checked_on,
        "review_by": lesson.review_by,
        **words.model_dump(mode="json"),
        "answers": lesson.answers.model_dump(mode="json"),
        "sources": {str(n): source.model_dump(mode="json") for n, source in lesson.sources.items()},
    }


def _approve(app: App, lesson: Lesson | None, language: str, reviewer: str, json_wanted: bool) -> None:
    from bot.knowledge.library import utc_now
    from bot.literacy import reviews

    if lesson is None:
        raise FormatError("--approve needs a lesson", where="command line")
    one_person = app.settings.one_person_publishing
    with app.database.writing() as connection:
        reviews.approve(connection, lesson, language, reviewer, utc_now(), one_person=one_person)
    done = {"lesson": lesson.id, "language": language, "reviewer": reviewer.strip()}
    say(done, json_wanted=json_wanted, text=f"Approved: {lesson.words(language).title} ({language}), by {reviewer.strip()}.")


def _counts(app: App, lessons: Lessons, organization: str | None, json_wanted: bool) -> None:
    from bot.knowledge.library import utc_now
    from bot.literacy.counts import finished

    if not organization:
        raise FormatError("--counts needs --org", where="command line")
    with app.database.writing() as connection:
        rows = finished(connection, organization, lessons.catalogue, utc_now())
    for count in rows:
        shown = "fewer than 5, or none" if count.least is None else f"{count.least} to {count.most}"
        shown = f"{count.least} or more" if count.least is not None and count.most is None else shown
        title = next(x.en.title for x in lessons.catalogue.lessons if x.id == count.lesson)
        row = {"lesson": count.lesson, "least": count.least, "most": count.most}
        say(row, json_wanted=json_wanted, text=f"{title}: {shown}")


class Desk:
    """Lessons at the keyboard. What the skill does not take is asked of the assistant, and the lesson waits."""

    def __init__(self, app: App, lessons: Lessons, language: str, role: str | None, organization: str | None) -> None:
        self._app = app
        self._lessons = lessons
        self._language = language
        self._role = role
        self._organization = organization
        self._last: Reply | None = None

    def run(self, lesson: Lesson | None) -> None:
        """Begin with a lesson, or with the list, and read lines until the end of input or ``quit``."""
        self._say(WELCOME)
        _ = self._app.library  # so that sources open
        opening = {"en": "lesson", "es": "lección"}[self._language]
        self._say(self.respond(f"{opening} {lesson.number}" if lesson else {"en": "lessons", "es": "lecciones"}[self._language]))
        while True:
            try:
                line = input("\nYou: ").strip()
            except (EOFError, KeyboardInterrupt):
                sys.stdout.write("\n")
                return
            if line.lower() in ("quit", "exit", "q"):
                return
            if line:
                self._say(self.respond(line))

    def respond(self, line: str) -> str:
        """What to show for one line."""
        from bot.adapters.terminal import plain

        opened = self._open(line)
        if opened is not None:
            return opened
        message = self._message(line)
        reply = self._lessons.take(message)
        if reply is None:
            # Without a person: whatever answers must not look for a lesson again.
            answered = self._app.ask(replace(message, person=None)).reply
            aside = self._lessons.aside(message)
            self._last = answered
            parts = (plain(answered.markdown), plain(_bare(aside.markdown)) if aside else "")
            return "\n\n".join(part for part in parts if part)
        self._last = reply
        return plain(_bare(reply.markdown))

    def _message(self, line: str) -> Message:
        from bot.messages import Message, Person, Place

        person = Person(PERSON, self._role)  # type: ignore[arg-type]
        return Message(line, organization=self._organization, person=person, place=Place("terminal"), language=self._language)

    def _open(self, line: str) -> str | None:
        """The words of a source, when a number was typed under a page that cites it."""
        if self._last is None or not self._last.citations or not re.fullmatch(r"\d{1,2}", line, re.ASCII):
            return None
        citation = next((c for c in self._last.citations if c.n == int(line)), None)
        if citation is None:
            return f"There is no source {line} here to open."
        facts = f"{citation.title}, {citation.publisher}. Verified {citation.verified_on} by {citation.verified_by}."
        quote = textwrap.fill(citation.quote, 86, initial_indent="  ", subsequent_indent="  ")
        return "\n".join(part for part in (quote, textwrap.fill(facts, 88), *citation.notes, citation.url) if part)

    @staticmethod
    def _say(text: str) -> None:
        sys.stdout.write(f"\n{text}\n")
        sys.stdout.flush()


def _bare(markdown: str) -> str:
    """Emphasis marks away, for a terminal: ``*next*`` reads 'next'."""
    return re.sub(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])", r"'\1'", markdown)
