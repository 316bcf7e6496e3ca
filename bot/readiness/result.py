"""A result in words, from answers alone: stage, strengths, bars, one move, balance, things to find out, limits. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from bot import prompts
from bot.messages import Citation
from bot.readiness.instrument import Instrument, Texts
from bot.readiness.record import day
from bot.readiness.scoring import Score, score, stage_of, strengths
from bot.readiness.trends import SelfChange

_ESCAPES = str.maketrans({c: "\\" + c for c in "\\`*_[]<>#|~"})


@dataclass(frozen=True)
class Bar:
    """One bar: its name, level 1 to 4 or None, that level's word, and whether it rests on one question of several."""

    name: str
    level: int | None
    word: str
    single: bool


@dataclass(frozen=True)
class Result:
    """A finished check. ``quotes`` are the level texts the person chose, as they read them."""

    score: Score
    quotes: Mapping[str, str]
    on: date

    def frozen(self, wording_version: str) -> dict[str, Any]:
        """What is kept of it."""
        return {"answers": self.score.answers, "quotes": dict(self.quotes), "wording_version": wording_version}


def result_of(instrument: Instrument, language: str, form: str, answers: dict[str, int | None], on: date) -> Result:
    """Score answers and quote the levels chosen, in ``language``."""
    scored = score(instrument.rules, form, answers)  # type: ignore[arg-type]
    items = instrument.texts[language].items
    quotes = {item: items[item].levels[level] for item, level in scored.answers.items() if level}  # type: ignore[index]
    return Result(scored, quotes, on)


def thawed(instrument: Instrument, form: str, kept: Mapping[str, Any], on: date) -> Result:
    """A kept result."""
    return Result(score(instrument.rules, form, kept["answers"]), kept["quotes"], on)  # type: ignore[arg-type]


def bars(instrument: Instrument, language: str, result: Result) -> list[Bar]:
    """Six bars: dimension stages of a full check, item levels of a pulse."""
    texts, scored = instrument.texts[language], result.score
    shown: list[Bar] = []
    for name, mean in scored.dimensions.items():
        title = texts.dimensions[name]
        items = instrument.rules.dimensions[name].items
        answered = [item for item in items if scored.answers.get(item) is not None]
        if mean is None:
            shown.append(Bar(title, None, "", False))
        elif scored.form == "pulse":
            level = int(mean)
            shown.append(Bar(title, level, texts.levels[level], False))  # type: ignore[index]
        else:
            stage = stage_of(instrument.rules, mean)
            shown.append(Bar(title, stage, texts.stages[stage].name, len(answered) == 1))  # type: ignore[index]
    return shown


class Words:
    """The parts of a result in one language."""

    def __init__(self, instrument: Instrument, language: str, result: Result) -> None:
        self._instrument = instrument
        self._language = language
        self._texts: Texts = instrument.texts[language]
        self._result = result
        self._score = result.score

    def _say(self, key: str, /, **values: object) -> str:
        return self._instrument.say(self._language, key, **values)

    def _stage_name(self, stage: int) -> str:
        return self._texts.stages[stage].name  # type: ignore[index]

    def stage(self) -> str:
        """The stage and its meaning, and why it was capped."""
        stage = self._score.stage
        if stage is None:
            return self._say("no_stage")
        name = self._stage_name(stage)
        shown = self._say("early", stage=name) if self._score.form == "pulse" else name
        text = self._say("stage", stage=shown, means=self._texts.stages[stage].means)  # type: ignore[index]
        return f"{text}\n\n{self._capped()}" if self._score.capped else text

    def _capped(self) -> str:
        scored = self._score
        assert scored.raw_stage is not None
        assert scored.stage is not None
        assert scored.floor is not None
        raw, shown = self._stage_name(scored.raw_stage), self._stage_name(scored.stage)
        if scored.floor in self._texts.items:
            level, topic = self._result.quotes[scored.floor], self._texts.items[scored.floor].topic
            return self._say("capped_item", raw=raw, shown=shown, level=level, topic=topic)
        mean = scored.dimensions[scored.floor]
        assert mean is not None
        at = self._stage_name(stage_of(self._instrument.rules, mean))
        return self._say("capped", raw=raw, shown=shown, dimension=self._texts.dimensions[scored.floor], at=at)

    def strengths(self) -> str:
        """Two strengths in the words the person chose."""
        best = strengths(self._instrument.rules, self._score)
        if not best:
            return self._say("no_strength")
        names = [self._texts.dimensions[self._instrument.rules.dimension_of(item)] for item in best]
        lines = [
            f"- {self._say('strength', dimension=name, level=self._result.quotes[item])}"
            for name, item in zip(names, best, strict=True)
        ]
        return "\n".join([self._say("strengths"), "", *lines])

    def bar_lines(self) -> list[str]:
        """One line a bar, in words."""
        lines = []
        for bar in bars(self._instrument, self._language, self._result):
            if bar.level is None:
                lines.append(self._say("bar_none", name=bar.name))
                continue
            line = self._say("bar", name=bar.name, level=bar.level, word=bar.word)
            lines.append(f"{line}. {self._say('single')}" if bar.single else line)
        return lines

    def bars(self) -> str:
        """The six bars in words."""
        return "\n".join([self._say("bars"), "", *(f"- {line}" for line in self.bar_lines())])

    def move(self, item: str | None, citations: tuple[Citation, ...] = (), key: str = "move") -> str:
        """One move: what, with whom, done when, and guidance that helps."""
        if item is None:
            return self._say("no_move")
        move = self._texts.items[item].moves[self._score.answers[item]]  # type: ignore[index]
        text = self._say(key, do=move.do)
        lines = [self._say("move_who", who=move.who), self._say("move_done", done_when=move.done_when)]
        text = "\n".join([text, "", *(f"- {line}" for line in lines)])
        return f"{text}\n\n{self.guidance(citations)}" if citations else text

    def guidance(self, citations: tuple[Citation, ...]) -> str:
        """Quotes from the library, word for word, with who says so and where to open them."""
        words = prompts.messages(self._language)
        lines = [self._say("guidance")]
        for cited in citations:
            source = words.source.format(
                n=cited.n,
                level=getattr(words, cited.level),
                title=cited.title.translate(_ESCAPES),
                publisher=cited.publisher.translate(_ESCAPES),
                published=f" ({cited.published})" if cited.published else "",
                verified=words.verified.format(date=cited.verified_on, verifier=cited.verified_by.translate(_ESCAPES)),
            )
            notes = " ".join((source, *cited.notes, f"<{cited.url}>" if cited.url else "")).strip()
            lines += [f"> {cited.quote.translate(_ESCAPES)} [{cited.n}]", notes]
        if self._language != "en":
            lines.append(words.quoted_in_english)
        return "\n\n".join(lines)

    def balance(self) -> str:
        """The balance readings; empty for a pulse or when none can be given."""
        lines = []
        for name, reading in self._score.balance.items():
            words = self._texts.balance[name]
            if reading == "none":
                continue
            if reading == "even":
                key = "both_low" if name in self._score.both_low else "even"
                lines.append(self._say(key, label=words.label))
            else:
                side = words.a_heavy if reading.startswith("a") else words.b_heavy
                lines.append(self._say("strong" if reading.endswith("strong") else "lean", label=words.label, say=side))
        return "\n".join([self._say("balance"), "", *(f"- {line}" for line in lines)]) if lines else ""

    def to_find_out(self) -> str:
        """What was answered "not sure", with who is likely to know; empty when nothing was."""
        items = [self._texts.items[name] for name in self._score.to_find_out]
        lines = [self._say("find_out_line", topic=item.topic[0].upper() + item.topic[1:], who=item.who_knows) for item in items]
        return "\n".join([self._say("find_out"), "", *(f"- {line}" for line in lines)]) if lines else ""

    def limits(self, retake_on: date, contact: str, *, in_chat: bool = True) -> str:
        """Limits, who can see this (in chat), when to look again, and what goes deeper."""
        limits = [f"- {self._say(f'limit_{n}')}" for n in range(1, 6)]
        deeper = [f"- {self._say(f'deeper_{n}')}" for n in range(1, 6)]
        again = self._say("retake", date=day(retake_on, self._language))
        parts = [
            "\n".join([self._say("limits"), "", *limits]),
            f"{self._say('sees')} {again}" if in_chat else again,
            "\n".join([self._say("deeper"), "", *deeper]),
        ]
        if contact:
            parts.append(self._say("contact", contact=contact))
        return "\n\n".join(parts)

    def change(self, change: SelfChange) -> str:
        """What moved since an earlier check, in words."""
        topics = {item: self._texts.items[item].topic for item in self._texts.items}
        lines = [self._say("trend_head", date=day(change.since, self._language)), ""]
        for key, items in (("trend_up", change.up), ("trend_down", change.down), ("trend_same", change.same)):
            if items:
                lines.append(f"- {self._say(key, topics=', '.join(topics[item] for item in items))}")
        if change.overall:
            lines.append(f"- {self._say(f'trend_overall_{change.overall}')}")
        if change.down:
            lines.append(f"\n{self._say('trend_caution')}")
        return "\n".join(lines)

    def all(
        self, *, move: str | None, citations: tuple[Citation, ...], contact: str, retake_days: int, change: SelfChange | None
    ) -> str:
        """The whole result, in the order the instrument asks for."""
        parts = [
            self.stage(),
            self.strengths(),
            self.bars(),
            self.change(change) if change else "",
            self.move(move, citations),
            self.balance(),
            self.to_find_out(),
            self.limits(self._result.on + timedelta(days=retake_days), contact),
        ]
        return "\n\n".join(part for part in parts if part)

    def headline(self) -> str:
        """The stage's name alone, as a picture shows it."""
        scored = self._score
        if scored.stage is None:
            return self._say("no_headline")
        name = self._stage_name(scored.stage)
        return self._say("early", stage=name) if scored.form == "pulse" else name

    def foot(self) -> str:
        """The line under a picture."""
        return self._say("figure_foot", date=day(self._result.on, self._language))

    def alt(self) -> str:
        """Everything the picture says."""
        title, stage, shown = self._say("figure_title"), f"{self.headline()}.", "; ".join(self.bar_lines()).rstrip(".")
        return self._say("picture", title=title, stage=stage, bars=shown, foot=self.foot())
