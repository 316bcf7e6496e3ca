"""Scores, marks, levels and ages told of a person: in rows and lists of people, beside a name, on a named scale. Called by
``privacy`` when a text speaks of one person. What is counted, timed or dated in general stays."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from bot.guardrails.details import Found

KIND, BIRTH, ID, ACCOUNT, PLACE = "grade detail", "date of birth", "student id", "account", "address"

_DIGITS = r"[\d\u0660-\u0669]"
_MARK = rf"(?:{_DIGITS}{{1,3}}(?:[.,;\u066b]{_DIGITS}{{1,2}})?\s?(?:%|/\s?{_DIGITS}{{1,3}})?|[A-F][+-](?!\w)|[A-F](?![\w'’.])|[ABC][12](?!\w))"
"""A mark as it stands in a cell: 88, 7.5, 64 %, 18/20, B-, B1."""
_NEVER = (
    r"(?!\s?(?:st|nd|rd|th)?\s?-?\s?(?:grad\w*|graders?|students?|kids?|children|alumn\w+|minutes?|mins?|hours?|hrs?|weeks?|months?|days?|"
    r"pages?|words?|times|sentences?|paragraphs?|questions?|points? possible|am\b|pm\b|o'clock|dollars?|people|teachers?|copies|slides?|"
    r"of\b|other|others|more|new|different|d[íi]as?|jours?|horas?|heures?|minutos?|semanas?|semaines?|p[áa]ginas?|palabras?|mots|veces|fois|x\b|[/-]\d+[/-])"
    r"|(?:st|nd|rd|th|[.,]?[ºª°o]|er|[eè]me?)\b)(?![\w\d])"
)
_NOT_BEHIND = r"(?<![\w.#$€£/:-])(?<!grade )(?<!gr )(?<!Gr )(?<!gr\. )(?<!Math )(?<!Sci )(?<!room )(?<!Room )(?<!period )(?<!Period )(?<!page )(?<!unit )(?<!Unit )(?<!chapter )(?<!AP )(?<!Q)"
_CELL = re.compile(rf"{_NOT_BEHIND}{_MARK}{_NEVER}")
_STRONG = rf"(?:{_DIGITS}{{1,3}}(?:[.,]{_DIGITS}{{1,2}})?\s?(?:%|/\s?{_DIGITS}{{1,3}})|{_DIGITS}{{1,2}}[.,]{_DIGITS}{{1,2}}|[A-F][+-](?!\w)|[ABC][12](?!\w))"
"""What is a mark by its shape alone."""
_LABELS = r"(?:(?!(?:grade|gr|room|period|page|week|unit|chapter|year|step|day)\b)(?:[a-z&]{2,10}|[A-Z]{2,6})\s*[:=]?\s+){0,2}?"
_ENDS = r"(?=\s*(?:[,;|)/.!?\n]|$|(?:and|y|et|in|en|on|sobre|puntos|pts|points)\b))"
_BESIDE = re.compile(
    rf"(?:\s*[,(:|=–—-]\s*{_LABELS}(?P<marked>{_STRONG}|{_MARK}{_ENDS})|\s+(?P<bare>{_DIGITS}{{1,3}}{_ENDS})|\s+{_LABELS}(?P<strong>{_STRONG})){_NEVER}"
    rf"(?P<rest>(?:\s*[,/|;]\s*(?:[a-z&]{{2,10}}\s+)?{_MARK}{_NEVER})*)"
)
"""A mark behind a name, maybe with what it was in: 'Khadija: phon 12 / vocab 30', 'Emeka 3/4', 'Ana 88, Wei 71'."""
_TABLE_CELL = re.compile(r"(?<=[,;|\t])[ ]?(?:[A-Z]{0,2}-?\d[\d.,/-]{0,11}|\d+%|[A-DF][+-]?)(?=[ ]?(?:[,;|\t\n]|$))")
"""A number or a mark between a table's separators."""
_SEPARATORS = re.compile(r"[,;|\t:]|\s[-–—]\s|\s{2,}")
ROW_WORDS = 9
"""Words from which a line without separators is a sentence, not a row."""

_SCALE = re.compile(
    r"\b(?:(?-i:WIDA|ACCESS|ELPAC|ELPA\d*|FSIQ|[VFWP][CSIR]I|WISC|WIAT|NNAT|MAP|RIT|NWEA|STAR|STAAR|SBAC|DIBELS|GPA|SAS|DRA|TOEFL|PSAT|ACT|SAT|EOG|"
    r"EOC|BASC|GORT|CTOPP|MCER|CEFR)|CogAT|i-?Ready|Lexile|Vineland|percentile|class rank|moyenne|promedio)\b"
    r"[\s:=(]{0,3}(?:(?:score|level|overall|composite|of|is|was|de|es|est)\s+){0,2}"
    rf"(?P<mark>{_DIGITS}{{1,4}}(?:[.,]{_DIGITS}{{1,2}})?(?:/{_DIGITS}{{1,4}})?L?(?:\s(?:meets|approaches|masters))?|[ABC][12](?!\w))(?![\w])"
    r"|\b(?P<before>\d(?:[.,]\d{1,2})?)\s+(?:GPA|WIDA)\b|\b(?P<lexile>\d{2,4}L)\b"
    r"|\((?P<percentile>\d{1,2}(?:st|nd|rd|th))(?:\s+percentile)?\)|\b(?P<wpm>\d{1,3}\s?(?:wpm|wcpm|cwpm|ppm))\b"
    r"|\b(?P<tier>Tier [23])\b|\b(?:her|his|their|su|sa|son)\s+(?P<own>\d[.,]\d{1,2})\b"
    r"|\b(?:has|have|had|got|getting|gets|earned|made|sac[óo]|puso un)\s+(?:an? |un )?(?P<letter>(?-i:[A-DF])[+-]?(?![\w'’.])(?! (?-i:[A-Z])))"
    r"|\b(?:got|getting|gets|scored?|earned|wants? (?:his|her|their)|put (?:him|her|them)|sac[óo]|puso un)\s+(?:an? |un )?"
    r"(?P<got>\d{1,3}(?:[.,]\d{1,2})?(?=\s*(?:[.,;!?)]|$|changed|on |in |en |/)))"
    r"|(?P<zh>\d{1,3}\s?分(?!钟|鐘|析|类|組|组|数据))|(?<=[\u4e00-\u9fff])[（(](?P<round>\d{1,3})[)）]"
    r"|(?:得了?|不及格|成绩)\s*[（(]?(?P<zh2>[A-DF][+-]?(?!\w)|\d{1,3})"
    rf"|(?:جابت?|معدله|معدلها|درجته|درجتها|نال|نالت)\s+(?P<ar>{_DIGITS}{{1,3}}(?:[.,\u066b]{_DIGITS}{{1,2}})?)",
    re.IGNORECASE,
)
_AGE = re.compile(
    r"\b(?:ages?|aged|edad|âge)\b\s*[:=]?\s*(?P<a>\d{1,2})(?![\w/])"
    r"|\b(?:turn(?:ed|s|ing)?|cumpl(?:e|i[óo])|(?:he|she)(?:'s| is| was|s)|is|(?:il|elle) a|tiene)\s+(?P<b>[3-9]|1\d|2[01])"
    r"(?=\s*(?:y/?o\b|years?(?! ago)|yrs|años|ans\b|last\b|next\b|this\b|el\b|on\b|and\b|y\b|[,.;!?)^]|$|\n))"
    r"|(?<![\w.,/$])(?<!avant )(?<!under )(?<!over )(?<!before )(?<!below )(?<!than )(?<!least )(?<!menores de )(?<!mayores de )(?<!moins de )(?<!plus de )(?P<c>[3-9]|1\d|2[01])(?=\s*(?:y/?o\b|-?years?[- ]old|años\b|ans\b))"
    r"|(?<=, )(?P<d>\d;\d{1,2})(?!\d)|(?P<e>[一二三四五六七八九十\d]{1,3})\s?[岁歲]"
    rf"|(?:عمره|عمرها|سنه|سنها)\s+(?P<f>{_DIGITS}{{1,2}})",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"\b(?:student|pupil|kid|alumn[oa]|él[èe]ve|estudiante|learner|child)\s*(?:(?:no\.?|nº|n\.?[ºo°]|number|num|n[úu]mero)\s*[#:]?|#)\s*"
    r"(?P<id>#?(?:[A-Z]-)?\d[\d-]{0,11})(?![\w%])"
    r"|\b(?:student|pupil|kid|alumn[oa]|él[èe]ve|estudiante|learner)\s+(?P<long>(?!(?:19|20)\d\d\b)\d{4,12})(?![\w%])"
    r"|(?:(?<=班里)|(?<=学生)|(?<=同学)|(?<=學生)|(?<=同學))\s?(?P<id3>\d{1,3}\s?[号號])|(?:الطالبة?|تلميذة?) رقم (?P<id4>\d+)"
    r"|\by (?:el|la) (?P<id5>#\d{1,5})",
    re.IGNORECASE,
)
_LISTED_AS = re.compile(r"[（(]\s?n[º°]\s?(?P<number>\d{1,6})[)）]")
"""A number on a list, beside a child: 'Fátima (nº 114)'."""
_HANDLE = re.compile(
    r"(?<![\w./@-])(?!(?:covid|grade|level|unit|room|version|class|windows|office)[ _-]?\d)(?P<handle>[a-z]{3,}\.\d{3,4}|[a-z]{2,}(?:_[a-z]+)+\d{1,4}|[a-z]{3,}\d{4}|[a-z]{3,}[._][a-z]*\d{3,4}|[a-z]{2,}_[a-z]*\d{1,6})(?![\w.@-])"
)
"""What a child is called on a screen: letters and then a number."""
_RIDES = re.compile(
    r"\b(?:bus|school bus|ruta|autob[úu]s|locker|casillero|taquilla|باص رقم)\s*(?:#|no\.?|number|n[úu]mero)?\s*(?P<ride>\d{1,4})(?![\w%])",
    re.IGNORECASE,
)
_MARKED_LINE = re.compile(r"^[^\n?!]{1,28}?[-–:=]\s*(?P<mark>[A-DF][+-]?|\d{1,3}\s?%|\d{1,3}/\d{1,3})[ \t]*$", re.MULTILINE)
"""A subject with its mark, on a line of its own."""
_NO_ONE = "年级|年級|班|题|題|页|頁|章|数学|數學|语文|語文|英语|英語|科学|科學|人数|人數|数量|日期|أسئلة|السؤال|الصف|العدد|الصفحة|الدرس|الرياضيات|العلوم|اللغة"
_ROW_ELSEWHERE = re.compile(
    rf"^[ \t•*-]*(?:\d+[.,)]\s*)?(?![^\n:：,،]{{0,6}}(?:{_NO_ONE}))(?P<name>[\u0621-\u064a]{{2,}}(?: [\u0621-\u064a]{{2,}}){{0,2}}|[\u4e00-\u9fff·]{{2,6}})\s*[-–:：,، ]\s*"
    rf"(?P<mark>{_MARK})(?=\s*(?:[,，،;；\n]|$))",
    re.MULTILINE,
)
_ITEM_ELSEWHERE = re.compile(
    rf"(?:(?<=[,，、:：])|(?<=^))\s*(?![^\n,，、:：]{{0,6}}(?:{_NO_ONE}))(?P<name>[\u4e00-\u9fff·]{{2,6}})\s+(?P<mark>\d{{1,3}}(?:\.\d)?)(?=\s*(?:[,，、。;；.\n]|$))",
    re.MULTILINE,
)


def figures(text: str, names: list[tuple[int, int]]) -> Iterator[Found]:
    """Marks, levels, ages and list numbers of the persons a text speaks of. ``names`` are the spans of names found in it."""
    for match in _SCALE.finditer(text):
        yield from _groups(match, KIND)
    for match in _AGE.finditer(text):
        yield from _groups(match, BIRTH)
    yield from numbered(text)
    for pattern, kind in ((_HANDLE, ACCOUNT), (_RIDES, PLACE), (_LISTED_AS, ID)):
        for match in pattern.finditer(text):
            yield from _groups(match, kind)
    for _, end in names:
        beside = _BESIDE.match(text, end)
        if beside:
            yield from _groups(beside, KIND, ("marked", "bare", "strong"))
            for cell in _CELL.finditer(text, beside.start("rest"), beside.end("rest")):
                yield cell.start(), cell.end(), KIND
    yield from _rows(text, names)


def numbered(text: str) -> Iterator[Found]:
    """Pupils told by their number: 'student 30118', 'el alumno #27', '37号'."""
    for match in _NUMBERED.finditer(text):
        yield from _groups(match, ID)


def listed(text: str) -> Iterator[Found]:
    """Names, in letters that have no capitals, that stand in rows with a mark behind each; two at least."""
    for pattern in (_ROW_ELSEWHERE, _ITEM_ELSEWHERE):
        rows = list(pattern.finditer(text))
        if len(rows) > 1:
            for match in rows:
                yield match.start("name"), match.end("name"), "student name"
                yield match.start("mark"), match.end("mark"), KIND


def _groups(match: re.Match[str], kind: str, wanted: Collection[str] = ()) -> Iterator[Found]:
    for group, value in match.groupdict().items():
        if value and (not wanted or group in wanted):
            yield match.start(group), match.end(group), kind


def _rows(text: str, names: list[tuple[int, int]]) -> Iterator[Found]:
    """The marks of every line that has a name and is a row: few words or several separators, and no sentence's end."""
    for match in _MARKED_LINE.finditer(text) if "\n" in text.strip() else ():
        yield from _groups(match, KIND)
    start = 0
    for line in text.splitlines(keepends=True):
        end = start + len(line)
        inside = [span for span in names if start <= span[0] < end]
        bare = line.strip()
        rest = line
        for a, b in inside:
            rest = rest.replace(text[a:b], " ", 1)
        if inside and len(re.findall(r"[,;|\t](?=\S)", line)) > 1:
            for cell in _TABLE_CELL.finditer(line):
                if start + cell.start() >= inside[0][0]:
                    digits = len(re.sub(r"\D", "", cell.group()))
                    yield start + cell.start(), start + cell.end(), ID if digits > 3 else KIND
        few = len(rest.split()) <= ROW_WORDS and not re.search(r"[?!]\s*$", bare)
        if inside and "\n" in text.strip() and few and (_SEPARATORS.search(bare) or len(rest.split()) <= 3):
            for cell in _CELL.finditer(text, min(a for a, _ in inside), end):
                if cell.start() >= inside[0][1]:
                    yield cell.start(), cell.end(), KIND
        start = end
