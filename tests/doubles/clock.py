"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

NOON = datetime(2026, 11, 25, 17, tzinfo=UTC)
"""Noon of a Wednesday in New York."""


class Clock:
    """Called for the time, as the product calls ``utc_now``."""

    def __init__(self, now: datetime = NOON) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **span: float) -> None:
        """Let time pass."""
        self.now += timedelta(**span)
