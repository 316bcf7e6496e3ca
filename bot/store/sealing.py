"""Words sealed at rest: keys made from long secrets, the column type that seals, and the check that the keys are the right ones.

Columns of type :class:`Sealed` hold what people said. With ``SIGNPOST_DATA_KEY`` their words are written under the first of its
keys and read under any; rows from before stay readable. Without it they are written as they are. Sealed text is Fernet
(AES-128 in CBC mode with HMAC-SHA256; cryptography.io, "Fernet"), so a changed or foreign text is refused, never guessed.
"""

from __future__ import annotations

import base64
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Dialect, Engine, Text
from sqlalchemy.types import TypeDecorator

from bot.errors import ConfigurationError

MARK = "\x1fsealed:"
"""How a sealed text begins: a control character that no message keeps."""

LEAST_CHARS = 32
"""Characters of a secret that keys are made from."""

_RING = "signpost_ring"


class Seal:
    """Closes and opens secrets with a key derived from one long text. ``purpose`` keeps the keys of two uses apart."""

    def __init__(self, secret: str, purpose: bytes) -> None:
        key = HKDF(SHA256(), 32, salt=None, info=purpose).derive(secret.encode())
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self.name = HKDF(SHA256(), 4, salt=None, info=purpose + b" name").derive(secret.encode()).hex()

    def close(self, text: str) -> bytes:
        """``text`` sealed."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes, within: int | None = None) -> str | None:
        """The text, or None when it was not sealed with this key, was changed, or is older than ``within`` seconds."""
        try:
            return self._fernet.decrypt(sealed, ttl=within).decode()
        except (InvalidToken, ValueError):
            return None


class KeyRing:
    """The keys of the data: the first seals, every one opens."""

    def __init__(self, secrets: tuple[str, ...]) -> None:
        """Raises ConfigurationError without a key, or for one that is too short."""
        if not secrets or any(len(secret) < LEAST_CHARS for secret in secrets):
            raise ConfigurationError(f"SIGNPOST_DATA_KEY: each key must have at least {LEAST_CHARS} characters")
        seals = [Seal(secret, b"signpost data") for secret in secrets]
        self.first = seals[0]
        self._by_name = {seal.name: seal for seal in reversed(seals)}

    @property
    def names(self) -> tuple[str, ...]:
        """The keys' names, made from them but telling nothing of them."""
        return tuple(self._by_name)

    def close(self, text: str) -> str:
        """``text`` as it is written: sealed under the first key; an empty text stays empty."""
        return f"{MARK}{self.first.name}:{self.first.close(text).decode()}" if text else text

    def open(self, stored: str) -> str:
        """What a column holds as text. Raises ConfigurationError for what none of the keys opens."""
        name, token = _parts(stored)
        if not name:
            return stored
        seal = self._by_name.get(name)
        text = seal.open(token.encode()) if seal is not None else None
        if text is None:
            raise ConfigurationError(f"SIGNPOST_DATA_KEY lacks the key '{name}' that this text was sealed with")
        return text

    def is_current(self, stored: str) -> bool:
        """Whether a column's text needs no rewriting: empty, or sealed under the first key."""
        return not stored or _parts(stored)[0] == self.first.name


def sealed(stored: str) -> bool:
    """Whether a column's text is sealed."""
    return bool(_parts(stored)[0])


def _parts(stored: str) -> tuple[str, str]:
    """The key's name and the token; empty for a text that is not sealed."""
    if not stored.startswith(MARK):
        return "", stored
    name, _, token = stored.removeprefix(MARK).partition(":")
    return name, token


class Sealed(TypeDecorator[str]):
    """A text column that is sealed at rest where keys are set. Never compare it with anything but the empty text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Seal on the way in."""
        if not value:
            return value
        ring = ring_of(dialect)
        return ring.close(value) if ring is not None else value.removeprefix(MARK[0])

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        """Open on the way out. Raises ConfigurationError where the key is missing."""
        if not value:
            return value
        ring = ring_of(dialect)
        if ring is not None:
            return ring.open(value)
        if sealed(value):
            raise ConfigurationError("SIGNPOST_DATA_KEY is not set, but this text is sealed")
        return str(value)


def use(engine: Engine, ring: KeyRing | None) -> None:
    """Give an engine its keys."""
    setattr(engine.dialect, _RING, ring)


def ring_of(dialect: Dialect) -> KeyRing | None:
    """The keys of the engine this dialect belongs to."""
    return getattr(dialect, _RING, None)
