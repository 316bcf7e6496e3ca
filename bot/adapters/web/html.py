"""A reply's tree as HTML: pure, escaped throughout, links to http(s) and mail only, citation marks that open their passage."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from bot.adapters.markdown_tree import (
    Block,
    Break,
    Cite,
    Code,
    CodeSpan,
    Emphasis,
    Heading,
    Inline,
    Items,
    Link,
    Paragraph,
    Quote,
    Rule,
    Strike,
    Strong,
    Table,
    Text,
    names_itself,
    plain,
)

CiteLink = Callable[[int], str]
"""The HTML of citation mark ``n``."""

LEAD = 3
"""Headings of a reply begin at this level: the page's own are above."""


def html(blocks: tuple[Block, ...], cite: CiteLink, new_tab: str) -> list[str]:
    """One string of HTML a block. ``new_tab`` is said to screen readers after links that leave the page."""
    return [_block(block, cite, new_tab) for block in blocks]


def _block(block: Block, cite: CiteLink, new_tab: str) -> str:
    match block:
        case Paragraph(children):
            return f"<p>{_inlines(children, cite, new_tab)}</p>"
        case Heading(level, children):
            tag = f"h{min(6, LEAD + level - 1)}"
            return f"<{tag}>{_inlines(children, cite, new_tab)}</{tag}>"
        case Quote(children):
            return f"<blockquote>{''.join(html(children, cite, new_tab))}</blockquote>"
        case Items(start, items):
            tag = "ul" if start is None else "ol"
            first = f' start="{start}"' if start not in (None, 1) else ""
            inner = "".join(f"<li>{''.join(_tight(item, cite, new_tab))}</li>" for item in items)
            return f"<{tag}{first}>{inner}</{tag}>"
        case Code(text):
            return f'<pre tabindex="0"><code>{escape(text)}</code></pre>'
        case Table(rows):
            return _table(rows, cite, new_tab)
        case Rule():
            return "<hr>"


def _tight(item: tuple[Block, ...], cite: CiteLink, new_tab: str) -> list[str]:
    if len(item) == 1 and isinstance(item[0], Paragraph):
        return [_inlines(item[0].children, cite, new_tab)]
    return html(item, cite, new_tab)


def _table(rows: tuple[tuple[tuple[Inline, ...], ...], ...], cite: CiteLink, new_tab: str) -> str:
    head = "".join(f'<th scope="col">{_inlines(cell, cite, new_tab)}</th>' for cell in (rows[0] if rows else ()))
    body = "".join(f"<tr>{''.join(f'<td>{_inlines(cell, cite, new_tab)}</td>' for cell in row)}</tr>" for row in rows[1:])
    return f'<div class="wide" tabindex="0"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _inlines(children: tuple[Inline, ...], cite: CiteLink, new_tab: str) -> str:
    return "".join(_inline(child, cite, new_tab) for child in children)


def _inline(part: Inline, cite: CiteLink, new_tab: str) -> str:
    match part:
        case Text(text):
            return escape(text)
        case Cite(n):
            return cite(n)
        case Break():
            return "<br>"
        case CodeSpan(text):
            return f"<code>{escape(text)}</code>"
        case Strong(children):
            return f"<strong>{_inlines(children, cite, new_tab)}</strong>"
        case Emphasis(children):
            return f"<em>{_inlines(children, cite, new_tab)}</em>"
        case Strike(children):
            return f"<s>{_inlines(children, cite, new_tab)}</s>"
        case Link(url, children):
            return link(url, plain(children), new_tab)


def link(url: str, words: str, new_tab: str) -> str:
    """A link that leaves the page. Words that are not the address are followed by its host, so that nobody is misled."""
    if not url.lower().startswith(("http://", "https://")):
        return f'<a href="{escape(url)}">{escape(words)}</a>'
    host = "" if names_itself(url, words) else f' <span class="host">({escape(url.split("/")[2])})</span>'
    note = f'<span class="unseen"> ({escape(new_tab)})</span>'
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(words)}{note}</a>{host}'
