from hypothesis import given, settings
from hypothesis import strategies as st

from bot.knowledge.blocks import Block
from bot.knowledge.passages import PASSAGE_CHARS, STATEMENT_CHARS, split

words = st.text(alphabet="abc .,é\n", min_size=1, max_size=400)
blocks = st.lists(
    st.builds(Block, st.sampled_from(["heading", "paragraph", "item", "row", "code"]), words, st.integers(1, 4)),
    max_size=12,
).map(tuple)


@given(blocks)
@settings(max_examples=150, deadline=None)
def test_every_statement_lies_in_its_passage_and_every_passage_in_the_text(given_blocks: tuple[Block, ...]) -> None:
    text, passages, statements = split("doc", "Title", given_blocks)
    for passage in passages:
        assert 0 <= passage.start < passage.end <= len(text)
        assert passage.end - passage.start <= PASSAGE_CHARS + STATEMENT_CHARS
    for statement in statements:
        passage = passages[statement.passage]
        assert passage.start <= statement.start < statement.end <= passage.end
    assert len({p.id for p in passages}) == len(passages)


def test_an_edit_changes_only_the_passage_it_touches() -> None:
    before = (
        Block("heading", "A", 2),
        Block("paragraph", "One."),
        Block("heading", "B", 2),
        Block("paragraph", "Two."),
    )
    after = (Block("heading", "A", 2), Block("paragraph", "Uno."), Block("heading", "B", 2), Block("paragraph", "Two."))
    first = [p.id for p in split("d", "T", before)[1]]
    second = [p.id for p in split("d", "T", after)[1]]
    assert first[0] != second[0]
    assert first[1] == second[1]


def test_a_sentence_knows_the_facts_whose_marks_follow_it() -> None:
    block = Block("paragraph", "One. Two.", facts=((4, 1), (9, 2), (9, 3)))
    _, _, statements = split("d", "T", (block,))
    assert [s.facts for s in statements] == [(1,), (2, 3)]
