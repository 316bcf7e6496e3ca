"""A published round in words, as table rows, and as pictures. Pure; shows only what the frozen result holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from bot.messages import Picture
from bot.readiness.figure import draw_bars, draw_lines
from bot.readiness.groups import OVERALL, Cell, Figures, GroupResult, for_trend
from bot.readiness.instrument import Instrument
from bot.readiness.record import day
from bot.readiness.result import Bar
from bot.readiness.rounds import Round
from bot.readiness.trends import Published, group_change, not_comparable


@dataclass(frozen=True)
class Table:
    """An accessible table: a caption, column heads and rows whose first cell is the row's head."""

    caption: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def html(self) -> str:
        """The table as HTML with scopes, for the console and exports."""
        heads = "".join(f'<th scope="col">{escape(head)}</th>' for head in self.heads)
        body = ""
        for first, *rest in self.rows:
            body += f'<tr><th scope="row">{escape(first)}</th>' + "".join(f"<td>{escape(cell)}</td>" for cell in rest) + "</tr>"
        return f"<table><caption>{escape(self.caption)}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


class GroupReport:
    """The words and pictures of one published round."""

    def __init__(self, instrument: Instrument, round_: Round) -> None:
        assert round_.result is not None
        assert round_.published_at is not None
        self._instrument = instrument
        self._language = round_.group.language
        self._texts = instrument.texts[self._language]
        self._round = round_
        self._result: GroupResult = round_.result
        self._published_at = round_.published_at

    def _say(self, key: str, /, **values: object) -> str:
        return self._instrument.say(self._language, key, **values)

    def split_name(self, split: str) -> str:
        """A split's name as people say it; the whole group for the empty one."""
        sayings = self._instrument.sayings[self._language]
        return self._say("all") if split == OVERALL else (sayings.role_groups | sayings.school_levels)[split]

    def figure_name(self, figure: str) -> str:
        """A dimension's name, or "Overall"."""
        return self._say("group_overall") if figure == OVERALL else self._texts.dimensions[figure]

    def _band(self, people: tuple[int, int | None]) -> str:
        low, high = people
        return self._say("band_low", low=low, high=high) if high else self._say("band_high", low=low)

    def _rate(self) -> str:
        return self._say("percent", share=self._result.rate_at_least)

    def _cell(self, cell: Cell | None, name: str) -> str:
        """One figure as a sentence."""
        if cell is None:
            return self._say("group_hidden", name=name)
        if cell.stage is None:
            return self._say("group_similar", name=name)
        word = self._texts.stages[cell.stage].name  # type: ignore[index]
        text = self._say("group_dimension", name=name, level=cell.stage, word=word)
        return f"{text} {self._say('group_mean', mean=cell.mean)}" if cell.mean else text

    def lines(self, figures: Figures) -> list[str]:
        """Every figure of the group or a split, one sentence each."""
        names = (OVERALL, *self._texts.dimensions)
        return [self._cell(figures.cells.get(name), self.figure_name(name)) for name in names]

    def title(self) -> str:
        """The group and its window."""
        opened, closes = day(self._round.opens_on, self._language), day(self._round.closes_on, self._language)
        return self._say("group_title", group=self._round.group.name, opened=opened, closes=closes)

    def _nothing(self) -> str:
        if self._result.held:
            return self._say("group_held")
        return self._say("group_none", min_group=self._result.min_group)

    def text(self) -> str:
        """Everything that is published, in Markdown."""
        parts = [f"**{self.title()}**"]
        if not self._result.figures:
            return "\n\n".join([*parts, self._nothing()])
        for figures in self._result.figures:
            head = f"**{self.split_name(figures.name)}**"
            counted = self._say("group_people", people=self._band(figures.people), rate=self._rate())
            first = [head, "", counted, ""] if figures.name == OVERALL else [head, ""]
            parts.append("\n".join([*first, *(f"- {line}" for line in self.lines(figures))]))
        parts += [self._say("group_hidden", name=self.split_name(split)) for split in self._hidden_names()]
        parts += self._more()
        fixed = self._say("group_fixed", date=day(self._published_at, self._language))
        return "\n\n".join([*parts, self._say("group_note"), fixed])

    def _hidden_names(self) -> list[str]:
        """Splits that are not shown. Said only where some are, so that absence tells nothing."""
        return list(self._result.hidden) if len(self._result.figures) > 1 else []

    def _more(self) -> list[str]:
        parts = []
        if self._result.spread is not None:
            shares = (self._say("percent", share=share) for share in self._result.spread)
            low, middle, high = shares
            parts.append(self._say("group_spread", low=low, middle=middle, high=high))
        if self._result.not_sure is not None:
            parts.append(self._say("group_not_sure", share=self._result.not_sure))
        if self._result.gap:
            topics = ", ".join(self.figure_name(name) for name in self._result.gap)
            parts.append(self._say("group_gap", topics=topics))
        return parts

    def table(self) -> Table:
        """The figures as a table: one row a dimension, one column the whole group and each shown split."""
        columns = self._result.figures
        heads = (self._say("column_what"), *(self.split_name(f.name) for f in columns))
        rows = []
        for name in (OVERALL, *self._texts.dimensions):
            title = self.figure_name(name)
            cells = (self._cell(f.cells.get(name), title).removeprefix(f"{title}: ") for f in columns)
            rows.append((title, *cells))
        return Table(self.title(), heads, tuple(rows))

    def picture(self) -> Picture | None:
        """The whole group as bars; None where nothing is shown."""
        if not self._result.figures:
            return None
        whole = self._result.figures[0]
        shown = []
        for name in self._texts.dimensions:
            cell = whole.cells.get(name)
            shown.append(Bar(self.figure_name(name), cell.stage if cell else None, "", False))
        lines = self.lines(whole)
        title = self._say("group_figure_title", group=self._round.group.name)
        foot = self._say("group_fixed", date=day(self._published_at, self._language))
        headline = lines[0].removeprefix(f"{self.figure_name(OVERALL)}: ")
        headline = headline[0].upper() + headline[1:]
        png = draw_bars(title, headline, shown, lines[1:], foot)
        return Picture(png, self._say("picture", title=title, stage=f"{headline}.", bars="; ".join(lines[1:]), foot=foot))


def trend_of(instrument: Instrument, round_: Round) -> Published:
    """What a trend may use of a published round."""
    assert round_.result is not None
    form = round_.group.form
    return for_trend(instrument.rules, round_.result, form, round_.wording_version, round_.closes_on, round_.asked)


def trend_text(instrument: Instrument, before: Round, now: Round) -> str:
    """Likely up, likely down or about the same, figure by figure; or why two rounds cannot be compared."""
    report, language = GroupReport(instrument, now), now.group.language
    old, new = trend_of(instrument, before), trend_of(instrument, now)
    least = max(before.group.min_group, now.group.min_group)
    why = not_comparable(instrument.rules, old, new, least)
    if why is not None:
        return instrument.say(language, "group_trend_none", why=instrument.say(language, f"why_{why}"))
    assert before.result is not None
    assert now.result is not None
    lines = [instrument.say(language, "trend_head", date=day(before.closes_on, language)), ""]
    for name, direction in group_change(instrument.rules, old, new).items():
        word = instrument.say(language, f"trend_word_{direction}")
        lines.append(f"- {instrument.say(language, 'group_trend', name=report.figure_name(name), word=word)}")
    rates = [instrument.say(language, "percent", share=r.rate_at_least) for r in (before.result, now.result)]
    lines += ["", instrument.say(language, "rates", before=rates[0], now=rates[1])]
    return "\n".join([*lines, "", instrument.say(language, "trend_caution")])


def whole_text(instrument: Instrument, published: Sequence[Round]) -> str:
    """Everything published of a group's newest round, and what it tells beside the one before it. ``published`` is oldest
    first and not empty."""
    text = GroupReport(instrument, published[-1]).text()
    return text if len(published) < 2 else f"{text}\n\n{trend_text(instrument, published[-2], published[-1])}"


def line_picture(instrument: Instrument, rounds: Sequence[Round]) -> Picture | None:
    """Lines over the comparable rounds, oldest first; None before there are three of one wording and form.

    A point is the published mean where one was shown, else the published stage: never a figure that was not published."""
    shown = [r for r in rounds if r.result is not None and r.result.figures]
    last = shown[-1] if shown else None
    same = [r for r in shown if last and (r.wording_version, r.group.form) == (last.wording_version, last.group.form)]
    if last is None or len(same) < instrument.rules.trend.group.line_from_rounds:
        return None
    report, language = GroupReport(instrument, last), last.group.language
    series: dict[str, list[float | None]] = {}
    for name in (OVERALL, *instrument.rules.dimensions):
        cells = [r.result.figures[0].cells.get(name) for r in same if r.result is not None]
        series[report.figure_name(name)] = [float(c.mean or c.stage) if c and c.stage else None for c in cells]
    dates = [r.closes_on.isoformat()[:7] for r in same]
    title = instrument.say(language, "group_figure_title", group=last.group.name)
    points = "; ".join(
        f"{name}: "
        + ", ".join(f"{when} {value if value is not None else '-'}" for when, value in zip(dates, values, strict=True))
        for name, values in series.items()
    )
    alt = f"{title}. {instrument.say(language, 'line_alt', count=len(same), points=points)}"
    png = draw_lines(title, dates, series, " - ".join((dates[0], dates[-1])))
    return Picture(png, alt)
