"""The policy is data: complete, validated with file and line, and not to be weakened where it must hold."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from bot.errors import FormatError
from bot.guardrails import policy
from bot.guardrails.evaluation import privacy_cases
from bot.guardrails.organizations import OrganizationPolicy
from bot.messages import Handling


def test_every_file_of_the_policy_is_valid() -> None:
    policy.check()
    assert len(policy.rules()) > 20


def test_every_rule_says_what_it_protects_who_owns_it_and_speaks_english_and_spanish() -> None:
    for rule in policy.rules().values():
        assert rule.protects
        assert rule.owner
        assert {"en", "es"} <= set(rule.texts)
        if rule.handling is Handling.CRISIS:
            assert {"fr", "zh", "ar"} <= set(rule.texts)
            assert rule.hard
            assert all("{contact}" in text and "{lines}" in text for text in rule.texts.values())


def test_every_rule_has_thirty_examples_and_thirty_near_misses() -> None:
    examples = policy.examples()
    for family in {e.beside for e in examples}:
        assert sum(e.beside == family and e.rule is not None for e in examples) >= 30, family
        assert sum(e.beside == family and e.rule is None for e in examples) >= 30, family
    cases = privacy_cases()
    assert sum(bool(c.details) for c in cases) >= 30
    assert sum(not c.details for c in cases) >= 30


def test_the_organizations_contact_comes_before_the_countrys_lines() -> None:
    for rule in policy.rules().values():
        if rule.handling is Handling.CRISIS:
            for text in rule.texts.values():
                assert text.index("{contact}") < text.index("{lines}")


def test_a_language_that_lacks_a_word_of_a_crisis_text_is_named() -> None:
    data = policy.lines().model_dump()
    del data["labels"]["es"]["doubt"]
    with pytest.raises(ValueError, match="'es' lacks doubt"):
        policy.Lines.model_validate(data)


def test_every_public_line_names_its_source() -> None:
    for entries in policy.lines().countries.values():
        assert {"emergency", "suicide"} <= {entry.topic for entry in entries}
        assert all(entry.source.startswith("https://") for entry in entries)


def test_a_broken_rule_is_named_by_file_and_line(tmp_path: Path) -> None:
    folder = tmp_path / "prompts" / "policy"
    folder.mkdir(parents=True)
    path = folder / "crisis.yaml"
    path.write_text(
        "version: 1\nfamily: crisis\nrules:\n  - id: crisis.x\n    version: 1\n    handling: crisis\n    protects: a\n"
        "    owner: b\n    hard: true\n    texts:\n      en: text\n    certain:\n      - '('\n",
        encoding="utf-8",
    )
    with pytest.raises(FormatError, match=r"policy/crisis\.yaml:1[23]"):
        policy.validated(policy.Family, path)


@pytest.mark.parametrize("rule", ["crisis.self_harm", "unsafe.minors_sexual", "injection.override"])
def test_an_organization_cannot_switch_off_a_hard_rule(rule: str) -> None:
    with pytest.raises(ValidationError, match="cannot be switched off"):
        OrganizationPolicy(off=[rule])


def test_an_organization_can_switch_off_a_soft_rule() -> None:
    assert OrganizationPolicy(off=["never.grading"]).off == ["never.grading"]
