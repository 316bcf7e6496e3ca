"""The data files in ``prompts/``: messages, prompts, glossary, names. Each is validated once; errors name file and line.

``files`` reads one, ``language`` and ``texts`` say what shapes there are; here is one function for each file.
"""

from __future__ import annotations

import hashlib
from functools import cache

from bot.prompts.files import folder, validated
from bot.prompts.language import Asks, Commands, CommandWords, Glossary, Names, Placeholders, PlainWords, Signals, Words
from bot.prompts.texts import Demo, DemoQuestion, Instructions, Messages, WebWords

__all__ = [
    "Asks",
    "CommandWords",
    "Commands",
    "Demo",
    "DemoQuestion",
    "Glossary",
    "Instructions",
    "Messages",
    "Names",
    "Placeholders",
    "PlainWords",
    "Signals",
    "WebWords",
    "Words",
    "asks",
    "check",
    "commands",
    "demo",
    "folder",
    "glossary",
    "instructions",
    "messages",
    "names",
    "placeholders",
    "plain_words",
    "signals",
    "validated",
    "version",
    "web_words",
    "words",
]


@cache
def names() -> Names:
    """The names people ask about."""
    return validated(Names, "language/names.yaml")


@cache
def glossary() -> Glossary:
    """Staff's short forms."""
    return validated(Glossary, "language/glossary.yaml")


@cache
def words() -> Words:
    """Stop words and function words."""
    return validated(Words, "language/words.yaml")


@cache
def asks() -> Asks:
    """What questions ask for."""
    return validated(Asks, "language/asks.yaml")


@cache
def placeholders() -> Placeholders:
    """What stands for hidden details in a search."""
    return validated(Placeholders, "language/placeholders.yaml")


@cache
def signals() -> Signals:
    """What weighs in the decision to answer."""
    return validated(Signals, "language/signals.yaml")


@cache
def plain_words() -> PlainWords:
    """The lists behind the check of plain-words restatements."""
    return validated(PlainWords, "language/plain_words.yaml")


@cache
def web_words(language: str) -> WebWords:
    """The words of the web chat in ``language``; English where it is not spoken."""
    name = f"web/{language}.yaml"
    return validated(WebWords, name if (folder() / name).exists() else "web/en.yaml")


@cache
def commands() -> Commands:
    """The typed commands."""
    return validated(Commands, "language/commands.yaml")


@cache
def demo() -> Demo:
    """The demo's questions."""
    return validated(Demo, "demo.yaml")


@cache
def messages(language: str) -> Messages:
    """The fixed texts in ``language``; English where a language has none."""
    name = f"messages/{language}.yaml"
    return validated(Messages, name if (folder() / name).exists() else "messages/en.yaml")


@cache
def instructions() -> Instructions:
    """The chat model's instructions."""
    return validated(Instructions, "model/pointing.yaml")


@cache
def version() -> str:
    """A short hash over every prompt file, recorded with each answer."""
    digest = hashlib.sha256()
    for path in sorted(folder().rglob("*.yaml")):
        digest.update(path.relative_to(folder()).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


_ONE_OF_EACH = (names, glossary, words, asks, placeholders, signals, plain_words, commands, demo, instructions)


def check() -> None:
    """Validate every file of this room; called at start. Raises FormatError."""
    for read in _ONE_OF_EACH:
        read()
    for path in sorted((folder() / "messages").glob("*.yaml")):
        messages(path.stem)
    for path in sorted((folder() / "web").glob("*.yaml")):
        web_words(path.stem)
