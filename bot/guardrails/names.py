"""Recognises people's names in talk about school: a gazetteer, the shape of the words and the cues around them.

Tried before: Presidio with a small spaCy model (finds most, but flags most clean messages, needs 255 MB and destroys words
like FERPA). Names of office holders, vendors, laws, places and courses stay; so do staff addressed by title."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from bot.guardrails.gazetteer import OFFICES, SCHOOLS, gazetteer, public_names
from bot.guardrails.policy import privacy
from bot.guardrails.views import latinized, unaccented

_TOKEN = re.compile(r"[A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ]+(?:['-][A-Za-zÀ-ÖØ-öø-ɏḀ-ỿ]+)*")
_GAP = re.compile(r"^[ \t]*$")
_INNER = re.compile(r"[A-ZÀ-Þ][a-zà-ÿ]{0,3}['-]?[A-ZÀ-Þ][a-zà-ÿ]+(?:[-'][A-ZÀ-Þ][a-zà-ÿ]+)*")
"""O'Brien, McDonald, Al-Farsi, LaKeisha: a capital inside that is no product's spelling."""
_PARTICLES = frozenset("de la las los del da das dos di van von der den bin ibn al el abu st le y e".split())
_FUNCTION = frozenset(
    "i a an the can will may is are was do does did my our your his her its this that these those what who how why when where which should "
    "would could if in on at to for from with and or but so as by of not no yes hi hey hello thanks please pls ok he she they we you it "
    "el la los las un una mi mis su sus que como cual si para por con le les mon ma mes son sa ses un une est ce cette dans il elle on je "
    "january february march april may june july august september october november december enero febrero marzo abril mayo junio julio agosto "
    "septiembre octubre noviembre diciembre janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre "
    "monday tuesday wednesday thursday friday saturday sunday till esta estan tan bien usar puede cada esa ese eso unos mis "
    "en de y o lo al del se me te nos hay es ser muy mas ya yo tu ella hola je nous vous ils au aux et ou mais donc ni car pas ne d l a".split()
)


_STRONG = re.compile(
    r"\s+(?:in (?:my )?\d(?:st|nd|rd|th)|in my|from my|was (?:suspended|expelled|absent|caught|born)|is (?:failing|absent|in \d|\d+ years)|got (?:a|an) |has (?:adhd|autism|an iep|a 504|iep)|"
    r"failed|cheated|scored|turned in|missed|keeps|plagiarized|and (?:his|her) )",
    re.IGNORECASE,
)
_BOT = re.compile(r"\b(?:bot|chatbot|tool|app|character|program|assistant|product|platform|avatar|software|feature|model|school|district|company|vendor)s?\s+(?:is |was )?(?:named|called)\s*[\"']?$|\b(?:MagicSchool|ChatGPT|Khanmigo|Gemini|Copilot)\s+$", re.IGNORECASE)
"""What stands before the name of a product's character."""
_PERSONAL = re.compile(r"(?:iep|504|essay|mom|mother|dad|father|parents|grades?|gpa|transcript|homework|bip|medication|meds|birthday|diagnosis|locker|chromebook|report card)\b", re.IGNORECASE)
_AUTHOR = re.compile(
    r"(?:\b(?:reports?|study|studies|papers?|articles?|books?|framework|research|survey|work|theory|guidance|podcast|talk|keynote|op-ed|novel)\s+(?:by|from|of|with)|"
    r"\b(?:author|professor|researchers?|economist|senator|scientist|CEO|founder)|\b(?:Stanford|Harvard|RAND|MIT|Brookings|UNESCO|OECD|Google|OpenAI|Microsoft|CDT|CRPE|Anthropic)(?:'s)?)$",
    re.IGNORECASE,
)
"""What stands before the name of someone who published: such names are public."""


@dataclass(frozen=True)
class _Token:
    text: str
    low: str
    start: int
    end: int
    possessive: bool

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()


@dataclass(frozen=True)
class NameSpan:
    """A name found at ``text[start:end]``; ``family`` says it is a parent or guardian."""

    start: int
    end: int
    family: bool


@cache
def _cue(name: str, ends: str) -> re.Pattern[str]:
    words = privacy().words[name]
    return re.compile({"before": rf"(?<!\w)(?:{words})$", "after": rf"^(?:{words})(?!\w)", "any": rf"(?<!\w)(?:{words})(?!\w)"}[ends], re.IGNORECASE)


@cache
def _acronyms() -> frozenset[str]:
    return frozenset(privacy().words["acronyms"].split("|"))


@cache
def _verbs() -> frozenset[str]:
    return frozenset(unaccented(word) for word in privacy().words["verbs"].split("|"))


def _tokens(text: str) -> list[_Token]:
    found = []
    for match in _TOKEN.finditer(text):
        word, start = match.group(), match.start()
        possessive = word[-2:].lower() == "'s"
        if possessive:
            word = word[:-2]
        if word:
            found.append(_Token(word, unaccented(word), start, start + len(word), possessive))
    return found


class Reader:
    """Reads one text for names; ``spans`` is what it found."""

    def __init__(self, text: str, taken: list[tuple[int, int]]) -> None:
        self.text = text
        self.drawn = latinized(text)
        self.tokens = _tokens(self.drawn)
        self.known = gazetteer()
        self.closed = [*taken, *self._kept()]
        self.marked: dict[int, int] = {}
        self.shouting = sum(c.isupper() for c in text) > 0.6 * max(1, sum(c.isalpha() for c in text))

    def _kept(self) -> list[tuple[int, int]]:
        plain = unaccented(self.drawn)
        same = plain if len(plain) == len(self.drawn) else self.drawn.lower()
        family = _cue("parent", "any")
        kept = [m.span() for m in public_names().finditer(same) if self._keeps(m)]
        kept += [m.span() for m in SCHOOLS.finditer(self.drawn)]
        for match in OFFICES.finditer(self.drawn):
            around = self.drawn[max(0, match.start() - 28) : match.end() + 28]
            if not family.search(around) and not re.search(r"\b(?:son|daughter|child|kid|hij[oa]|fils|fille)s?\b", around, re.IGNORECASE):
                kept.append(match.span())
        return kept

    def _keeps(self, match: re.Match[str]) -> bool:
        """A public single word stays unless a child's name stands around it: 'Jordan Smith', 'my student Austin'."""
        start, end = match.span()
        if " " in match.group() or unaccented(match.group()) not in self.known.given:
            return True
        before, after = self.drawn[max(0, start - 24) : start].rstrip(), self.drawn[end : end + 24]
        following = re.match(r"\s+([A-Z][\w'-]+)", after)
        if following and unaccented(following.group(1)) in self.known.family and self.drawn[start].isupper():
            return False
        if _cue("child", "before").search(before) or _cue("named", "before").search(before):
            return False
        if self.drawn[start].isupper() and _STRONG.match(after):
            return False
        owned = re.match(r"'s\s+(\w+)", after)
        return not (owned and _cue("owned", "after").search(owned.group(1)) and owned.group(1).lower() not in ("data", "name", "voice", "account", "info"))

    def _open(self, i: int) -> bool:
        token = self.tokens[i]
        return i not in self.marked and not any(a < token.end and token.start < b for a, b in self.closed)

    def _next(self, i: int) -> int | None:
        """The token right after token i with only white space (or an initial's full stop) between."""
        if i + 1 >= len(self.tokens) or self.tokens[i].possessive:
            return None
        between = self.drawn[self.tokens[i].end : self.tokens[i + 1].start]
        initial = len(self.tokens[i].text) == 1 and between in (". ", ".")
        return i + 1 if _GAP.match(between) or initial else None

    def _before(self, i: int, size: int = 30) -> str:
        return self.drawn[max(0, self.tokens[i].start - size) : self.tokens[i].start].rstrip(" \t\"'(,:;-#")

    def _after(self, i: int) -> str:
        token = self.tokens[i]
        rest = self.drawn[token.end :]
        return re.sub(r"^(?:'s)?[\s\"'(),:;-]*", "", rest)[:40]

    def _strange(self, i: int) -> bool:
        """A capitalised word that is no known everyday word, acronym or function word."""
        t = self.tokens[i]
        plain = not any(c.isupper() for c in t.text[1:]) or bool(_INNER.fullmatch(t.text))
        return t.capital and len(t.text) > 1 and t.low not in _FUNCTION and t.text.upper() not in _acronyms() and plain

    def _starts_sentence(self, i: int) -> bool:
        before = self.drawn[: self.tokens[i].start].rstrip(" \"'(¿¡")
        return not before or before[-1] in ".!?:\n"

    def _mark(self, i: int, family: bool = False) -> None:
        """Take token i and everything to its right that belongs to the name."""
        kind = 2 if family else 1
        self.marked[i] = kind
        if i > 0 and self._open(i - 1) and self._next(i - 1) == i and self._strange(i - 1) and not self.shouting:
            left = self.tokens[i - 1]
            if not self._starts_sentence(i - 1) and not self._dictionary(left.low) and left.low not in self.known.everyday and self.tokens[i].capital:
                self.marked[i - 1] = kind
        j = self._next(i)
        steps = 0
        while j is not None and steps < 4 and self._open(j):
            t = self.tokens[j]
            name = t.low in self.known.given or t.low in self.known.family
            if t.low in _PARTICLES:
                k = self._next(j)
                if k is None or not self._open(k):
                    break
                after = self.tokens[k]
                if not (after.low in self.known.family or after.low in self.known.given) or (t.low in ("y", "e", "el", "le", "la") and not after.capital):
                    break
            elif t.capital and len(t.text) == 1 and t.text not in ("I", "A"):
                pass
            elif t.capital and not self.shouting and self._strange(j) and (name or not _cue("verbs", "after").search(t.low)):
                pass
            elif not (name and t.low not in self.known.everyday and t.low not in _FUNCTION and len(t.low) > 2 and not _cue("verbs", "after").search(t.text) and not _cue("owned", "after").search(t.text)):
                break
            self.marked[j] = kind
            j, steps = self._next(j), steps + 1
        self._list(i, kind)

    def _list(self, i: int, kind: int) -> None:
        """'Maria, Jose and Grace': names listed beside a found one."""
        last = i
        while last + 1 < len(self.tokens) and last + 1 in self.marked:
            last += 1
        for _ in range(6):
            if last + 1 >= len(self.tokens):
                return
            nxt = last + 1
            between = self.drawn[self.tokens[last].end : self.tokens[nxt].start]
            if self.tokens[nxt].low in ("and", "y", "et", "or", "e", "&") and nxt + 1 < len(self.tokens):
                nxt += 1
            elif not re.fullmatch(r"\s*[,/&+]\s*", between):
                return
            t = self.tokens[nxt]
            if not self._open(nxt) or not (t.low in self.known.given and (t.capital or t.low not in self.known.everyday)):
                return
            self.marked[nxt] = kind
            after = self._next(nxt)
            while after is not None and self._open(after) and self.tokens[after].capital and (self.tokens[after].low in self.known.family or self._strange(after)):
                self.marked[after] = kind
                nxt, after = after, self._next(after)
            last = nxt

    def read(self) -> list[NameSpan]:
        """Every name of the text."""
        for i in range(len(self.tokens)):
            if self._open(i):
                family = self._is_name(i)
                if family is not None:
                    self._mark(i, family)
        self._again()
        return self._spans()

    def _is_name(self, i: int) -> bool | None:
        """Whether a name starts at token i: None, or whether it is a family member's."""
        t = self.tokens[i]
        if len(t.text) < 2 or (t.low in _FUNCTION and not (self._named(i) and t.capital)) or t.text in _acronyms():
            return None
        if t.low in _verbs() and not (t.capital and t.low in self.known.given):
            return None
        before, after = self._before(i), self._after(i)
        if _BOT.search(self.drawn[max(0, t.start - 40) : t.start]):
            return None
        parent = bool(_cue("parent", "before").search(before))
        given, family_name = t.low in self.known.given, t.low in self.known.family
        everyday = t.low in self.known.everyday
        j = self._next(i)
        second = self.tokens[j] if j is not None and self._open(j) else None
        pair = second is not None and (second.low in self.known.family or second.low in self.known.given)
        child = bool(_cue("child", "before").search(before))
        if _AUTHOR.search(before) and not _cue("child", "any").search(before):
            return None
        if self._named(i) and (t.capital or given):
            return parent
        if t.capital and (given or family_name) and _STRONG.match(self.drawn[t.end :]) and (given or not everyday):
            return parent
        colon = self.drawn[: t.start].rstrip().endswith(":")
        if (child or parent) and not (colon and not given and not family_name) and (self._strange(i) or (given and not everyday)) and not (self._title_case_word(i) and not given and not family_name):
            return parent
        if given and second is not None and pair and self._full(t, second, everyday):
            return parent
        if given and second is not None and t.capital and not everyday and self._strange(second_index := j or 0) and self.tokens[second_index].capital and not self.shouting:
            return parent
        if second is not None and second.capital and len(second.text) == 1 and given and t.capital and second.text not in ("I", "A"):
            return parent
        if family_name and t.capital and re.match(r",\s*[A-Z]", self.drawn[t.end :]) and i + 1 < len(self.tokens) and self.tokens[i + 1].low in self.known.given and not everyday:
            return parent
        if given and not everyday:
            return self._alone(i, parent, after)
        if given and everyday and t.capital and (t.possessive and _cue("owned", "after").search(after)):
            return parent
        if given and everyday and t.capital and not self._starts_sentence(i) and self._person_verb(i) and t.low not in ("may", "will", "can"):
            return parent
        owned = t.possessive and t.capital and _cue("owned", "after").search(after)
        if owned and self._strange(i) and ((family_name and not everyday) or (not self._dictionary(t.low) and _PERSONAL.match(after))):
            return parent
        if family_name and not everyday and t.capital and not self._starts_sentence(i) and self._person_verb(i) and not self.shouting:
            return parent
        return None

    def _named(self, i: int) -> bool:
        before = self._before(i, 40)
        found = _cue("named", "before").search(before)
        return bool(found) and bool(_cue("child", "any").search(self.drawn) or _cue("parent", "any").search(self.drawn) or "name" in found.group().lower()) if found else False

    def _title_case_word(self, i: int) -> bool:
        """'Student Data Privacy': the cue is part of a title, the next word is capitalised for style."""
        return self.tokens[i].low in self.known.everyday or self._dictionary(self.tokens[i].low)

    def _dictionary(self, low: str) -> bool:
        return low in _school_words()

    def _full(self, first: _Token, second: _Token, everyday: bool) -> bool:
        if second.low in _FUNCTION or _cue("verbs", "after").fullmatch(second.low):
            return False
        if first.capital and second.capital:
            return not (everyday and second.low in self.known.everyday and self._dictionary(second.low))
        lower = not first.capital and not everyday and second.low not in self.known.everyday
        return lower and len(second.low) > 2 and len(first.low) > 2

    def _alone(self, i: int, parent: bool, after: str) -> bool | None:
        t = self.tokens[i]
        place = re.search(r"\b(?:in|en|near|à|from)$", self._before(i)) and not self._person_verb(i) and not t.possessive
        if place:
            return None
        if t.capital and not self.shouting:
            if len(t.low) <= 3 and self._starts_sentence(i) and not self._person_verb(i) and not t.possessive:
                return None
            return parent if self._strange(i) else None
        if len(t.low) < 3 or self._dictionary(t.low):
            return None
        before = self._before(i)
        if len(t.low) >= 5 and not re.search(r"\b(?:in|en|near)$", before):
            return parent
        cue = re.search(r"(?:\b(?:for|about|with|and|that|my|of|to|is|was|like|y|con|de|sobre|pour|avec|hey)|[,(])$", before, re.IGNORECASE) or not before
        if t.possessive or self._person_verb(i) or (cue and len(t.low) >= 4) or self.shouting:
            return parent
        return None

    def _person_verb(self, i: int) -> bool:
        return bool(_cue("verbs", "after").search(self._after(i)))

    def _again(self) -> None:
        """The same name anywhere else in the text."""
        lows = {self.tokens[i].low for i in self.marked if len(self.tokens[i].low) > 2}
        kinds = {self.tokens[i].low: kind for i, kind in self.marked.items()}
        for i, t in enumerate(self.tokens):
            if t.low in lows and i not in self.marked and not any(a < t.end and t.start < b for a, b in self.closed):
                if t.capital or (t.low not in self.known.everyday and t.low not in _FUNCTION):
                    self.marked[i] = kinds[t.low]

    def _spans(self) -> list[NameSpan]:
        spans: list[NameSpan] = []
        for i in sorted(self.marked):
            t = self.tokens[i]
            end = t.end + (1 if len(t.text) == 1 and self.drawn[t.end : t.end + 1] == "." else 0)
            if spans and i - 1 in self.marked and re.fullmatch(r"[\s.]*", self.drawn[spans[-1].end : t.start]):
                spans[-1] = NameSpan(spans[-1].start, end, spans[-1].family)
            else:
                spans.append(NameSpan(t.start, end, self.marked[i] == 2))
        return spans


@cache
def _school_words() -> frozenset[str]:
    from bot.guardrails.policy import concepts

    found = set(re.findall(r"[a-z]{3,}", " ".join(concepts().concepts.values())))
    data = privacy().words
    return frozenset(found | set(re.findall(r"[a-z]{3,}", " ".join(data[k] for k in ("owned", "child", "parent", "health", "discipline")))))


_INITIALS = re.compile(r"(?<![\w.])(?:[A-Z]\.\s?){1,2}[A-Z]\.(?!\w)")
_BARE_INITIALS = re.compile(r"(?<![\w.])[A-Z]{2,3}(?=\s*(?:\(|,?\s*(?:ID|id|DOB|dob|#|grade|age|\d+(?:st|nd|rd|th)))|'s\b)|(?<=student )[A-Z]{2,3}\b|(?<=initials )[A-Z]{2,3}\b|(?<=alumno )[A-Z]{2,3}\b|(?<=estudiante )[A-Z]{2,3}\b")
_NOT_INITIALS = frozenset("US USA UK DC USC CFR PE AI ID EG IE AM PM BS BA MA MS PHD LA NY OK PS EU ED EL RI NC SC NJ SF IA UN MD RN GED PTA UAE LD".split())
_ZH_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金贾韦夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常张陳劉黃趙吳楊"
_ZH = re.compile(
    rf"(?:(?<=学生)|(?<=同学)|(?<=孩子)|(?<=叫)|(?<=姓名)|(?<=姓名：)|(?<=姓名:)|(?<=女儿)|(?<=儿子)|(?<=名字是)|(?<=男孩)|(?<=女孩)|(?<=班的)|(?<=班上的))([{_ZH_SURNAMES}][\u4e00-\u9fff]{{1,2}}?)(?=的|在|是|被|有|说|考|得|最|患|昨|今|因|和|与|（|\(|，|,|。|同学|生日|学号|$|\s|用|写|出生|数学|语文|没|不|住|家|电话|可|能|会|要|想|应|需|正|也|都|就|做|喜|经|总|当|进|参|提|告|跟|对|把|给)"
    rf"|([{_ZH_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=同学|小朋友|的(?:成绩|家长|妈妈|爸爸|母亲|父亲|病|诊断|作业|学号|生日|作文|家|IEP|电话|地址))"
)
_AR_CUE = re.compile(r"(?:الطالب|الطالبة|طالب|طالبة|تلميذ|تلميذة|التلميذ|التلميذة|طالبي|طالبتي|اسمه|اسمها|ابني|ابنتي|ابنه|ابنها|ابنتها|يدعى|تدعى|والدة|والد|أم|الطفل|الطفلة)\s+")
_AR_WORD = re.compile(r"[\u0621-\u064a]{2,}")


def initials(text: str, person_nearby: bool) -> list[NameSpan]:
    """'J.S.', and 'JS' where a cue says it is a student."""
    found = []
    for match in _INITIALS.finditer(text):
        letters = re.sub(r"[^A-Z]", "", match.group())
        if letters not in _NOT_INITIALS and letters not in _acronyms():
            found.append(NameSpan(match.start(), match.end(), False))
    for match in _BARE_INITIALS.finditer(text):
        if match.group() not in _acronyms() and match.group() not in _NOT_INITIALS and (person_nearby or "ID" in text or "student" in text):
            found.append(NameSpan(match.start(), match.end(), False))
    return found


def other_scripts(text: str) -> list[NameSpan]:
    """Chinese names behind or before a cue, Arabic names behind one."""
    found = [NameSpan(m.start(m.lastindex or 0), m.end(m.lastindex or 0), False) for m in _ZH.finditer(text)]
    known = gazetteer()
    for match in _AR_CUE.finditer(text):
        end = match.end()
        start = end
        for step in range(3):
            word = _AR_WORD.match(text, end)
            if word is None:
                break
            name = word.group() in known.given or word.group() in known.family or (step > 0 and word.group().startswith("ال") and len(word.group()) > 3)
            if not name:
                break
            end = word.end() + (1 if text[word.end() : word.end() + 1] == " " else 0)
        if end > start:
            found.append(NameSpan(start, len(text[:end].rstrip()), False))
    return found


def find(text: str, taken: list[tuple[int, int]]) -> list[NameSpan]:
    """Every name in a cleaned text. ``taken`` are spans already hidden."""
    spans = Reader(text, taken).read()
    person = bool(spans) or bool(_cue("child", "any").search(text))
    return sorted([*spans, *initials(text, person), *other_scripts(text)], key=lambda span: span.start)
