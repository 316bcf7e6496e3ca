"""How fast we may call Slack: a bucket a method and channel, and the platform's own word when it says wait.

Source: docs.slack.dev/apis/web-api/rate-limits (tiers a minute, a method, a workspace; posting about one a second a channel).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

TIERS = {
    "chat.startStream": 20,
    "chat.stopStream": 20,
    "views.open": 100,
    "views.update": 100,
    "views.publish": 100,
    "chat.appendStream": 100,
    "assistant.threads.setSuggestedPrompts": 100,
    "chat.update": 50,
    "conversations.history": 50,
    "conversations.replies": 50,
    "conversations.info": 50,
    "conversations.open": 50,
    "users.info": 100,
    "files.getUploadURLExternal": 100,
    "files.completeUploadExternal": 100,
}
"""Calls a minute, for methods with a tier; posting has the rule of one a second a channel instead."""

CHANNEL_BURST = 5
"""Posts that a channel takes at once before the second-by-second rule holds; the platform tolerates short bursts."""


@dataclass
class _Bucket:
    """Tokens that come back at ``rate`` a second, ``most`` at once."""

    rate: float
    most: float
    tokens: float
    at: float

    def take(self, now: float) -> float:
        """Take one token; seconds to wait before using it."""
        self.tokens = min(self.most, self.tokens + (now - self.at) * self.rate)
        self.at = now
        self.tokens -= 1
        return max(0.0, -self.tokens / self.rate)


class Pace:
    """Waits before a call as long as the limits ask. ``clock`` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float], sleep: Callable[[float], Awaitable[None]]) -> None:
        self._clock = clock
        self._sleep = sleep
        self._buckets: dict[tuple[str, ...], _Bucket] = {}
        self._held: dict[tuple[str, ...], float] = {}

    async def wait(self, team: str, method: str, channel: str = "") -> None:
        """Wait for this call's turn."""
        now = self._clock()
        delay = max(0.0, self._held.get((team, method, channel), 0.0) - now)
        if method in ("chat.postMessage", "chat.postEphemeral") and channel:
            delay = max(delay, self._bucket((team, "post", channel), 1.0, CHANNEL_BURST, now).take(now))
        elif method in TIERS:
            delay = max(delay, self._bucket((team, method), TIERS[method] / 60, TIERS[method], now).take(now))
        if delay > 0:
            await self._sleep(delay)

    def hold(self, team: str, method: str, channel: str, seconds: float) -> None:
        """The platform said to wait: nothing of this kind goes out before."""
        self._held[(team, method, channel)] = self._clock() + seconds

    def _bucket(self, key: tuple[str, ...], rate: float, most: float, now: float) -> _Bucket:
        if len(self._buckets) > 10_000:
            self._buckets = {k: b for k, b in self._buckets.items() if b.tokens + (now - b.at) * b.rate < b.most}
            self._held = {k: until for k, until in self._held.items() if until > now}
        return self._buckets.setdefault(key, _Bucket(rate, most, most, now))
