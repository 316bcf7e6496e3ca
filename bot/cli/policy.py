"""``signpost policy``: test the guardrails, and explain one decision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.output import refusals, say

if TYPE_CHECKING:
    from bot.guardrails.context import Context

policy = typer.Typer(help="The guardrails' policy.", no_args_is_help=True, rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Country = Annotated[str, typer.Option("--country", help="Country whose public lines and number formats apply.")]


def _context(country: str) -> Context:
    from bot.guardrails.context import Contacts, Context
    from bot.knowledge.embedding import MiniLM
    from bot.settings import load

    settings = load()
    return Context(country=country, contacts=Contacts(general=settings.contact), read=MiniLM(settings.threads).read)


@policy.command("test")
def examine(
    file: Annotated[
        Path | None, typer.Argument(help="A JSONL file of {text, handling}; the policy's own examples if none.")
    ] = None,
    country: Country = "US",
    mistakes: Annotated[
        bool, typer.Option("--mistakes", help="Also list the examples decided otherwise (shipped examples only).")
    ] = False,
    json_wanted: Json = False,
) -> None:
    """Put every example and near miss, or the rows of a file, through the screening and report the figures."""
    with refusals(json_wanted):
        from bot.guardrails import evaluation
        from bot.guardrails import policy as rules
        from bot.guardrails.screening import screen
        from bot.messages import Handling

        rules.check()
        context = _context(country)

        def judge(text: str) -> tuple[Handling, str | None, str]:
            screened = screen(text, context)
            return screened.handling, screened.rule, screened.text

        cases = evaluation.file_cases(file) if file is not None else evaluation.example_cases()
        results = evaluation.run(cases, judge)
        wrong = [r for r in results if r.handling is not r.case.handling]
        figures = evaluation.report(results)
        text = evaluation.as_text(figures, wrong)
        if mistakes and file is None:
            text += "\n" + "\n".join(f"{r.case.handling.value} -> {r.handling.value}: {r.case.text}" for r in wrong)
        say(figures, json_wanted=json_wanted, text=text)


@policy.command("explain")
def explain(
    message: Annotated[str, typer.Argument(help="A message as someone might type it.")],
    country: Country = "US",
    json_wanted: Json = False,
) -> None:
    """Say which rule decides a message and why. Nothing is stored."""
    with refusals(json_wanted):
        from bot.guardrails import policy as rules
        from bot.guardrails.screening import screen

        screened = screen(message, _context(country))
        rule = rules.rules().get(screened.rule or "")
        record = {
            "handling": screened.handling.value,
            "rule": screened.rule,
            "version": screened.version,
            "protects": rule.protects if rule else None,
            "owner": rule.owner if rule else None,
            "language": screened.language,
            "text": screened.text,
            "redactions": dict(screened.redactions),
            "notice": screened.notice,
            "caution": screened.caution,
            "reasons": list(screened.reasons),
            "reply": screened.reply.markdown if screened.reply else None,
        }
        lines = [f"{name}: {value}" for name, value in record.items() if value not in (None, "", [], {})]
        say(record, json_wanted=json_wanted, text="\n".join(lines))
