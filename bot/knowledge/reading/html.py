"""Reads HTML: what a person sees on the page, in order. Scripts, comments, menus and hidden parts are left out."""

from __future__ import annotations

import re

from bs4 import BeautifulSoup, Tag
from bs4.element import Comment, NavigableString

from bot.knowledge.blocks import UNSEEN_CHARS, Block, Extract, Finding
from bot.knowledge.reading.markdown import table_row

_DROP = (
    "script",
    "style",
    "noscript",
    "template",
    "svg",
    "iframe",
    "object",
    "embed",
    "head",
    "nav",
    "button",
    "datalist",
)
_BLOCKS = frozenset(
    "p div section article main header footer aside blockquote figure figcaption address form fieldset dl dt dd ul ol li "
    "table pre h1 h2 h3 h4 h5 h6 details summary hr body html center td th tr tbody thead tfoot caption".split()
)
_HIDDEN_STYLE = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0(?:\.0+)?\s*(?:;|$)|font-size\s*:\s*[01](?:\.\d+)?(?:px|pt|em|%)?\s*(?:;|$)"
    r"|opacity\s*:\s*(?:0?\.0\d*|0%)"
    r"|(?:left|top|text-indent|right|bottom|margin(?:-\w+)?)\s*:\s*-\d{3,}|translate[xy]?\([^)]*-\d{3,}|scale[xy]?\(\s*0(?:\.0\d*)?\s*[,)]"
    r"|clip(?:-path)?\s*:\s*(?:rect\(\s*[01]|inset\(\s*(?:100|[5-9]\d)%|circle\(\s*0)"
    r"|(?<![-\w])(?:max-)?(?:width|height)\s*:\s*0(?:px)?\s*(?:;|$)"
    r"|(?<!-)color\s*:\s*(?:white|snow|#f[a-f0-9]{2}(?![a-f0-9])|#f[a-f0-9]f[a-f0-9]f[a-f0-9]|transparent"
    r"|rgba?\(\s*25[0-5]\s*,\s*25[0-5]\s*,\s*25[0-5]|rgba\([^)]*,\s*0(?:\.0\d*)?\s*\)|hsla?\([^)]*(?:9[6-9]|100)%)",
    re.IGNORECASE,
)
_HIDDEN_CLASS = re.compile(
    r"^(?:sr-only|visually-hidden|visuallyhidden|screen-reader-text|hidden|d-none|is-hidden|element-invisible)$"
)


def _is_hidden(tag: Tag, rules: frozenset[str]) -> bool:
    if tag.has_attr("hidden") or tag.get("aria-hidden") == "true":
        return True
    if tag.name == "font" and re.fullmatch(r"\s*(?:white|#?f[a-f0-9]f[a-f0-9]f[a-f0-9])\s*", str(tag.get("color") or ""), re.I):
        return True
    style = str(tag.get("style") or "")
    if _HIDDEN_STYLE.search(style) and not re.search(r"background", style):
        return True
    classes = tag.get_attribute_list("class")
    if any(name and (_HIDDEN_CLASS.match(name) or f".{name}" in rules) for name in classes):
        return True
    return f"#{tag.get('id')}" in rules


def _hiding_rules(soup: BeautifulSoup) -> frozenset[str]:
    """Simple class and id selectors that the page's own style sheet hides."""
    found: set[str] = set()
    for style in soup.find_all("style"):
        for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", style.get_text()):
            if _HIDDEN_STYLE.search(body) and "background" not in body:
                found.update(s.strip() for s in selectors.split(",") if re.fullmatch(r"\s*[.#][\w-]+\s*", s))
    return frozenset(found)


def _text(tag: Tag) -> str:
    parts: list[str] = []
    for node in tag.descendants:
        if isinstance(node, NavigableString) and not isinstance(node, Comment):
            parts.append(str(node))
        elif isinstance(node, Tag) and node.name == "br":
            parts.append(" ")
        elif isinstance(node, Tag) and node.name == "img" and node.get("alt"):
            parts.append(f" {node['alt']} ")
        elif isinstance(node, Tag) and node.name in ("input", "textarea", "select"):
            parts.append(f" {_value(node)} ")
    return re.sub(r"\s+", " ", "".join(parts)).strip()


def _value(node: Tag) -> str:
    if node.name == "select":
        chosen = node.find("option", selected=True)
        return chosen.get_text(" ", strip=True) if chosen else ""
    kind = str(node.get("type") or "text").lower()
    if kind in ("hidden", "submit", "button", "password", "image", "reset"):
        return ""
    if kind in ("checkbox", "radio"):
        return "[x]" if node.has_attr("checked") else "[ ]"
    return str(node.get("value") or "")


class _Walker:
    def __init__(self) -> None:
        self.blocks: list[Block] = []

    def add(self, kind: str, text: str, level: int = 0, anchor: str = "") -> None:
        if text:
            self.blocks.append(Block(kind, text, level=level, anchor=anchor))  # type: ignore[arg-type]

    def walk(self, tag: Tag, depth: int = -1) -> None:
        run: list[str] = []

        def flush() -> None:
            text = re.sub(r"\s+", " ", "".join(run)).strip()
            run.clear()
            self.add("item" if depth >= 0 and tag.name == "li" else "paragraph", text, max(depth, 0))

        for child in tag.children:
            if isinstance(child, Comment):
                continue
            if isinstance(child, NavigableString):
                run.append(str(child))
            elif isinstance(child, Tag):
                if child.name == "br":
                    run.append(" ")
                elif child.name in _BLOCKS or child.find(list(_BLOCKS)) is not None:
                    flush()
                    self.block(child, depth)
                else:
                    run.append(_text(child) if child.name in ("input", "textarea", "select", "img") else _inline(child))
        flush()

    def block(self, tag: Tag, depth: int) -> None:
        if re.fullmatch(r"h[1-6]", tag.name):
            anchor = str(tag.get("id") or "")
            self.add("heading", _text(tag), int(tag.name[1]), anchor if re.fullmatch(r"[\w.-]{1,60}", anchor) else "")
        elif tag.name in ("ul", "ol"):
            self.walk(tag, depth + 1)
        elif tag.name == "table":
            self.table(tag)
        elif tag.name == "pre":
            self.add("code", tag.get_text().strip("\n"))
        elif tag.name == "dl":
            term = ""
            for child in tag.find_all(["dt", "dd"], recursive=True):
                if child.name == "dt":
                    term = _text(child)
                else:
                    self.add("item", f"{term}: {_text(child)}" if term else _text(child))
        elif tag.name != "hr":
            self.walk(tag, depth)

    def table(self, table: Tag) -> None:
        rows = [row for row in table.find_all("tr") if row.find_parent("table") is table]
        caption = table.find("caption")
        if caption:
            self.add("paragraph", _text(caption))
        headers: list[str] = []
        carried: dict[int, tuple[int, str]] = {}
        for index, row in enumerate(rows):
            cells: list[str] = []
            tags = [c for c in row.find_all(["td", "th"]) if c.find_parent("tr") is row]
            column = 0
            queue = list(tags)
            while queue or column in carried:
                if column in carried:
                    left, text = carried.pop(column)
                    cells.append(text)
                    if left > 1:
                        carried[column] = (left - 1, text)
                    column += 1
                    continue
                cell = queue.pop(0)
                text = _text(cell)
                across = _span(cell.get("colspan"))
                down = _span(cell.get("rowspan"))
                for offset in range(across):
                    cells.append(text if offset == 0 else "")
                    if down > 1:
                        carried[column] = (down - 1, text if offset == 0 else "")
                    column += 1
            heads = all(c.name == "th" for c in tags) if tags else False
            if (index == 0 and (heads or (row.find_parent("thead") and tags))) or (heads and not headers):
                headers = cells
            else:
                self.add("row", table_row(headers, cells))


def _span(value: object) -> int:
    text = str(value or "1")
    return min(max(int(text), 1), 100) if text.isdigit() else 1


def _inline(tag: Tag) -> str:
    text = _text(tag)
    raw = tag.get_text()
    return f"{' ' if raw[:1].isspace() else ''}{text}{' ' if raw[-1:].isspace() else ''}"


def _line(comment: NavigableString) -> int:
    before = comment.find_previous(True)
    return (before.sourceline or 0) if isinstance(before, Tag) else 0


def _beside_the_text(soup: BeautifulSoup) -> list[Finding]:
    """What a page carries and does not show: descriptions, titles and labels of elements, templates, hidden fields, links."""
    found: list[Finding] = []
    for tag in soup.find_all(["meta", "noscript", "template", "textarea", "option", "iframe", "object", "script"]):
        kind = str(tag.get("type") or "")
        if tag.name == "script" and not kind.endswith(("json", "plain", "template", "markdown")):
            continue
        text = str(tag.get("content") or "") if tag.name == "meta" else tag.get_text(" ", strip=True)
        if tag.name in ("textarea", "option") and not _is_hidden(tag, frozenset()):
            continue
        if len(text.split()) >= 4:
            name = str(tag.get("name") or tag.get("property") or "")
            found.append(Finding("markup", f"<{tag.name}> {name}".strip(), text[:UNSEEN_CHARS]))
    for tag in soup.find_all(True):
        for name, value in tag.attrs.items():
            text = " ".join(value) if isinstance(value, list) else str(value)
            if name in ("alt", "title", "aria-label", "aria-description", "summary", "value", "placeholder", "content") or (
                name.startswith("data-")
            ):
                if tag.name != "meta" and len(text.split()) >= 4:
                    found.append(Finding("markup", f"{name} of <{tag.name}>, line {tag.sourceline or 0}", text[:UNSEEN_CHARS]))
            elif name in ("src", "href"):
                found.append(Finding("link", f"{name} of <{tag.name}>, line {tag.sourceline or 0}", text[:UNSEEN_CHARS]))
    return found


MOST_UNSEEN = 2_000
"""Unseen parts of one page that are handed on."""


def read_html(content: bytes) -> Extract:
    """Blocks of an HTML page."""
    soup = BeautifulSoup(content, "lxml")
    title = soup.title.get_text(" ", strip=True) if soup.title else ""
    properties = {"title": title} if title else {}
    language = soup.html.get("lang") if soup.html else None
    if language:
        properties["language"] = str(language)
    rules = _hiding_rules(soup)
    findings: list[Finding] = []
    for comment in soup.find_all(string=lambda s: isinstance(s, Comment)):
        text = str(comment).strip()
        if len(text) > 20:
            findings.append(Finding("comment", f"HTML comment, line {_line(comment)}", text[:UNSEEN_CHARS]))
    findings += _beside_the_text(soup)
    for tag in soup.find_all(_DROP):
        tag.decompose()
    for tag in list(soup.find_all(True)):
        if tag.decomposed or tag.name in ("html", "body"):
            continue
        if _is_hidden(tag, rules):
            text = _text(tag)
            if len(text) > 10:
                findings.append(Finding("hidden_text", f"hidden <{tag.name}>, line {tag.sourceline or 0}", text[:UNSEEN_CHARS]))
            tag.decompose()
    walker = _Walker()
    root = soup.body or soup
    walker.walk(root)
    return Extract("text/html", tuple(walker.blocks), tuple(findings[:MOST_UNSEEN]), properties)
