"""A double of Slack and a house before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.adapters.slack.house import House
from tests.doubles.slack import SlackDouble


@pytest.fixture
def double() -> Iterator[SlackDouble]:
    """Slack on loopback."""
    with SlackDouble() as running:
        yield running


@pytest.fixture
def house(double: SlackDouble, tmp_path: Path) -> Iterator[House]:
    """The door of one workspace."""
    made = House(tmp_path, double)
    yield made
    made.close()


@pytest.fixture
def make_house(double: SlackDouble, tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Doors with other settings."""
    houses: list[House] = []

    def make(**changes: Any) -> House:
        houses.append(House(tmp_path, double, **changes))
        return houses[-1]

    yield make
    for made in houses:
        made.close()


@pytest.fixture
def anyio_backend() -> str:
    """Async tests run on asyncio."""
    return "asyncio"
