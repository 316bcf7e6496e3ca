"""How long a person waits in a readiness check: ``python -m tests.benchmarks.readiness [--data DIR] [--people N]``.

Every step is a whole turn without a model (screened, answered, inspected, written down) over the shipped library, in one warm
process. What the library says to the moves is looked up ahead, as the server does at its start; how long that takes is noted. The
picture is measured alone."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import defaultdict
from datetime import date
from pathlib import Path

from bot.app import App
from bot.messages import Action, Choice, Message, Person, Place, Reply
from bot.readiness.export import picture
from bot.readiness.instrument import instrument
from bot.readiness.result import result_of
from bot.settings import Settings
from tests.benchmarks.report import Bar, Table, bars_table, load_average
from tests.benchmarks.timing import clocks, percentile, since

STEP_BAR_MS, PICTURE_BAR_MS = 150.0, 400.0

Times = dict[str, list[tuple[float, float]]]
"""Milliseconds by step: on the wall's clock, and of this process's processors."""


class Taking:
    """One person who takes a check; every turn is timed under the name of its step."""

    def __init__(self, app: App, name: str, times: Times) -> None:
        self._turn = app.turn
        self._person, self._place = Person(f"web:local:{name}"), Place("web", "local", name)
        self._times = times
        self._choices: tuple[Choice, ...] = ()

    def _take(self, step: str, text: str, action: Action | None = None) -> Reply:
        message = Message(text, person=self._person, place=self._place, action=action)
        begun = clocks()
        reply = self._turn.take(message).reply
        self._times[step].append(since(begun))
        self._choices = reply.choices
        return reply

    def types(self, step: str, text: str) -> Reply:
        """Type a line."""
        return self._take(step, text)

    def presses(self, step: str, label: str) -> Reply:
        """Press a button of the last reply. Raises LookupError where it is not there."""
        found = next((choice for choice in self._choices if choice.label == label), None)
        if found is None:
            raise LookupError(f"no button {label!r} after {step!r}")
        return self._take(step, label, Action(found.value))


def take_mini_check(taking: Taking, shift: int) -> None:
    """Fifteen questions with every kind of step between them, to the result and another idea."""
    taking.types("introduction", "check")
    taking.presses("first question", "Mini check")
    taking.presses("skip", "Skip")
    taking.presses("back", "Back")
    taking.types("typed answer", str(1 + shift % 4))
    taking.presses("pause", "Pause")
    taking.types("resume", "resume")
    for number in range(13):
        taking.presses("pressed answer", "Not sure" if number % 7 == 3 else str(1 + (number + shift) % 4))
    reply = taking.presses("result", "2")
    if reply.fixed != "readiness.result" or reply.picture is None:
        raise LookupError("the check did not end in its result")
    taking.presses("another idea", "Another idea")


def steps(app: App, people: int) -> tuple[Table, list[Bar]]:
    """Each step of ``people`` mini checks, after a question that is not counted and loads what answers."""
    times: Times = defaultdict(list)
    app.turn.take(Message("When did the amended COPPA rule take effect?"))
    begun = time.perf_counter()
    app.readiness.look_up_ahead(None)
    ahead = (time.perf_counter() - begun) * 1000
    for number in range(people):
        take_mini_check(Taking(app, f"person-{number}", times), number)
    table = Table("Steps of a check, whole turns without a model", ("step", "count", "p50 ms", "p95 ms", "cpu p95 ms"))
    bars = []
    for step, both in times.items():
        taken, processor = [wall for wall, _ in both], [cpu for _, cpu in both]
        table.rows.append((step, len(taken), percentile(taken, 50), percentile(taken, 95), percentile(processor, 95)))
        bars.append(Bar(f"{step} p95, ms", percentile(taken, 95), STEP_BAR_MS))
    table.notes.append(f"{people} mini checks; every move looked up ahead in {ahead:.0f} ms; load {load_average()}")
    return table, bars


def pictures(times: int) -> tuple[Table, list[Bar]]:
    """Drawing a result in both languages, the first one in the process (which loads the drawing library) apart."""
    content = instrument()
    table = Table("Drawing the picture of a result", ("picture", "count", "p50 ms", "p95 ms"))
    bars = []

    def drawn(language: str, shift: int) -> float:
        items = content.rules.forms["full"].items
        answers: dict[str, int | None] = {item: 1 + (n + shift) % 4 for n, item in enumerate(items)}
        result = result_of(content, language, "full", answers, date(2026, 11, 25))
        begun = time.perf_counter()
        picture(content, language, result)
        return (time.perf_counter() - begun) * 1000

    table.rows.append(("the first of a process", 1, drawn("en", 0), None))
    for language in ("en", "es"):
        taken = [drawn(language, shift) for shift in range(times)]
        table.rows.append((language, times, percentile(taken, 50), percentile(taken, 95)))
        bars.append(Bar(f"picture ({language}) p95, ms", percentile(taken, 95), PICTURE_BAR_MS))
    return table, bars


def main() -> None:
    """Print both tables, then the bars; leave with 1 where one is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.readiness", description=__doc__)
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep the shipped library here, and use it when it is there")
    parser.add_argument("--people", type=int, default=20, help="mini checks to take")
    options = parser.parse_args()
    drawing, bars = pictures(30)
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.data.resolve() if options.data else Path(scratch)
        app = App(Settings(_env_file=None, data_dir=folder, limit_person=0))  # type: ignore[call-arg]
        try:
            taken, more = steps(app, options.people)
        finally:
            app.close()
    bars = more + bars
    for table in (taken, drawing, bars_table(bars)):
        print(table.text())
    sys.exit(0 if all(bar.met for bar in bars) else 1)


if __name__ == "__main__":
    main()
