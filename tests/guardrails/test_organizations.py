"""What an organization adds holds at once, and never makes the shipped policy catch less."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.errors import ConfigurationError, FormatError
from bot.guardrails.context import Context
from bot.guardrails.organizations import OrganizationPolicy, Organizations
from bot.guardrails.screening import screen
from bot.messages import Handling


def test_each_organization_has_its_file_and_the_rest_the_base(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text("contacts: {general: the help desk}\n", encoding="utf-8")
    (tmp_path / "oak.yaml").write_text(
        "contacts: {crisis: Ms. Bell, offices: {misuse: the dean}}\ncountry: GB\n", encoding="utf-8"
    )
    own = Organizations(tmp_path)
    own.check()
    oak, other, nobody = own.of("oak"), own.of("elm"), own.of(None)
    assert oak is not None
    assert (oak.contacts.crisis, oak.contacts.offices, oak.country) == ("Ms. Bell", {"misuse": "the dean"}, "GB")
    assert other is nobody is not None
    assert other.contacts.general == "the help desk"
    assert Organizations(None).of("oak") is None


def test_a_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("contacts: {general: x}\n", encoding="utf-8")
    inside = tmp_path / "policies"
    inside.mkdir()
    assert Organizations(inside).of("../secret") is None


def test_a_file_that_breaks_later_leaves_the_last_good_one(tmp_path: Path) -> None:
    path = tmp_path / "oak.yaml"
    path.write_text("contacts: {general: the help desk}\n", encoding="utf-8")
    own = Organizations(tmp_path)
    before = own.of("oak")
    path.write_text("off: [crisis.self_harm]\n", encoding="utf-8")
    os.utime(path, (1, 1))
    assert own.of("oak") == before
    with pytest.raises(FormatError, match=r"cannot be switched off"):
        own.check()
    with pytest.raises(FormatError):
        Organizations(tmp_path).of("oak")
    with pytest.raises(ConfigurationError, match="SIGNPOST_POLICY_DIR"):
        Organizations(tmp_path / "nowhere").check()


RULE = {"id": "crisis.self_harm", "version": 9, "handling": "smalltalk", "protects": "x", "owner": "y", "hard": False}


@pytest.mark.parametrize(
    "added",
    [
        {"rules": [{**RULE, "texts": {"en": "Hello."}}]},
        {"rules": [{**RULE, "id": "local.pass", "handling": "answer", "texts": {"en": "Hello."}}]},
        {"texts": {"crisis.self_harm": {"en": "Talk to someone."}}},
        {"texts": {"never.grading": {"en": "Ask {nobody}."}}},
        {"texts": {"never.grading": {"en": "Ask {."}}},
        {"texts": {"no.rule": {"en": "Hello."}}},
        {"patterns": {"no.rule": ["x"]}},
        {"examples": {"no.rule": ["x"]}},
        {"off": ["unsafe.dangerous"]},
    ],
)
def test_nothing_weakens_the_shipped_policy(added: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OrganizationPolicy.model_validate(added)


@pytest.mark.parametrize(
    "text", ["my student says he cant do this anymore and gave away his things", "a kid told me she wants to die"]
)
def test_a_pattern_that_catches_everything_leaves_crises_crises(text: str, context: Context) -> None:
    greedy = OrganizationPolicy.model_validate({"patterns": {"scope.elsewhere": ["."], "smalltalk.greeting": ["."]}})
    assert screen(text, replace(context, policy=greedy)).handling is Handling.CRISIS
    assert screen("what is FERPA", replace(context, policy=greedy)).handling is not Handling.ANSWER


def test_an_own_crisis_text_names_contact_and_lines(context: Context) -> None:
    own = OrganizationPolicy.model_validate({"texts": {"crisis.self_harm": {"en": "Get help: {contact} {lines}"}}})
    reply = screen("a kid told me she wants to die", replace(context, policy=own)).reply
    assert reply is not None
    assert reply.markdown.startswith("Get help: ")
    assert "988" in reply.markdown
