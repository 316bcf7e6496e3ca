"""Real processes, killed with signal 9 at every stage: a restart finishes what was accepted, and nothing is posted twice."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).parent.parent.parent

STAGES = [
    "after claim",
    "sign of work",
    "before thinking",
    "after thinking",
    "before posting",
    "after posting",
    "before apology",
    "after apology",
    "after drain",
]


def child(folder: Path, stage: str = "", visit: int = 1) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "tests.e2e.inbox_child", str(folder), stage, str(visit)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)


def acts(folder: Path, count: int, conversations: int) -> list[str]:
    names = [f"{'poison' if n % 7 == 5 else 'm'}{n}" for n in range(count)]
    lines = [f"{name}|c{n % conversations}" for n, name in enumerate(names)]
    (folder / "acts.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return names


def check(folder: Path, names: list[str], conversations: int) -> None:
    """Every act has one end, and a conversation's ends stand in its order."""
    ends = [line.split(" ", 2)[2] for line in (folder / "chat.txt").read_text(encoding="utf-8").splitlines()]
    assert Counter(ends) == Counter(names)
    for c in range(conversations):
        mine = [name for n, name in enumerate(names) if n % conversations == c]
        assert [name for name in ends if name in mine] == mine


@pytest.mark.parametrize("stage", STAGES)
def test_killed_at_any_stage_a_restart_finishes_everything_and_posts_nothing_twice(tmp_path: Path, stage: str) -> None:
    names = acts(tmp_path, 8, 3)
    first = child(tmp_path, stage)
    assert first.wait(60) == -9
    # The platform delivers everything again, as it does when it saw no acknowledgement.
    second = child(tmp_path)
    assert second.wait(60) == 0
    check(tmp_path, names, 3)


def test_killed_again_and_again_at_random_moments_everything_is_still_answered_once(tmp_path: Path) -> None:
    names = acts(tmp_path, 60, 7)
    dice = random.Random(4)
    for _ in range(5):
        process = child(tmp_path, dice.choice(STAGES[:-1]), dice.randrange(1, 9))
        process.wait(60)
    assert child(tmp_path).wait(90) == 0
    check(tmp_path, names, 7)


def test_two_processes_share_the_acts_and_the_death_of_one_stops_nothing(tmp_path: Path) -> None:
    names = acts(tmp_path, 60, 7)
    one, two = child(tmp_path, "after posting", 9), child(tmp_path)
    started = time.monotonic()
    assert one.wait(60) in (-9, 0)
    assert two.wait(60) == 0
    assert time.monotonic() - started < 60
    check(tmp_path, names, 7)
