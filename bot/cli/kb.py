"""``signpost kb``: keeping the library true."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

from bot.cli.output import Bar, refusals, say, who

if TYPE_CHECKING:
    from bot.app import App
    from bot.knowledge.versions import Version

kb = typer.Typer(help="The library: add, review, publish, retire, check.", no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Actor = Annotated[Optional[str], typer.Option("--by", help="Who does this; your login name if not given.")]  # noqa: UP045
Text = Annotated[Optional[str], typer.Option()]  # noqa: UP045
Day = Annotated[Optional[datetime], typer.Option(formats=["%Y-%m-%d"])]  # noqa: UP045
Identifier = Annotated[str, typer.Argument(help="A document (ferpa) or a version of it (ferpa@2).")]


def _app() -> App:
    from bot.app import App

    return App(progress=Bar())


def _day(value: datetime | None) -> date | None:
    return value.date() if value else None


def _brief(version: Version) -> dict[str, Any]:
    return {
        "document": version.document,
        "version": version.id,
        "state": version.state,
        "title": version.front.title,
        "library": version.library,
        "verifier": version.verifier,
        "verified_on": version.verified_on,
        "review_by": version.review_by,
        "held": bool(version.holding),
        "findings": [asdict(finding) for finding in version.holding],
        "notes": [asdict(finding) for finding in version.findings if not finding.holds],
    }


def _looked_at(version: Version) -> list[str]:
    """What a reviewer must look at, in lines."""
    lines = [f"  {i}. look at {f.where}: {f.kind}: {f.excerpt}" for i, f in enumerate(version.holding, 1)]
    lines += [f"  note: {f.where}: {f.kind}: {f.excerpt}" for f in version.findings if not f.holds]
    if version.holding:
        lines.append(f"Held: approving it needs --acknowledge {len(version.holding)} from someone who has looked at them.")
    return lines


@kb.command()
def add(
    path: Annotated[Path, typer.Argument(help="A Markdown, text, HTML, PDF, DOCX or PPTX file.")],
    title: Text = None,
    publisher: Text = None,
    jurisdiction: Text = None,
    kind: Text = None,
    published: Text = None,
    url: Text = None,
    audience: Text = None,
    author: Text = None,
    org: Text = None,
    json_wanted: Json = False,
) -> None:
    """Take a file in as a draft. Nothing is searchable until a second person approves it."""
    with refusals(json_wanted):
        from bot.knowledge.intake import Described

        app = _app()
        described = Described(title, publisher, jurisdiction, kind, published, url, audience)
        added = app.take_in(path, described, author=who(author), organization=org)
        record = {**_brief(added.version), "created": added.created}
        lines = [f"{added.version.id} ({added.version.state}): {added.version.front.title}"]
        if not added.created:
            lines.append("The same text was there already; nothing changed.")
        lines += _looked_at(added.version)
        say(record, json_wanted=json_wanted, text="\n".join(lines))


@kb.command("list")
def list_(
    org: Text = None,
    state: Annotated[Optional[str], typer.Option(help="draft, in_review, published, retired or erased.")] = None,  # noqa: UP045
    json_wanted: Json = False,
) -> None:
    """List documents and their versions."""
    with refusals(json_wanted):
        rows = _app().library.listing(org, state)
        text = "\n".join(f"{r['id']:<44} {r['state']:<10} {r['library']:<10} {r['title']}" for r in rows)
        say(rows, json_wanted=json_wanted, text=text or "The library is empty.")


@kb.command()
def show(identifier: Identifier, json_wanted: Json = False) -> None:
    """Show a version: its facts, its text, its passages."""
    with refusals(json_wanted):
        version = _app().library.show(identifier)
        passages, statements = version.parts
        record = {
            **_brief(version),
            "content_hash": version.content_hash,
            "author": version.author,
            "created_at": version.created_at,
            "front_matter": version.front.model_dump(mode="json"),
            "text": version.text,
            "passages": [
                {
                    "id": p.id,
                    "section": p.section,
                    "heading_path": list(p.heading_path),
                    "page": p.page,
                    "start": p.start,
                    "end": p.end,
                    "text": version.text[p.start : p.end],
                    "statements": [
                        {"start": s.start, "end": s.end, "facts": list(s.facts)} for s in statements if s.passage == p.ordinal
                    ],
                }
                for p in passages
            ],
        }
        head = f"{version.id} ({version.state}) {version.front.title}\n{version.front.publisher} {version.front.url}"
        say(record, json_wanted=json_wanted, text=f"{head}\n\n{version.text}")


@kb.command()
def submit(identifier: Identifier, by: Actor = None, json_wanted: Json = False) -> None:
    """Hand a draft to review."""
    with refusals(json_wanted):
        version = _app().library.submit(identifier, who(by))
        lines = [f"{version.id} is in review.", *_looked_at(version)]
        say(_brief(version), json_wanted=json_wanted, text="\n".join(lines))


@kb.command()
def approve(
    identifier: Identifier,
    verifier: Annotated[str, typer.Option(help="Who verified the text; not its author.")],
    verified_on: Day = None,
    review_by: Day = None,
    acknowledge: Annotated[int, typer.Option(help="How many findings you have looked at; needed when the document is held.")] = 0,
    json_wanted: Json = False,
) -> None:
    """Publish a version in review. A held one needs its findings acknowledged."""
    with refusals(json_wanted):
        app = _app()
        version = app.library.approve(
            identifier, verifier, _day(verified_on), _day(review_by), app.progress, acknowledged=acknowledge
        )
        record = {**_brief(version), "generation": app.library.pointer(version.library)}
        say(record, json_wanted=json_wanted, text=f"{version.id} is published, generation {record['generation']}.")


@kb.command()
def retire(
    identifier: Identifier,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.")],
    by: Actor = None,
    json_wanted: Json = False,
) -> None:
    """Take a document out of the library. Its text stays in the archive; 'erase' removes it."""
    with refusals(json_wanted):
        app = _app()
        version = app.library.retire(identifier, who(by), reason)
        record = {**_brief(version), "generation": app.library.pointer(version.library)}
        say(record, json_wanted=json_wanted, text=f"{version.id} is retired.")


@kb.command()
def erase(
    identifier: Identifier,
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.")],
    by: Actor = None,
    json_wanted: Json = False,
) -> None:
    """Withdraw a document and remove every version's words from every file."""
    with refusals(json_wanted):
        names = _app().library.erase(identifier, who(by), reason)
        say({"erased": names}, json_wanted=json_wanted, text=f"Erased: {', '.join(names)}.")


@kb.command()
def purge(json_wanted: Json = False) -> None:
    """Remove what no stored version needs and give the bytes back to the file system."""
    with refusals(json_wanted):
        count = _app().library.purge()
        say({"vectors_removed": count}, json_wanted=json_wanted, text=f"Removed {count} vectors; files compacted.")


@kb.command()
def history(
    identifier: Annotated[str | None, typer.Argument(help="A document, version or library; all if not given.")] = None,
    json_wanted: Json = False,
) -> None:
    """Show the audit trail."""
    with refusals(json_wanted):
        rows = _app().library.history(identifier)
        text = "\n".join(f"{r.number:>5} {r.at} {r.actor}: {r.action} {r.subject} {r.detail or ''}" for r in rows)
        say([asdict(r) for r in rows], json_wanted=json_wanted, text=text)


@kb.command()
def rollback(
    generation: Annotated[int, typer.Argument(help="The generation to make current again.")],
    reason: Annotated[str, typer.Option(help="Why; kept in the audit trail.")],
    org: Text = None,
    by: Actor = None,
    json_wanted: Json = False,
) -> None:
    """Go back to what an earlier generation published."""
    with refusals(json_wanted):
        from bot.knowledge.library import BASE

        number = _app().library.rollback(org or BASE, generation, who(by), reason)
        say({"generation": number}, json_wanted=json_wanted, text=f"Generation {number} is current.")


@kb.command()
def impact(identifier: Identifier, json_wanted: Json = False) -> None:
    """List the answers that cited a document or version."""
    with refusals(json_wanted):
        rows = _app().library.impact(identifier)
        text = "\n".join(f"{r['at']} answer {r['id']} cited {r['version']} as [{r['n']}]" for r in rows)
        say(rows, json_wanted=json_wanted, text=text or "No recorded answer cited it.")


@kb.command()
def verify(json_wanted: Json = False) -> None:
    """Re-check every hash, span, key and audit row. Exit status 1 when something is wrong."""
    with refusals(json_wanted):
        from bot.knowledge.checks import verify as run

        problems = run(_app().library)
        say({"problems": problems}, json_wanted=json_wanted, text="\n".join(problems) or "Everything checks out.")
    if problems:
        raise typer.Exit(1)


@kb.command()
def doctor(json_wanted: Json = False) -> None:
    """Say what needs a person: reviews due, drafts waiting, thin questions, index state."""
    with refusals(json_wanted):
        from bot.knowledge.checks import doctor as run

        notes = run(_app().library)
        say({"notes": notes}, json_wanted=json_wanted, text="\n".join(notes) or "Nothing needs attention.")


@kb.command("export")
def export_(folder: Annotated[Path, typer.Argument(help="A new or empty folder.")], json_wanted: Json = False) -> None:
    """Write the whole library as Markdown, text and JSON."""
    with refusals(json_wanted):
        from bot.knowledge.exchange import export_library

        app = _app()
        counts = export_library(app.library, folder)
        say(counts, json_wanted=json_wanted, text=f"Wrote {counts['versions']} versions to {folder}.")


@kb.command("import")
def import_(folder: Annotated[Path, typer.Argument(help="A folder written by 'export'.")], json_wanted: Json = False) -> None:
    """Read an exported library into an empty data directory."""
    with refusals(json_wanted):
        from bot.knowledge.exchange import import_library

        app = _app()
        counts = import_library(app.database, app.embedder, folder, app.progress)
        say(counts, json_wanted=json_wanted, text=f"Read {counts['versions']} versions.")
