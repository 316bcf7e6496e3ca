"""The readiness check on the command line: score and suppress files for scripts, take the check, make a figure."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Optional

import typer

from bot.cli.group import group
from bot.cli.output import refusals, say
from bot.errors import FormatError, NotFound

if TYPE_CHECKING:
    from bot.messages import Message, Reply
    from bot.readiness.conversation import Readiness
    from bot.readiness.scoring import Score

check = typer.Typer(help="The readiness check.", no_args_is_help=True, rich_markup_mode=None)
check.add_typer(group, name="group")

Batch = Annotated[Path, typer.Option("--batch", help="A JSONL file; '-' reads standard input.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
FORMS = ("pulse", "full")


def _lines(batch: Path) -> Iterator[tuple[dict[str, Any], str]]:
    """Each line with the place to name in an error. Raises FormatError."""
    if str(batch) != "-" and not batch.is_file():
        raise NotFound(f"there is no file '{batch}'")
    text = sys.stdin.read() if str(batch) == "-" else batch.read_text(encoding="utf-8-sig")
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        where = f"{batch}:{number}"
        try:
            found = json.loads(line)
        except json.JSONDecodeError as error:
            raise FormatError(f"not JSON: {error.msg}", where=where) from None
        if not isinstance(found, dict) or "id" not in found:
            raise FormatError("expected an object with an id", where=where)
        yield found, where


def _each(batch: Path, json_wanted: bool, work: Callable[[dict[str, Any], str], tuple[dict[str, Any], str]]) -> None:
    with refusals(json_wanted):
        # Everything is worked out before anything is printed: a bad line leaves no half of an answer.
        done = [work(line, where) for line, where in _lines(batch)]
        for record, text in done:
            say(record, json_wanted=json_wanted, text=text)


def _answers(line: dict[str, Any], where: str, known: tuple[str, ...]) -> dict[str, int | None]:
    given = line.get("answers")
    if line.get("form") not in FORMS or not isinstance(given, dict):
        raise FormatError("form is pulse or full, answers an object", where=where)
    answers: dict[str, int | None] = {}
    for item, level in given.items():
        if item not in known:
            raise FormatError(f"there is no item '{item}'", where=where)
        if level != "ns" and (isinstance(level, bool) or level not in (1, 2, 3, 4)):
            raise FormatError(f'{item} is 1 to 4 or "ns"', where=where)
        answers[item] = None if level == "ns" else int(level)
    return answers


def score_record(identifier: object, scored: Score) -> dict[str, Any]:
    """What ``check score --json`` prints for one check: means are exact, as "n/d"."""
    means = {n: None if m is None else f"{m.numerator}/{m.denominator}" for n, m in scored.dimensions.items()}
    following = None if scored.next is None else {"dimension": scored.next[0], "item": scored.next[1]}
    return {
        "id": identifier,
        "stage": scored.stage,
        "capped": scored.capped,
        "dimensions": means,
        "balance": dict(scored.balance),
        "next": following,
    }


@check.command()
def score(batch: Batch, json_wanted: Json = False) -> None:
    """Score a file of checks: {"id", "form", "answers": {item: 1..4 or "ns"}} a line."""
    from bot.readiness.instrument import instrument
    from bot.readiness.scoring import score as scored

    rules = instrument().rules

    def work(line: dict[str, Any], where: str) -> tuple[dict[str, Any], str]:
        record = score_record(line["id"], scored(rules, line["form"], _answers(line, where, rules.forms["full"].items)))
        following = record["next"]["item"] if record["next"] else "none"
        return record, f"{record['id']}: stage {record['stage'] or 'none'}{' (capped)' * record['capped']}, next {following}"

    _each(batch, json_wanted, work)


@check.command()
def suppress(batch: Batch, json_wanted: Json = False) -> None:
    """Say what may be shown of groups: {"id", "splits": {name: people}} a line, optionally "min_group" and "previous"."""
    from bot.readiness.suppression import Earlier, disclose, disclose_again, minimum_group, people_from_counts

    def counts(found: Any, where: str) -> dict[str, int]:
        good = isinstance(found, dict) and all(isinstance(n, int) and not isinstance(n, bool) and n >= 0 for n in found.values())
        if not good:
            raise FormatError("splits is an object of names and whole numbers", where=where)
        return dict(found)

    def work(line: dict[str, Any], where: str) -> tuple[dict[str, Any], str]:
        splits, minimum = counts(line.get("splits"), where), minimum_group(int(line.get("min_group", 5)))
        shown = disclose(splits, minimum)
        if line.get("previous") is not None:
            before = counts(line["previous"], where)
            earlier = Earlier(people_from_counts(before), disclose(before, minimum))
            shown = disclose_again(people_from_counts(splits), [earlier], minimum, tuple(splits))
        record = {"id": line["id"], "parent_shown": shown.parent, "shown": list(shown.shown)}
        return record, f"{line['id']}: {'all' if shown.parent else 'nothing'}{''.join(f', {name}' for name in shown.shown)}"

    _each(batch, json_wanted, work)


def _person() -> str:
    return "terminal:local"


def _message(text: str, language: str) -> Message:
    from datetime import UTC, datetime

    from bot.messages import Message, Person, Place

    return Message(text, person=Person(_person()), place=Place("terminal"), language=language, at=datetime.now(UTC))


def _print(reply: Reply) -> None:
    from bot.adapters.terminal import plain

    # The four levels and "not sure" are the message's own numbered lines; the other choices are words to type.
    words = [choice.label for choice in reply.choices if reply.fixed != "readiness.question" or len(choice.label) > 1]
    typed = f"\n\n[{' | '.join(words)}]" if words else ""
    sys.stdout.write(f"\n{plain(reply.markdown)}{typed}\n")
    sys.stdout.flush()


def converse(skill: Readiness, answer: Callable[[Message], Reply], first: str, language: str) -> None:
    """Hold a check at the keyboard until the end of input or "exit". ``answer`` takes what the check does not."""
    reply: Reply | None = skill.take(_message(first, language))
    while reply is not None:
        _print(reply)
        if reply.fixed == "readiness.result":
            sys.stdout.write("\n'signpost check figure --out FILE' keeps it as .png, .pdf or .csv; 'exit' leaves.\n")
        try:
            line = input("\n> ").strip()
        except (EOFError, KeyboardInterrupt):
            sys.stdout.write("\n")
            return
        if line.lower() in ("exit", "q"):
            return
        message = _message(line, language)
        reply = skill.take(message) or answer(message)


@check.command()
def take(
    form: Annotated[Optional[str], typer.Option("--form", help="pulse or full; asks when left out.")] = None,  # noqa: UP045
    language: Annotated[str, typer.Option("--language", help="en or es.")] = "en",
) -> None:
    """Take the check at the keyboard. Everything works by typing; it can be left and taken up again."""
    from bot.app import App

    with refusals(False):
        if form not in (None, *FORMS) or language not in ("en", "es"):
            raise FormatError("--form is pulse or full, --language en or es", where="command line")
        app = App()
        words = {None: "check", "pulse": "quick pulse", "full": "mini check"}
        converse(app.readiness, lambda message: app.turn.take(message).reply, words[form], language)


@check.command()
def approve(
    language: Annotated[str, typer.Option("--language", help="The language of the texts, for example es.")],
    author: Annotated[str, typer.Option("--author", help="Who wrote them.")],
    reviewer: Annotated[str, typer.Option("--as", help="Your name: you have read them.")],
    json_wanted: Json = False,
) -> None:
    """Approve a translation of the check as it stands. Changing a word of it later makes it a draft again."""
    from bot.app import App
    from bot.knowledge.library import utc_now
    from bot.readiness import approval
    from bot.readiness.instrument import instrument

    with refusals(json_wanted):
        content = instrument()
        if language not in content.content or language == "en":
            known = ", ".join(name for name in content.content if name != "en")
            raise FormatError(f"--language is one of: {known}", where="command line")
        approval.approve(App().database, content, language, author=author, reviewer=reviewer, now=utc_now())
        done = {"language": language, "reviewer": reviewer.strip()}
        say(done, json_wanted=json_wanted, text=f"Approved: the check's texts ({language}), by {reviewer.strip()}.")


@check.command()
def figure(
    out: Annotated[Path, typer.Option("--out", help="A .png, .pdf or .csv file to write.")],
    form: Annotated[Optional[str], typer.Option("--form", help="pulse or full; the newest when left out.")] = None,  # noqa: UP045
    json_wanted: Json = False,
) -> None:
    """Write your newest result as a picture, a one-page PDF, or the answers as CSV."""
    from bot.app import App

    with refusals(json_wanted):
        kind = out.suffix.lower().removeprefix(".")
        if kind not in ("png", "pdf", "csv") or form not in (None, *FORMS):
            raise FormatError("--out ends in .png, .pdf or .csv; --form is pulse or full", where="command line")
        kinds: dict[str, Literal["png", "pdf", "csv"]] = {"png": "png", "pdf": "pdf", "csv": "csv"}
        made = App().readiness.export(_person(), kinds[kind], form)  # type: ignore[arg-type]
        if made is None:
            raise NotFound("there is no finished check here; signpost check take makes one")
        out.write_bytes(made.content)
        say({"file": str(out), "bytes": len(made.content)}, json_wanted=json_wanted, text=f"{out} ({len(made.content)} bytes)")
