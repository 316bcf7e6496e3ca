"""Whether a request comes from Slack. Called by ``app`` before anything is parsed.

Source: docs.slack.dev/authentication/verifying-requests-from-slack. Every malformed header is a plain no: nothing here raises.
"""

from __future__ import annotations

import hashlib
import hmac

from bot.adapters.slack.limits import EVENT_AGE


def genuine(secret: str, body: bytes, timestamp: str | None, signature: str | None, now: float) -> bool:
    """True for a signature of ``body`` made with ``secret`` at most 300 seconds from ``now`` (seconds since 1970)."""
    if not secret or not timestamp or not signature or not timestamp.isascii() or not timestamp.isdigit():
        return False
    if len(timestamp) > 12 or abs(now - int(timestamp)) > EVENT_AGE:
        return False
    base = b"v0:" + timestamp.encode() + b":" + body
    expected = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "surrogateescape"))
