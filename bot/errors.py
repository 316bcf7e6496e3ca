"""Errors a user may see. Raised anywhere, turned into words at the doors; each has a stable code."""

from __future__ import annotations


class SignpostError(Exception):
    """An expected failure with a stable ``code`` for scripts and a message a person can act on."""

    code = "error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class ConfigurationError(SignpostError):
    """A setting, prompt or data file is unusable; the message names it."""

    code = "configuration"


class FormatError(SignpostError):
    """A shipped or imported data file breaks its schema; ``where`` is ``file:line``."""

    code = "format"

    def __init__(self, message: str, *, where: str) -> None:
        super().__init__(f"{where}: {message}")
        self.where = where


class UnreadableFile(SignpostError):
    """A file cannot be taken into the library. Codes: not_found, empty, unsupported, encrypted,
    damaged, mislabelled, too_large, zip_bomb, no_text, timed_out."""

    code = "damaged"


class NotFound(SignpostError):
    """The document, version, answer or organization named does not exist."""

    code = "not_found"


class NotAllowed(SignpostError):
    """A vetting rule forbids the step, for example an author approving their own document."""

    code = "not_allowed"


class ModelUnavailable(SignpostError):
    """The chat model or remote embedder did not answer usefully within its deadline."""

    code = "model_unavailable"
