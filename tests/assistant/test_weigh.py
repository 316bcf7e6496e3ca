"""Which shelf decides, what is quoted, and what is known to be a near miss."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from bot.app import App
from bot.assistant.weigh import choose, known_near_miss
from bot.knowledge.intake import Described
from bot.messages import Message, Outcome


def test_the_organizations_own_policy_decides_and_comes_first(shared_app: App) -> None:
    shelves = shared_app.assistant.shelves(["base", "pinecrest"])
    considered = shared_app.assistant.consider("May I paste student essays into ChatGPT?", (), shelves)
    chosen = choose(considered)
    assert considered.answers
    assert chosen[0].shelved.version.front.level == "local"


def test_another_organization_never_sees_it(shared_app: App) -> None:
    reply = shared_app.ask(Message("May I paste student essays into ChatGPT?")).reply
    assert all(citation.level != "local" for citation in reply.citations)


def test_at_most_three_statements_are_quoted_and_no_two_say_the_same(shared_app: App) -> None:
    shelves = shared_app.assistant.shelves(["base"])
    for question in ("What must a FERPA consent say?", "Which groups are hurt by detectors?", "When did COPPA change?"):
        chosen = choose(shared_app.assistant.consider(question, (), shelves))
        assert 1 <= len(chosen) <= 3
        assert all(float(a.vector @ b.vector) < 0.9 for i, a in enumerate(chosen) for b in chosen[:i])


def test_a_known_near_miss_is_weighed_down(shared_app: App) -> None:
    (shelf,) = shared_app.assistant.shelves(["base"])
    known = shelf.near_misses[::194]
    answered = [text for text in known if shared_app.assistant.consider(text, (), [shelf]).answers]
    assert len(answered) <= len(known) // 40


def test_a_known_near_miss_outweighs_whatever_else_speaks_for_an_answer() -> None:
    assert known_near_miss({"near_miss": 0.97, "nearer": -0.01})
    assert not known_near_miss({"near_miss": 0.97, "nearer": 0.02})
    assert not known_near_miss({"near_miss": 0.93, "nearer": -0.2})
    assert not known_near_miss({})


def test_a_question_two_states_answer_alike_is_asked_back(shared_app: App) -> None:
    reply = shared_app.ask(Message("By what date must districts adopt an AI policy?")).reply
    if reply.outcome is Outcome.CLARIFY:
        assert len(reply.choices) >= 3
        named = shared_app.ask(Message(reply.choices[0].value)).reply
        assert named.outcome is Outcome.ANSWERED
    else:
        assert reply.citations


def test_a_file_without_written_questions_is_answered_from(data_dir: Path, tmp_path: Path, make_app: Callable[..., App]) -> None:
    app = make_app(data_dir)
    path = tmp_path / "handbook.md"
    path.write_text(
        "# Maple Ridge AI handbook\n\n## Approved tools\n\nTeachers at Maple Ridge may use only the tools on the approved list "
        "kept by the technology office.\n\n## Reporting a mistake\n\nAnyone who pastes student data into an AI tool by "
        "mistake must tell the privacy officer, Dana Whitfield, within 24 hours.\n\n## Field trips\n\nBuses are ordered "
        "through the transport desk two weeks ahead.\n",
        encoding="utf-8",
    )
    app.library.ensure_organization("maple", "Maple Ridge")
    version = app.take_in(path, Described(), author="Ann", organization="maple").version.id
    app.library.submit(version, "Ann")
    app.library.approve(version, "Ben")
    reply = app.ask(
        Message("how fast do I have to report that I pasted student data into an AI tool?", organization="maple")
    ).reply
    assert reply.outcome is Outcome.ANSWERED
    assert "24 hours" in reply.citations[0].quote
    other = app.ask(Message("what color are the school buses painted?", organization="maple")).reply
    assert other.outcome is not Outcome.ANSWERED
