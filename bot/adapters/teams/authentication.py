"""Who sent this activity: verifies the bearer token of a request before anything else looks at it. Called by ``app``.

Rules: the Bot Connector authentication protocol
(https://learn.microsoft.com/azure/bot-service/rest-api/bot-framework-rest-connector-authentication), made stricter where its
libraries are lenient: ``exp`` and ``serviceurl`` are required, the service's host is on a list, and only RS256 is known.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt

from bot.adapters.teams.service_hosts import ServiceHosts

LEEWAY_SECONDS = 300
KEYS_LAST_SECONDS = 24 * 3600
FETCH_SECONDS = 5.0
AFTER_FAILURE_SECONDS = 5.0
REFRESHES = 5
REFRESH_EVERY_SECONDS = 60.0
MAX_TOKEN_CHARS = 16_384
MAX_KEYS_BYTES = 1_000_000

EMULATOR_ISSUERS = (
    "https://sts.windows.net/d6d49420-f39b-4df7-a1dc-d59a935871db/",
    "https://login.microsoftonline.com/d6d49420-f39b-4df7-a1dc-d59a935871db/v2.0",
    "https://sts.windows.net/f8cdef31-a31e-4b4a-93e4-5f571e91255a/",
    "https://login.microsoftonline.com/f8cdef31-a31e-4b4a-93e4-5f571e91255a/v2.0",
)
"""Issuers of tokens that a developer's emulator brings (the protocol page above). Never Teams itself."""


class Refused(Exception):
    """The caller is not who the activity says. ``reason`` is a fixed word for the log; it holds nothing from the request."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class SigningKey:
    """A public key and the channels it may speak for; ``None`` when its whole set names no channels at all."""

    key: jwt.PyJWK
    endorsements: tuple[str, ...] | None


@dataclass(frozen=True)
class Caller:
    """What a verified token says: the service it stands for and the channels its key may speak for."""

    service_url: str
    endorsements: tuple[str, ...] | None


class SigningKeys:
    """The platform's public keys by id, fetched when needed, kept for a day, and fetched again for an unknown id (a new key
    is published before it is used). ``clock`` is monotonic seconds."""

    def __init__(self, url: str, client: httpx.AsyncClient, clock: Callable[[], float]) -> None:
        self._url = url
        self._client = client
        self._clock = clock
        self._keys: dict[str, SigningKey] = {}
        self._fetched = self._failed = float("-inf")
        self._refreshes: list[float] = []
        self._lock = asyncio.Lock()

    async def find(self, kid: str) -> SigningKey:
        """The key called ``kid``. Raises Refused."""
        if kid in self._keys and not self._stale():
            return self._keys[kid]
        async with self._lock:
            if self._stale() or (kid not in self._keys and self._may_refresh()):
                await self._fetch()
        if kid not in self._keys:
            raise Refused("unknown_key")
        return self._keys[kid]

    def _stale(self) -> bool:
        return self._clock() - self._fetched > KEYS_LAST_SECONDS

    def _may_refresh(self) -> bool:
        """At most REFRESHES in a burst, then one each REFRESH_EVERY_SECONDS: strangers cannot make us hammer the platform."""
        now = self._clock()
        self._refreshes = [at for at in self._refreshes if now - at < REFRESHES * REFRESH_EVERY_SECONDS]
        if len(self._refreshes) >= REFRESHES and now - self._refreshes[-1] < REFRESH_EVERY_SECONDS:
            return False
        self._refreshes.append(now)
        return True

    async def _fetch(self) -> None:
        """Replace the keys. After a failure the old ones stay, and the next try waits a little."""
        now = self._clock()
        if now - self._failed < AFTER_FAILURE_SECONDS:
            return
        try:
            metadata = await self._read(self._url)
            keys = _parse(await self._read(str(metadata["jwks_uri"])))
            if not keys:
                raise ValueError("no keys")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, KeyError, TypeError, AttributeError):
            self._failed = self._clock()
            return
        self._keys, self._fetched = keys, now

    async def _read(self, url: str) -> Any:
        async with asyncio.timeout(FETCH_SECONDS):
            response = await self._client.get(url, follow_redirects=False, timeout=FETCH_SECONDS)
        response.raise_for_status()
        if len(response.content) > MAX_KEYS_BYTES:
            raise ValueError("too large")
        return response.json()


def _parse(document: Any) -> dict[str, SigningKey]:
    found: dict[str, SigningKey] = {}
    listed = [entry for entry in document["keys"] if isinstance(entry, dict)]
    speaks_of_channels = any("endorsements" in entry for entry in listed)
    for entry in listed:
        kid = entry.get("kid")
        if entry.get("kty") != "RSA" or entry.get("use", "sig") != "sig" or not isinstance(kid, str):
            continue
        try:
            key = jwt.PyJWK.from_dict(entry, algorithm="RS256")
        except (jwt.PyJWTError, ValueError):
            continue
        if key.key.key_size < 2048:
            continue
        channels = tuple(str(name) for name in entry.get("endorsements") or ())
        found[kid] = SigningKey(key, channels if speaks_of_channels else None)
    return found


@dataclass(frozen=True)
class Verifier:
    """Checks a request's token, then that the activity it came with says the same. Every failure is Refused."""

    app_id: str
    issuers: tuple[str, ...]
    keys: SigningKeys
    hosts: ServiceHosts
    audiences: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not self.app_id:
            raise ValueError("a verifier needs an app id: an empty one would accept tokens meant for nobody")
        names = (self.app_id, f"api://{self.app_id}", f"api://botid-{self.app_id}")
        object.__setattr__(self, "audiences", names)

    async def verify(self, authorization: str | None) -> Caller:
        """Check the ``Authorization`` header alone. Raises Refused."""
        token = _bearer(authorization)
        try:
            head = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Refused("malformed") from None
        kid = head.get("kid")
        if head.get("alg") != "RS256" or not isinstance(kid, str):
            raise Refused("algorithm_or_key")
        signing = await self.keys.find(kid)
        try:
            claims = jwt.decode(
                token,
                signing.key,
                algorithms=["RS256"],
                audience=list(self.audiences),
                issuer=list(self.issuers),
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except (jwt.PyJWTError, ValueError, TypeError, OverflowError, RecursionError) as error:
            raise Refused(_reason(error)) from None
        # The protocol writes the claim in lower case; it is the token's own word for where the activity came from.
        service_url = claims.get("serviceurl", claims.get("serviceUrl"))
        if not isinstance(service_url, str) or not service_url:
            raise Refused("no_service_url")
        return Caller(service_url, signing.endorsements)

    def check(self, caller: Caller, activity: Mapping[str, Any]) -> None:
        """Check that the body does not claim more than the token. Raises Refused."""
        service_url, channel = activity.get("serviceUrl"), activity.get("channelId")
        if not isinstance(service_url, str) or service_url.rstrip("/") != caller.service_url.rstrip("/"):
            raise Refused("service_url")
        if not self.hosts.allows(service_url):
            raise Refused("service_host")
        if not isinstance(channel, str) or not channel:
            raise Refused("no_channel")
        if caller.endorsements is not None and channel not in caller.endorsements:
            raise Refused("not_endorsed")


def issuers(issuer: str, *, development: bool) -> tuple[str, ...]:
    """The issuers accepted: the cloud's own, and the emulator's in development only (their tokens still need a known key)."""
    return (issuer, *EMULATOR_ISSUERS) if development else (issuer,)


def _bearer(authorization: str | None) -> str:
    parts = (authorization or "").split(" ")
    if len(parts) != 2 or parts[0] != "Bearer" or not parts[1]:
        raise Refused("no_token")
    if len(parts[1]) > MAX_TOKEN_CHARS or not parts[1].isascii():
        raise Refused("malformed")
    return parts[1]


def _reason(error: Exception) -> str:
    known = {
        jwt.ExpiredSignatureError: "expired",
        jwt.ImmatureSignatureError: "not_yet_valid",
        jwt.InvalidAudienceError: "audience",
        jwt.InvalidIssuerError: "issuer",
        jwt.MissingRequiredClaimError: "missing_claim",
        jwt.InvalidSignatureError: "signature",
    }
    return known.get(type(error), "malformed")
