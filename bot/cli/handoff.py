"""``signpost handoff``: questions that were handed to a person, as an operator sees them. Every text shown is redacted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Optional, get_args

import typer

from bot.cli.output import Bar, refusals, say
from bot.errors import FormatError, NotAllowed, NotFound

if TYPE_CHECKING:
    from bot.handoff.cases import Case, Line

handoff = typer.Typer(help="Questions handed to a person.", no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Id = Annotated[str, typer.Argument(help="The id shown by list.")]


def _at(seconds: float | None) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds") if seconds is not None else None


def record(case: Case) -> dict[str, Any]:
    """A case for a script: nothing that names the asker, unless they asked under their name."""
    return {
        "id": case.id,
        "state": case.state,
        "platform": case.platform,
        "organization": case.organization,
        "asked_by": case.name or None,
        "question": case.question,
        "created_at": _at(case.created_at),
        "sent_at": _at(case.sent_at),
        "answered_at": _at(case.answered_at),
        "closed_at": _at(case.closed_at),
        "closed_by": case.closed_by or None,
        "reminders": case.reminders,
        "draft": case.draft or None,
    }


def _line(line: Line) -> dict[str, Any]:
    return {"role": line.role, "shown_as": line.shown or None, "text": line.text, "delivered": line.delivered, "at": _at(line.at)}


@handoff.command("list")
def listing(
    state: Annotated[Optional[str], typer.Option("--state", help="Only those in this state.")] = None,  # noqa: UP045
    json_wanted: Json = False,
) -> None:
    """Show questions that were handed to a person, newest first."""
    with refusals(json_wanted):
        from bot.app import App
        from bot.handoff import cases

        states = get_args(cases.State)
        if state is not None and state not in states:
            raise FormatError(f"--state is one of {', '.join(states)}", where="command line")
        with App().database.reading() as connection:
            found = cases.listed(connection, state)
        for case in found:
            text = f"{case.id}  {_at(case.created_at)}  {case.platform}  {case.state}  {' '.join(case.question.split())[:80]}"
            say(record(case), json_wanted=json_wanted, text=text)
        if not found and not json_wanted:
            say(None, json_wanted=False, text="Nothing.")


@handoff.command()
def show(case_id: Id, json_wanted: Json = False) -> None:
    """Show one question and everything written about it."""
    with refusals(json_wanted):
        from bot.app import App
        from bot.handoff import cases

        with App().database.reading() as connection:
            case = cases.find(connection, case_id)
            lines = cases.lines(connection, case_id)
        if case is None:
            raise NotFound(f"no hand-off is called '{case_id}'")
        head = f"{case.id}: {case.state}, asked {_at(case.created_at)} by {case.name or 'somebody without a name'}"
        written = [f"{line.shown or line.role} ({_at(line.at)}, {line.delivered}): {line.text}" for line in lines]
        text = "\n".join([head, case.question, *written])
        say({**record(case), "lines": [_line(line) for line in lines]}, json_wanted=json_wanted, text=text)


@handoff.command()
def resolve(case_id: Id, json_wanted: Json = False) -> None:
    """Close a question; an asker who got no answer is told."""
    with refusals(json_wanted):
        from bot.app import App
        from bot.handoff import cases

        app = App()
        closed = app.handoff.helping.close(case_id)
        with app.database.reading() as connection:
            case = cases.find(connection, case_id)
        if case is None:
            raise NotFound(f"no hand-off is called '{case_id}'")
        if not closed:
            raise NotAllowed(f"hand-off {case_id} is {case.state}", code="wrong_state")
        say(record(case), json_wanted=json_wanted, text=f"{case_id} is closed.")


@handoff.command()
def draft(
    case_id: Id,
    author: Annotated[str, typer.Option("--author", help="Whose words they are; somebody else approves them.")],
    json_wanted: Json = False,
) -> None:
    """Make a draft document of a question and its answer, for review. Nothing is published."""
    with refusals(json_wanted):
        from bot.app import App

        version = App(progress=Bar()).handoff.helping.draft(case_id, author)
        text = f"The draft {version} is in the library. Somebody else reviews it: signpost kb show {version}"
        say({"id": case_id, "draft": version}, json_wanted=json_wanted, text=text)
