"""``signpost check group``: groups that take the check together, as a leader or an administrator runs them at the command line.

Nothing here looks at an answer: figures are those of published rounds, and nobody's part in one is shown."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional, get_args

import typer

from bot.cli.output import refusals, say, who
from bot.errors import FormatError, NotAllowed, NotFound

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from bot.app import App
    from bot.messages import Reply
    from bot.readiness.group_report import GroupReport
    from bot.readiness.rounds import Group, Member, Round

group = typer.Typer(help="Groups that take the check together.", no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Id = Annotated[str, typer.Argument(help="The group's id, shown by list.")]
COLUMNS = ("person", "role_group", "school_level")


def _members(path: Path) -> list[Member]:
    """The people of a CSV file with the columns person, role_group and school_level. Raises FormatError naming the line."""
    from bot.readiness.instrument import instrument
    from bot.readiness.rounds import Member

    if not path.is_file():
        raise NotFound(f"there is no file '{path}'")
    rules = instrument().rules.group
    known = {"role_group": tuple(rules.role_groups), "school_level": tuple(rules.school_levels)}
    found: dict[str, Member] = {}
    with path.open(encoding="utf-8-sig", newline="") as lines:
        table = csv.DictReader(lines)
        if tuple(table.fieldnames or ()) != COLUMNS:
            raise FormatError(f"the first line names the columns: {','.join(COLUMNS)}", where=f"{path}:1")
        for row in table:
            where = f"{path}:{table.line_num}"
            values = {name: (row[name] or "").strip() for name in COLUMNS}
            if values["person"].count(":") < 1:
                raise FormatError("a person is written slack:TEAM:USER, teams:TENANT:USER or web:NAME", where=where)
            for name, allowed in known.items():
                if values[name] not in allowed:
                    raise FormatError(f"{name} is one of: {', '.join(allowed)}", where=where)
            if values["person"] in found:
                raise FormatError(f"{values['person']} stands here twice", where=where)
            found[values["person"]] = Member(**values)
    if not found:
        raise FormatError("nobody stands in it", where=f"{path}:2")
    return list(found.values())


def _chosen(name: str, value: str, allowed: tuple[str, ...]) -> Any:
    if value not in allowed:
        raise FormatError(f"--{name} is one of: {', '.join(allowed)}", where="command line")
    return value


def _about(app: App, one: Group) -> dict[str, Any]:
    """A group for a script: numbers of those invited, never who answered."""
    waiting = app.rounds.waiting(one.id)
    return {
        "id": one.id,
        "name": one.name,
        "organization": one.organization,
        "form": one.form,
        "every": one.every,
        "split": one.split,
        "min_group": one.min_group,
        "invites": app.rounds.invites(one.id),
        "open_until": waiting.closes_on.isoformat() if waiting else None,
        "published": [published.closes_on.isoformat() for published in app.rounds.published(one.id)],
    }


def _line(about: dict[str, Any]) -> str:
    people = sum(about["invites"].values())
    stand = f"open until {about['open_until']}" if about["open_until"] else f"{len(about['published'])} rounds published"
    return f"{about['id']}  {about['name']}  {people} people, {about['form']}, {about['every']}; {stand}"


@group.command()
def create(
    name: Annotated[str, typer.Argument(help="What the group is called; people see it.")],
    members: Annotated[Path, typer.Option("--members", help="A CSV file: person,role_group,school_level.")],
    form: Annotated[str, typer.Option("--form", help="pulse or full.")] = "full",
    every: Annotated[str, typer.Option("--every", help="once, monthly or quarterly.")] = "once",
    split: Annotated[str, typer.Option("--split", help="role_group or school_level: how figures are parted.")] = "role_group",
    min_group: Annotated[Optional[int], typer.Option("--min-group", help="Fewest people shown; 5 at least.")] = None,  # noqa: UP045
    organization: Annotated[Optional[str], typer.Option("--org", help="Whose group it is.")] = None,  # noqa: UP045
    language: Annotated[str, typer.Option("--language", help="en or es.")] = "en",
    by: Annotated[Optional[str], typer.Option("--as", help="Your name.")] = None,  # noqa: UP045
    json_wanted: Json = False,
) -> None:
    """Make a group of chosen people. Nobody is written to until a round is opened; then show what would be shown."""
    with refusals(json_wanted):
        from bot.app import App
        from bot.knowledge.library import utc_now
        from bot.readiness.instrument import LANGUAGES, FormName
        from bot.readiness.rounds import Every, Split

        app = App()
        made = app.rounds.create(
            name,
            _members(members),
            by=who(by),
            now=utc_now(),
            organization=organization,
            split=_chosen("split", split, get_args(Split)),
            min_group=min_group,
            every=_chosen("every", every, get_args(Every)),
            form=_chosen("form", form, get_args(FormName)),
            language=_chosen("language", language, tuple(LANGUAGES)),
        )
        about = _about(app, made)
        say(about, json_wanted=json_wanted, text=_line(about))


@group.command("list")
def listing(json_wanted: Json = False) -> None:
    """Show the groups, the newest first."""
    with refusals(json_wanted):
        from bot.app import App

        app = App()
        found = [_about(app, one) for one in app.rounds.groups()]
        say(found, json_wanted=json_wanted, text="\n".join(map(_line, found)) or "There are no groups yet.")


@group.command()
def preview(identifier: Id, json_wanted: Json = False) -> None:
    """Say which figures would be shown if everyone invited answered. No answer is looked at."""
    with refusals(json_wanted):
        from bot.app import App

        app = App()
        shown, invites = app.rounds.preview(identifier), app.rounds.invites(identifier)
        hidden = [name for name in invites if name not in shown.shown]
        lines = ["If everyone invited answers:"]
        lines.append("- everyone together: shown" if shown.parent else "- everyone together: not shown, too few people")
        lines += [f"- {name} ({invites[name]}): shown" for name in shown.shown]
        lines += [f"- {name} ({invites[name]}): not shown, to protect people in small groups" for name in hidden]
        record = {"group": identifier, "parent_shown": shown.parent, "shown": list(shown.shown), "hidden": hidden}
        say(record, json_wanted=json_wanted, text="\n".join(lines))


@group.command("open")
def opening(
    identifier: Id,
    days: Annotated[Optional[int], typer.Option("--days", min=2, max=60, help="How long it stays open.")] = None,  # noqa: UP045
    json_wanted: Json = False,
) -> None:
    """Open a round: people are invited by the running server, in their own daytime, and reminded twice at most."""
    with refusals(json_wanted):
        from bot.app import App
        from bot.knowledge.library import utc_now

        app = App()
        if app.rounds.open(identifier, utc_now(), days) is None:
            raise NotAllowed("a round of this group is open already, or was in this period", code="wrong_state")
        about = _about(app, app.rounds.group(identifier))
        say(about, json_wanted=json_wanted, text=f"Open until {about['open_until']}. It is published once, after that day.")


def _published(app: App, identifier: str) -> list[Round]:
    app.rounds.group(identifier)
    found = app.rounds.published(identifier)
    if not found:
        raise NotFound("no round of this group is published yet; nothing is shown before it closes")
    return found


@group.command()
def show(
    identifier: Id,
    out: Annotated[Optional[Path], typer.Option("--out", help="A .png picture or an .html table to write.")] = None,  # noqa: UP045
    json_wanted: Json = False,
) -> None:
    """Show the newest published round: text and trend; with --out its picture or its table. Frozen when it was published."""
    with refusals(json_wanted):
        from bot.app import App
        from bot.readiness.group_report import GroupReport, line_picture, whole_text
        from bot.readiness.instrument import instrument

        rounds = _published(App(), identifier)
        report, text = GroupReport(instrument(), rounds[-1]), whole_text(instrument(), rounds)
        record: dict[str, Any] = {"group": identifier, "closed": rounds[-1].closes_on, "text": text}
        if out is not None and out.suffix == ".html":
            out.write_text(report.table().html(), encoding="utf-8")
        elif out is not None:
            if out.suffix != ".png":
                raise FormatError("--out ends in .png or .html", where="command line")
            drawn = line_picture(instrument(), rounds) or report.picture()
            if drawn is None:
                raise NotFound("nothing of this round is shown, so there is no picture")
            out.write_bytes(drawn.png)
            record["alt"] = drawn.alt
        say(record | ({"file": str(out)} if out else {}), json_wanted=json_wanted, text=text + (f"\n\n{out}" if out else ""))


@group.command()
def share(
    identifier: Id,
    place: Annotated[str, typer.Option("--to", help="slack:TEAM:CHANNEL or teams:TENANT:CONVERSATION.")],
    code: Annotated[str, typer.Option("--code", help="The code of the preview: post exactly what it showed.")] = "",
    by: Annotated[Optional[str], typer.Option("--as", help="Your name.")] = None,  # noqa: UP045
    json_wanted: Json = False,
) -> None:
    """Share the newest published round with a channel: first a preview with a code, then once, with that code."""
    with refusals(json_wanted):
        from bot.app import App
        from bot.knowledge.library import utc_now
        from bot.readiness.group_report import GroupReport, whole_text
        from bot.readiness.instrument import instrument
        from bot.readiness.sharing import Sharing
        from bot.store import outbox
        from bot.store.outbox import To

        app, to, now = App(), To.to_channel(place), utc_now()
        rounds = _published(app, identifier)
        text, language = whole_text(instrument(), rounds), rounds[-1].group.language
        sharing, newest = Sharing(app.database), rounds[-1].id
        if not code:
            given = sharing.preview(newest, place, text, who(by), now)
            asked = instrument().say(language, "group_preview", place=place)
            again = f"signpost check group share {identifier} --to {place} --code {given}"
            record = {"place": place, "text": text, "code": given}
            say(record, json_wanted=json_wanted, text=f"{text}\n\n{asked}\n{again}")
            return
        reply = _reply(text, language, GroupReport(instrument(), rounds[-1]))

        def post(connection: Connection) -> bool:
            key = f"readiness.round:{newest}:{place}:{code}"[:240]
            return outbox.put(connection, key, to, reply, kind="readiness.round", now=now.timestamp(), at_once=True)

        if not sharing.confirm(newest, place, text, code, now, post):
            raise NotAllowed("that is not the code of what was previewed here, or it was shared here before", code="wrong_code")
        done = instrument().say(language, "group_shared", place=place)
        say({"place": place, "shared": True}, json_wanted=json_wanted, text=done)


def _reply(text: str, language: str, report: GroupReport) -> Reply:
    from bot.messages import Handling, Outcome, Reply

    return Reply(Outcome.ROUTED, Handling.ANSWER, text, language, fixed="readiness.round", picture=report.picture())
