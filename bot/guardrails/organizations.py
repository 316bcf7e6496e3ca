"""What organizations add to the policy: one YAML file each in a folder of their own. Read when first needed and when it changed.

``NAME.yaml`` holds for the organization NAME, ``base.yaml`` for everybody without a file. A file that does not validate is
refused when the server starts and by ``signpost config check``; one that breaks later leaves the last good one in force."""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationInfo, field_validator, model_validator

from bot.errors import ConfigurationError, FormatError
from bot.guardrails.policy import Language, Rule, Text, as_pattern, rules, validated
from bot.messages import Handling

BASE = "base"
_log = logging.getLogger("signpost.guardrails")


class NamedContacts(BaseModel):
    """Whom an organization names instead of the settings' contacts; ``offices`` go by a rule's id or its family."""

    model_config = ConfigDict(extra="forbid")

    crisis: str = ""
    general: str = ""
    offices: dict[str, Text] = {}


class OrganizationPolicy(BaseModel):
    """What an organization adds: rules, examples and patterns that catch more, texts and contacts of its own, or soft rules
    switched off. Nothing here makes a shipped rule catch less; hard rules, crisis and privacy stay on, under their own ids, and
    a crisis text always names the contact and the country's lines."""

    model_config = ConfigDict(extra="forbid")

    rules: list[Rule] = []
    examples: dict[str, list[Text]] = {}
    patterns: dict[str, list[str]] = {}
    texts: dict[str, dict[Language, Text]] = {}
    off: list[str] = []
    contacts: NamedContacts = NamedContacts()
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] | None = None

    @model_validator(mode="before")
    @classmethod
    def _off_is_a_word(cls, value: Any) -> Any:
        """YAML reads an unquoted ``off`` as false."""
        return {"off" if name is False else name: item for name, item in value.items()} if isinstance(value, dict) else value

    @field_validator("rules")
    @classmethod
    def _only_more(cls, value: list[Rule]) -> list[Rule]:
        for rule in value:
            if rule.id in rules():
                raise ValueError(f"'{rule.id}' is a shipped rule; add patterns, examples or texts to it instead")
            if rule.handling in (Handling.ANSWER, Handling.ANSWER_REDACTED):
                raise ValueError(f"'{rule.id}' must stop or redirect a message")
            for text in rule.texts.values():
                _fillable(rule.id, text, rule.handling)
        return value

    @field_validator("texts")
    @classmethod
    def _whole_texts(cls, value: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
        for name, texts in value.items():
            if name not in rules():
                raise ValueError(f"no rule is called '{name}'")
            for text in texts.values():
                _fillable(name, text, rules()[name].handling)
        return value

    @field_validator("off")
    @classmethod
    def _never_the_hard_ones(cls, value: list[str]) -> list[str]:
        known = rules()
        for name in value:
            if name not in known:
                raise ValueError(f"no rule is called '{name}'")
            if known[name].hard or known[name].handling is Handling.CRISIS:
                raise ValueError(f"'{name}' cannot be switched off")
        return value

    @field_validator("patterns")
    @classmethod
    def _compile(cls, value: dict[str, list[str]], info: ValidationInfo) -> dict[str, list[str]]:
        return {name: [as_pattern(item, info) for item in items] for name, items in value.items()}

    @model_validator(mode="after")
    def _known_names(self) -> OrganizationPolicy:
        known = {*rules(), *(rule.id for rule in self.rules)}
        for name in (*self.examples, *self.patterns):
            if name not in known:
                raise ValueError(f"no rule is called '{name}'")
        return self


def _fillable(name: str, text: str, handling: Handling) -> None:
    """Raises ValueError when a text's braces cannot be filled in, or a crisis text leaves out whom to call."""
    slots = ("contact", "lines") if handling is Handling.CRISIS else ("owner", "contact")
    try:
        text.format(**dict.fromkeys(slots, ""))
    except (KeyError, IndexError, ValueError, AttributeError):
        raise ValueError(f"the text of '{name}' may hold only {' and '.join('{' + slot + '}' for slot in slots)}") from None
    if handling is Handling.CRISIS and not all("{" + slot + "}" in text for slot in slots):
        raise ValueError(f"the crisis text of '{name}' must name {{contact}} and {{lines}}")


class Organizations:
    """The files of a folder, by organization. ``folder`` None: nobody adds anything."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._read: dict[str, tuple[float, OrganizationPolicy | None]] = {}
        self._lock = threading.Lock()

    def of(self, organization: str | None) -> OrganizationPolicy | None:
        """What holds for an organization beside the shipped policy."""
        if self._folder is None:
            return None
        own = self._file(organization) if organization else None
        return own if own is not None else self._file(BASE)

    def check(self) -> None:
        """Read every file. Raises FormatError naming file and line, ConfigurationError when the folder is missing."""
        if self._folder is None:
            return
        if not self._folder.is_dir():
            raise ConfigurationError(f"SIGNPOST_POLICY_DIR: there is no folder {self._folder}")
        for path in sorted(self._folder.glob("*.yaml")):
            validated(OrganizationPolicy, path)

    def _file(self, name: str) -> OrganizationPolicy | None:
        assert self._folder is not None
        path = self._folder / f"{Path(name).name}.yaml"
        try:
            changed = path.stat().st_mtime
        except OSError:
            return None
        with self._lock:
            known = self._read.get(name)
            if known is None or known[0] != changed:
                self._read[name] = (changed, self._validated(path, known))
            return self._read[name][1]

    def _validated(self, path: Path, known: tuple[float, OrganizationPolicy | None] | None) -> OrganizationPolicy | None:
        try:
            return validated(OrganizationPolicy, path)
        except FormatError as error:
            if known is None:
                raise
            _log.error("the policy file %s does not validate at %s; the last good one stands", path.name, error.where)
            return known[1]
