"""Inspects what goes out. One function, called by the turn last, on the reply as it will be shown."""

from __future__ import annotations

from dataclasses import replace

from bot.guardrails import outgoing
from bot.guardrails.context import Context, Inspected
from bot.guardrails.links import stripped
from bot.guardrails.policy import outgoing as policy
from bot.guardrails.policy import rules
from bot.messages import Outcome, Reply

_ANYONE = {"en": "your administrator", "es": "su director o directora"}


def inspect(reply: Reply, context: Context, fixed_texts: frozenset[str] = frozenset()) -> Inspected:
    """Make a reply safe to show, or hold it back.

    A fixed text passes by its id alone, when the id is a rule's or one of ``fixed_texts`` (the skills' own). Images, strange
    links and markup are taken out; a restatement with personal data, claims or links is dropped; personal data, forbidden
    claims or too much text in our own words hold the reply back."""
    if reply.fixed is not None and (reply.fixed in rules() or reply.fixed in fixed_texts or _added(reply.fixed, context)):
        return Inspected(reply, held=False)
    markdown, problems = stripped(reply.markdown, context.links)
    restatement = reply.restatement
    if restatement is not None and outgoing.bad_restatement(restatement, context):
        markdown, restatement = markdown.replace(restatement, ""), None
        problems.append("restatement dropped")
    notices = tuple(stripped(notice, context.links)[0] for notice in reply.notices)
    label = policy().label.get(_shown(reply.language), policy().label["en"])  # type: ignore[call-overload]
    if context.model is not None and label not in notices and label not in markdown:
        notices = (*notices, label)
    safe = replace(reply, markdown=markdown.strip(), restatement=restatement, notices=notices, fixed=None)
    objections = outgoing.objections(safe, context)
    if not objections:
        return Inspected(safe, held=False, problems=tuple(problems))
    return Inspected(_held(reply, context), held=True, problems=(*problems, *objections))


def _shown(language: str) -> str:
    return language if language in ("en", "es") else "en"


def _added(name: str, context: Context) -> bool:
    return context.policy is not None and any(rule.id == name for rule in context.policy.rules)


def _held(reply: Reply, context: Context) -> Reply:
    shown = _shown(reply.language)
    contact = context.contacts.general or _ANYONE[shown]
    text = policy().held[shown].format(contact=contact)  # type: ignore[index]
    return Reply(
        outcome=Outcome.ROUTED,
        handling=reply.handling,
        markdown=text,
        language=shown,
        rule="outgoing.held",
        fixed="outgoing.held",
    )
