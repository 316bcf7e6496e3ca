"""``signpost data``: what is kept of people, shown, found, deleted, held; and the keys it is sealed with."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from bot.cli.output import Bar, refusals, say, who
from bot.errors import FormatError

if TYPE_CHECKING:
    from bot.app import App
    from bot.personal.holds import Hold

data = typer.Typer(help="What is kept of people: export, find, purge, hold, rekey.", no_args_is_help=True, rich_markup_mode=None)
hold = typer.Typer(help="Keep what must not be deleted for now.", no_args_is_help=True, rich_markup_mode=None)
data.add_typer(hold, name="hold")

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
By = Annotated[Optional[str], typer.Option("--by", help="Who orders this; your login name if not given.")]  # noqa: UP045
PersonId = Annotated[str, typer.Argument(help="As the platform names them: slack:TEAM:USER, teams:TENANT:USER, web:TOKEN.")]


def _app() -> App:
    from bot.app import App

    return App(progress=Bar())


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "nothing"


@data.command("export")
def export(person: PersonId, json_wanted: Json = False) -> None:
    """Print everything held on a person, for them or for a records request. Exit status 1 when nothing is."""
    with refusals(json_wanted):
        from bot.knowledge.library import utc_now
        from bot.personal.export import as_text, export_person

        app = _app()
        found = export_person(app.database, app.settings, person, utc_now())
        say(found, json_wanted=json_wanted, text=as_text(found))
        if not found["tables"]:
            raise typer.Exit(1)


@data.command()
def find(
    text: Annotated[str, typer.Argument(help="A person or a text; '-' reads standard input, which no shell remembers.")],
    json_wanted: Json = False,
) -> None:
    """Say where a person or a text occurs, in tables and in the bytes of files: places and counts, never words. Exit status 1
    when it occurs nowhere."""
    with refusals(json_wanted):
        from bot.personal.search import in_files, in_tables

        wanted = sys.stdin.read().strip() if text == "-" else text
        if not wanted:
            raise FormatError("give a person or a text", where="command line")
        app = _app()
        with app.database.reading() as connection:
            tables = in_tables(connection, wanted)
        files = in_files(app.database, app.settings.data_dir, [wanted]).get(wanted, [])
        lines = [f"{place}: {count}" for place, count in tables.items()] + [f"in the bytes of {name}" for name in files]
        say({"tables": tables, "files": files}, json_wanted=json_wanted, text="\n".join(lines) or "It occurs nowhere.")
        if not lines:
            raise typer.Exit(1)


@data.command()
def purge(
    older_than: Annotated[
        Optional[int], typer.Option("--older-than", help="Days, in place of every setting's.", min=0)  # noqa: UP045
    ] = None,
    person: Annotated[str | None, typer.Option("--person", help="Only theirs; all of it without --older-than.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count what would go; change nothing.")] = False,
    json_wanted: Json = False,
) -> None:
    """Delete what its days are over for, or a person. Exit status 1 when a hold keeps something, or something was found left."""
    with refusals(json_wanted):
        if person is not None and older_than is None:
            _forget(person, dry_run=dry_run, json_wanted=json_wanted)
            return
        from bot.knowledge.library import utc_now
        from bot.personal import retention

        app = _app()
        done = retention.purge(app.database, app.settings, utc_now(), older_than=older_than, person=person, dry_run=dry_run)
        if not dry_run:
            app.database.compact()
        verb = "Would delete" if dry_run else "Deleted"
        lines = [f"{verb}: {_counts(done.deleted)}."]
        lines += [f"Kept by a hold: {_counts(done.held)}."] if done.held else []
        lines += [f"Forgotten as they had asked: {done.forgotten}."] if done.forgotten else []
        say({**asdict(done), "dry_run": dry_run}, json_wanted=json_wanted, text="\n".join(lines))
        if done.held:
            raise typer.Exit(1)


def _forget(person: str, *, dry_run: bool, json_wanted: bool) -> None:
    """Delete everything of one person, as if they had asked."""
    from bot.knowledge.library import utc_now
    from bot.personal.forgetting import forget_person, to_delete

    app = _app()
    if dry_run:
        counts = to_delete(app.database, person)
        say({"deleted": counts, "dry_run": True}, json_wanted=json_wanted, text=f"Would delete: {_counts(counts)}.")
        return
    done = forget_person(app.database, app.settings.data_dir, person, utc_now().timestamp())
    app.database.compact()
    if done.held is not None:
        text = f"Nothing was deleted: hold {done.held.number} keeps it. It is deleted when the hold ends."
    else:
        text = f"Deleted: {_counts(done.deleted)}.\nStill names them: {_counts(done.stays)}."
        text += f"\nFound where it should be gone: {', '.join(done.left)} (incident {done.incident})." if done.left else ""
    held = done.held.number if done.held is not None else None
    shown = {"deleted": done.deleted, "stays": done.stays, "held_by": held, "left": list(done.left), "dry_run": False}
    say(shown, json_wanted=json_wanted, text=text)
    if done.held is not None or done.left:
        raise typer.Exit(1)


@data.command()
def rekey(
    plain: Annotated[bool, typer.Option("--plain", help="Open everything for good, before the key is taken away.")] = False,
    json_wanted: Json = False,
) -> None:
    """Rewrite people's words under the first key of SIGNPOST_DATA_KEY; older keys are not needed afterwards."""
    with refusals(json_wanted):
        from bot.personal.rekeying import rekey as rewrite

        done = rewrite(_app().database, plain=plain)
        say(done, json_wanted=json_wanted, text=f"Rewritten: {_counts(done)}.")


# -- holds ---------------------------------------------------------------------------------------------------------------


def _shown(found: Hold) -> dict[str, Any]:
    def day(at: float | None) -> str | None:
        return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds") if at is not None else None

    return {**asdict(found), "at": day(found.at), "released_at": day(found.released_at)}


def _line(found: Hold) -> str:
    shown = _shown(found)
    line = f"{found.number}  {found.kind} {found.subject}".rstrip() + f"  since {shown['at']}, by {found.author}: {found.reason}"
    if found.released_at is None:
        return line
    return f"{line}  (ended {shown['released_at']}, by {found.released_by}: {found.released_why})"


@hold.command("add")
def hold_add(
    kind: Annotated[str, typer.Argument(help="person, organization or everything.")],
    subject: Annotated[str, typer.Argument(help="Which person or organization.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why it must be kept.")] = "",
    by: By = None,
    json_wanted: Json = False,
) -> None:
    """Keep a person's or an organization's records, or everything, until the hold is released."""
    with refusals(json_wanted):
        from bot.knowledge.library import utc_now
        from bot.personal import holds

        with _app().database.writing() as connection:
            made = holds.add(connection, kind, subject, reason, who(by), utc_now().timestamp())
        say(_shown(made), json_wanted=json_wanted, text=f"Hold {made.number} is in force.")


@hold.command("list")
def hold_list(
    ended: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False, json_wanted: Json = False
) -> None:
    """Show the holds in force."""
    with refusals(json_wanted):
        from bot.personal import holds

        with _app().database.reading() as connection:
            found = holds.listed(connection, ended=ended)
        text = "\n".join(_line(one) for one in found) or "No hold is in force."
        say([_shown(one) for one in found], json_wanted=json_wanted, text=text)


@hold.command("release")
def hold_release(
    number: Annotated[int, typer.Argument(help="The number shown by list.")],
    reason: Annotated[str, typer.Option("--reason", help="Why it ends.")] = "",
    by: By = None,
    json_wanted: Json = False,
) -> None:
    """End a hold. Who asked meanwhile to be forgotten is forgotten with the next purge."""
    with refusals(json_wanted):
        from bot.knowledge.library import utc_now
        from bot.personal import holds

        with _app().database.writing() as connection:
            ended = holds.release(connection, number, who(by), reason, utc_now().timestamp())
        say(_shown(ended), json_wanted=json_wanted, text=f"Hold {ended.number} has ended.")
