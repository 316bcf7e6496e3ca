"""Incidents: a short id that a person can read out, and the one log line that an operator finds under it."""

from __future__ import annotations

import logging
import secrets
import traceback


def incident(logger: logging.Logger, error: BaseException | None, stage: str) -> str:
    """Log what failed and where, and return the id to show. The error's own text is left out: it may quote a message."""
    name = secrets.token_hex(4)
    frames = "".join(traceback.format_tb(error.__traceback__)) if error is not None else ""
    kind = type(error).__name__ if error is not None else "none"
    logger.error("incident %s at %s: %s\n%s", name, stage, kind, frames.rstrip())
    return name
