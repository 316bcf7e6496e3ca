"""Hostile replies for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from bot.assistant.compose import escape
from bot.messages import Choice, Handling, Outcome, Reply
from tests.adapters.slack.house import citation

HOSTILE = st.sampled_from(
    [
        "<!channel>",
        "<!here|x>",
        "<@U0BEN>",
        "<#C01|general>",
        "<!subteam^S1>",
        "<https://evil.example|click>",
        "*bold* _it_ ~no~ `code` ```",
        "مرحبا بالعالم",
        "שלום עולם",
        "👩‍👩‍👧‍👦 👍🏽 🇪🇸",
        "a\nb\r\nc",
        'title | with > and < & "quotes" &quot;',
        "\u202eevil\u202c",
        "e\u0301\u0301",
        "x" * 500,
        "<br> &lt;b&gt;",
        "[1] [99] ](https://x.example)",
    ]
)
WORDS = st.one_of(HOSTILE, st.text(max_size=120))
SENTENCE = st.lists(st.one_of(WORDS, st.sampled_from(["The rule", "applies", "to schools"])), min_size=1, max_size=6).map(
    lambda parts: " ".join(parts) + "."
)
URL = st.builds(
    lambda path, query: f"https://www.example.org/{path}?{query}",
    st.text(alphabet="abcXYZ0123456789-_~/", min_size=1, max_size=60),
    st.lists(st.sampled_from(["a=1", "&", "%7C", "(", ")", "b"]), max_size=10).map("".join),
)


@st.composite
def markdown(draw: st.DrawFn, long: bool = False) -> str:
    """Text as the house writes it: escaped quotes with marks, lists, quotes, code, tables; long on request."""
    parts = []
    for _ in range(draw(st.integers(10 if long else 1, 16 if long else 6))):
        sentence = escape(" ".join(draw(SENTENCE).split()))
        kind = draw(st.sampled_from(["paragraph", "paragraph", "list", "quote", "code", "table", "head", "bold", "link"]))
        if kind == "paragraph":
            parts.append(f"{sentence * draw(st.integers(1, 12 if long else 2))} [1]")
        elif kind == "list":
            parts.append("\n".join(f"- {sentence} [2]" for _ in range(draw(st.integers(1, 5)))))
        elif kind == "quote":
            parts.append(f"> {sentence}\n>\n> {sentence} [1]")
        elif kind == "code":
            parts.append(
                "```\n" + (draw(st.text(alphabet="ab \n{}<>&", min_size=1, max_size=60)) * (80 if long else 1)) + "\n```"
            )
        elif kind == "table":
            rows = draw(st.integers(1, 120 if long else 4))
            parts.append("| a | b |\n| - | - |\n" + "\n".join("| 1 | x |" for _ in range(rows)))
        elif kind == "head":
            parts.append(f"## {sentence}")
        elif kind == "bold":
            parts.append(f"**{escape('bold words')}** {sentence}")
        else:
            parts.append(f"[{escape('the page')}]({draw(URL)}) and <{draw(URL)}>")
    return "\n\n".join(parts)


@st.composite
def replies(draw: st.DrawFn, long: bool = False) -> Reply:
    """Any reply."""
    count = draw(st.integers(0, 30))
    citations = tuple(citation(n, title=draw(WORDS) or "t", publisher=draw(WORDS)) for n in range(1, count + 1))
    choices = tuple(
        Choice(draw(WORDS), draw(st.one_of(WORDS, st.just("v" * 3_000))), draw(WORDS)) for _ in range(draw(st.integers(0, 8)))
    )
    outcome = draw(st.sampled_from(list(Outcome)))
    return Reply(outcome, Handling.ANSWER, draw(markdown(long)), draw(st.sampled_from(["en", "es"])), citations, choices)
