"""The commands people use: ask, chat, why, eval, config. The library's own are in ``kb``."""

from __future__ import annotations

import gc
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Optional

import typer

import bot
from bot.cli import backup, learn
from bot.cli.check import check
from bot.cli.data import data
from bot.cli.handoff import handoff
from bot.cli.kb import kb
from bot.cli.output import Bar, as_json, refusals, say
from bot.cli.policy import policy
from bot.cli.serve import register
from bot.errors import FormatError, NotFound

if TYPE_CHECKING:
    from bot.app import App
    from bot.messages import Answered, Message, Reply, Utterance

cli = typer.Typer(
    name="signpost",
    help="Answers questions about AI in schools from vetted guidance, with citations, or says it does not know.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
cli.add_typer(kb, name="kb")
cli.add_typer(policy, name="policy")
cli.add_typer(check, name="check")
cli.add_typer(data, name="data")
cli.add_typer(handoff, name="handoff")
register(cli)
learn.register(cli)
backup.register(cli)
config = typer.Typer(help="Settings.", no_args_is_help=True, rich_markup_mode=None)
cli.add_typer(config, name="config")

Json = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]
Org = Annotated[Optional[str], typer.Option("--org", help="Organization whose own documents come first.")]  # noqa: UP045


def _app(*, brief: bool = False) -> App:
    from bot.app import App

    return App(progress=Bar(), brief=brief)


def _utterances(lines: list[dict[str, Any]]) -> tuple[Utterance, ...]:
    from bot.messages import Utterance

    return tuple(Utterance(line["role"], line["text"]) for line in lines)


def answer_record(answered: Answered, identifier: str) -> dict[str, Any]:
    """What ``ask --json`` prints for one answer."""
    reply, receipt = answered.reply, answered.receipt
    return {
        "id": identifier,
        "answer_id": receipt.answer_id,
        "handling": reply.handling.value,
        "rule": reply.rule,
        "outcome": reply.outcome.value,
        "answer": reply.markdown,
        "citations": [
            {
                "n": c.n,
                "document": c.document,
                "version": c.version,
                "section": c.section,
                "passage": c.passage,
                "title": c.title,
                "publisher": c.publisher,
                "level": c.level,
                "url": c.url,
                "published": c.published,
                "verified_on": c.verified_on,
                "quote": c.quote,
                "start": c.start,
                "end": c.end,
                "page": c.page,
                "notes": list(c.notes),
            }
            for c in reply.citations
        ],
        "choices": [{"label": c.label, "value": c.value} for c in reply.choices],
        "language": reply.language,
        "generation": receipt.generation,
        "model": receipt.model,
        "tokens": receipt.tokens,
        "timings_ms": receipt.timings_ms,
    }


def _message(app: App, text: str, history: tuple[Utterance, ...], org: str | None, role: str | None) -> Message:
    from sqlalchemy import select

    from bot.messages import Message
    from bot.store.tables import libraries

    organization = org or app.settings.organization
    if organization is not None:
        with app.library.database.reading() as connection:
            if connection.execute(select(libraries.c.id).where(libraries.c.id == organization)).first() is None:
                raise NotFound(f"no organization is called '{organization}'")
    return Message(text=text, history=history, organization=organization, role=role)  # type: ignore[arg-type]


@cli.command()
def ask(
    question: Annotated[Optional[str], typer.Argument(help="The question.")] = None,  # noqa: UP045
    batch: Annotated[
        Path | None, typer.Option("--batch", help="Answer every line of a JSONL file ('-' reads standard input).")
    ] = None,
    history: Annotated[Path | None, typer.Option("--history", help="JSON list of {role, text} before the question.")] = None,
    org: Org = None,
    role: Annotated[Optional[str], typer.Option("--role", help="educator, leader or admin.")] = None,  # noqa: UP045
    trace: Annotated[
        bool, typer.Option("--trace", help="With --json: also what was stored, and what a model was or would be sent.")
    ] = False,
    json_wanted: Json = False,
) -> None:
    """Ask one question, or a file of them."""
    with refusals(json_wanted):
        if (question is None) == (batch is None):
            raise FormatError("give a question, or --batch FILE", where="command line")
        if role not in (None, "educator", "leader", "admin"):
            raise FormatError("--role is educator, leader or admin", where="command line")
        app = _app(brief=batch is None)
        if batch is not None:
            _ask_batch(app, batch, org, role, trace)
            return
        app.load_ahead()
        before = _utterances(json.loads(history.read_text(encoding="utf-8"))) if history else ()
        message = _message(app, question or "", before, org, role)
        if json_wanted:
            say(_asked(app, message, None, trace), json_wanted=True)
        else:
            from bot.adapters.terminal import show

            answered = app.ask(message)
            show(answered.reply, answered.receipt.answer_id)


def _asked(app: App, message: Message, identifier: Any, trace: bool) -> dict[str, Any]:
    if not trace:
        answered = app.ask(message)
        return answer_record(answered, answered.receipt.answer_id if identifier is None else identifier)
    from bot.cli.trace import traced

    answered, seen = traced(app, message)
    return {**answer_record(answered, answered.receipt.answer_id if identifier is None else identifier), "trace": seen}


def _ask_batch(app: App, batch: Path, org: str | None, role: str | None, trace: bool) -> None:
    stream = sys.stdin if str(batch) == "-" else batch.open(encoding="utf-8")
    with stream:
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            try:
                data = json.loads(line)
                text = data["question"]
                before = _utterances(data.get("history") or [])
            except (ValueError, KeyError, TypeError):
                raise FormatError('expected {"id", "question", "history"}', where=f"{batch.name}:{number}") from None
            message = _message(app, str(text), before, org or data.get("org"), role)
            sys.stdout.write(as_json(_asked(app, message, data.get("id", number), trace)) + "\n")
            sys.stdout.flush()


@cli.command()
def chat(org: Org = None) -> None:
    """Talk in the terminal."""
    with refusals(False):
        from bot.adapters.terminal import PERSON, Terminal
        from bot.knowledge.library import utc_now

        app = _app()
        _message(app, "", (), org, None)

        def waiting() -> list[Reply]:
            app.handoff_tending.tend(utc_now())
            return app.outbox.shown(PERSON, "terminal")

        Terminal(app.ask, app.database, org or app.settings.organization, waiting).run()


@cli.command()
def why(answer_id: Annotated[str, typer.Argument(help="The id shown with an answer.")], json_wanted: Json = False) -> None:
    """Say in plain words why an answer came out as it did."""
    with refusals(json_wanted):
        from bot.adapters.terminal import explain
        from bot.assistant.record import why as looked_up

        app = _app()
        row = looked_up(app.database, answer_id)
        say(row, json_wanted=json_wanted, text=explain(row, app.database))


@cli.command("eval")
def evaluate(
    files: Annotated[list[Path], typer.Argument(help="JSONL files of questions.")],
    org: Org = None,
    model: Annotated[
        bool, typer.Option("--model", help="Compare whole answers with and without the chat model, on a sample.")
    ] = False,
    count: Annotated[int, typer.Option("--sample", help="With --model: questions in the sample.", min=1)] = 300,
    json_wanted: Json = False,
) -> None:
    """Measure finding and deciding on files of questions."""
    with refusals(json_wanted):
        from bot.adapters.terminal import beside_text, evaluation_text
        from bot.assistant.evaluation import SEED, beside, read_cases, report, run, sample
        from bot.knowledge.library import BASE

        app = _app()
        cases = [case for file in files for case in read_cases(file)]
        if model:
            if not app.settings.has_model:
                raise FormatError("no chat model is configured: set SIGNPOST_OPENAI_BASE_URL or a key", where="--model")
            compared = {"without a model": app.make_assistant(with_model=False).answer, "with the model": app.assistant.answer}
            shelves = app.assistant.shelves([BASE] + ([org] if org else []))
            figures = beside(compared, shelves, sample(cases, count, SEED), org)
            say(figures, json_wanted=json_wanted, text=beside_text(figures))
            return
        shelves = app.assistant.shelves([BASE] + ([org] if org else []))
        result = report(run(app.assistant, shelves, cases))
        say(result, json_wanted=json_wanted, text=evaluation_text(result))


@cli.command()
def demo() -> None:
    """Answer a few real questions, then say how to go on. Uses the data directory in force."""
    with refusals(False):
        from bot import prompts
        from bot.adapters.terminal import show

        app = _app()
        for line in prompts.demo().questions:
            sys.stdout.write(f"\n\033[1m> {line.text}\033[0m" if sys.stdout.isatty() else f"\n> {line.text}")
            sys.stdout.write(f"   (as someone at {line.organization})\n\n" if line.organization else "\n\n")
            answered = app.ask(_message(app, line.text, (), line.organization, None))
            show(answered.reply, answered.receipt.answer_id)
        sys.stdout.write(prompts.demo().closing + "\n")


@config.command("check")
def config_check(json_wanted: Json = False) -> None:
    """Read every setting and data file; name every problem at once."""
    with refusals(json_wanted):
        from bot import prompts
        from bot.assistant.decide import deciders
        from bot.assistant.pair_model import pair_model
        from bot.guardrails import policy, screening
        from bot.guardrails.organizations import Organizations
        from bot.guardrails.second import second
        from bot.literacy import phrases
        from bot.literacy.lessons import catalogue
        from bot.literacy.reminders import rules
        from bot.outbox import quiet_from
        from bot.readiness.instrument import instrument
        from bot.settings import load

        settings = load()
        prompts.check()
        policy.check()
        screening.check()
        second()
        Organizations(settings.policy_dir).check()
        phrases.check()
        catalogue()
        instrument()
        rules(settings.quiet_hours, settings.time_zone, settings.nudges_a_week, settings.grace_days)
        quiet_from(settings)
        deciders()
        pair_model()
        shown = {
            name: ("(set)" if getattr(settings, name) is not None else None)
            if "key" in name or ("token" in name and "tokens" not in name)
            else str(getattr(settings, name))
            for name in type(settings).model_fields
        }
        text = "\n".join(f"SIGNPOST_{name.upper()}={value if value is not None else ''}" for name, value in shown.items())
        say(shown, json_wanted=json_wanted, text=f"{text}\nSettings and data files are valid.")


@cli.command()
def version() -> None:
    """Print the version."""
    say(bot.__version__, json_wanted=False, text=f"signpost {bot.__version__}")


def main() -> None:
    """Run the command."""
    # Modules and data files make many objects that live to the end; looking for garbage among them is a tenth of a start.
    gc.set_threshold(50_000, 20, 100)
    # Our matrices are small: a second thread of numpy's costs more than it gives, most of all when the machine is busy.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    cli()
