"""Given and family names of many origins, read once from ``knowledge/guardrails/names.txt``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

import numpy as np

import bot
from bot import prompts
from bot.errors import ConfigurationError, FormatError
from bot.guardrails.policy import privacy, public
from bot.guardrails.views import unaccented

HEAD = 3
"""Bytes by which the lines are told apart at first."""
_ABOUT = re.compile(rb"(?:#[^\n]*\n)*")


class Names(Collection[str]):
    """The names of one kind."""

    def __init__(self, listed: Listed, kind: bytes) -> None:
        self._listed = listed
        self._kind = kind

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self._kind in self._listed.kinds(name)

    def __iter__(self) -> Iterator[str]:
        return (name for name, kinds in self._listed.lines() if self._kind in kinds)

    def __len__(self) -> int:
        return sum(1 for _ in self)


class Listed:
    """The sorted lines of the list, "name kinds", as they stand in the file. As strings in sets they would take fourteen times
    the memory, and a thirtieth of a second at every start."""

    def __init__(self, text: bytes) -> None:
        """``text`` is the whole file. Raises FormatError naming the line."""
        about = _ABOUT.match(text)
        above = about.end() if about else 0
        self._text = b"\n" + text[above:]
        self._above = text[:above].count(b"\n")
        letters = np.frombuffer(self._text, dtype=np.uint8)
        ends = np.flatnonzero(letters == ord("\n"))
        if len(ends) < 2 or letters[-1] != ord("\n"):
            raise self._unusable(len(ends) - 1, "cut off, or there is no name")
        begins, lengths = ends[:-1], np.diff(ends)
        spaces = np.add.reduceat(letters == ord(" "), begins, dtype=np.int64)
        if (strange := (lengths <= HEAD) | (spaces != 1)).any():
            raise self._unusable(int(strange.argmax()), "not a name and its kinds")
        heads = sum(letters[begins + 1 + i].astype(np.int64) << (8 * (HEAD - 1 - i)) for i in range(HEAD))
        steps = np.diff(heads, prepend=0)
        if (steps < 0).any():
            raise self._unusable(int((steps < 0).argmax()), "out of order; python -m tests.evals.make_names sorts by bytes")
        firsts = begins[steps > 0].tolist()
        blocks = zip(firsts, [*firsts[1:], len(letters) - 1], strict=True)
        self._blocks = {self._text[begin + 1 : begin + 1 + HEAD]: (begin, end + 1) for begin, end in blocks}

    def _unusable(self, number: int, why: str) -> FormatError:
        return FormatError(why, where=f"knowledge/guardrails/names.txt:{self._above + number + 1}")

    def kinds(self, name: str) -> bytes:
        """The letters behind a name; none where it is not listed."""
        word = name.encode("utf-8", "replace") + b" "
        block = self._blocks.get(word[:HEAD])
        at = -1 if block is None else self._text.find(b"\n" + word, *block)
        return b"" if at < 0 else self._text[at + 1 + len(word) : self._text.index(b"\n", at + 1)]

    def lines(self) -> Iterator[tuple[str, bytes]]:
        """Every name and its kinds."""
        for line in self._text.splitlines():
            name, _, kinds = line.partition(b" ")
            if name:
                yield name.decode("utf-8"), kinds


class Gazetteer:
    """Lookups by folded name: ``given`` and ``family`` names, ``everyday`` names that are also words, ``words`` that are no
    names."""

    def __init__(self, text: bytes) -> None:
        listed = Listed(text)
        self.given, self.family = Names(listed, b"g"), Names(listed, b"f")
        self.everyday, self.words = Names(listed, b"w"), Names(listed, b"d")


@cache
def gazetteer() -> Gazetteer:
    """The shipped names. Raises ConfigurationError when the file is missing, FormatError when it is not as it was made."""
    path = Path(bot.__file__).parent.parent / "knowledge" / "guardrails" / "names.txt"
    try:
        return Gazetteer(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"knowledge/guardrails/names.txt: unusable: {error}") from None


def _spellings() -> set[str]:
    data = prompts.names()
    found = set(privacy().public_people) | set(privacy().keep) | public().spellings()
    for kind in ("states", "places", "products", "organizations", "exams", "laws"):
        for entry in getattr(data, kind):
            found |= {part.strip() for part in entry.split(" = ")}
    return found | {dotted for name in found for dotted in _dotted(name)}


def _dotted(name: str) -> list[str]:
    """'JK Rowling' as people also write it: 'J. K. Rowling', 'J.K. Rowling'; the full stops may be missing."""
    lettered = re.match(r"([A-Z]{1,3}) (?=[A-Z][a-z])", name)
    if lettered is None:
        return []
    rest = name[lettered.end() :]
    return [
        " ".join(f"{letter}." for letter in lettered[1]) + " " + rest,
        "".join(f"{letter}." for letter in lettered[1]) + " " + rest,
    ]


def _branches(spellings: list[str], depth: int = 2) -> str:
    """An alternation that is branched by its first letters, so that few branches are tried at a place."""
    if depth == 0 or len(spellings) < 4:
        return (
            "(?:"
            + "|".join(re.escape(s).replace(r"\-", "[- ]").replace(r"\ ", "[- ]").replace(r"\.", r"\.?") for s in spellings)
            + ")"
        )
    heads: dict[str, list[str]] = {}
    for spelling in spellings:
        heads.setdefault(spelling[:1], []).append(spelling[1:])
    return "(?:" + "|".join(re.escape(head) + _branches(rest, depth - 1) for head, rest in heads.items()) + ")"


@cache
def public_names() -> re.Pattern[str]:
    """Names that stay: public people, vendors, laws, places, courses. Matched on unaccented lower case as whole words."""
    return _whole_words({unaccented(s) for s in _spellings()})


@cache
def tool_names() -> re.Pattern[str]:
    """Tools and laws alone, written as names: the part of a text that a question is about, whatever is told around it."""
    data = prompts.names()
    written = {part.strip() for kind in (data.products, data.laws) for entry in kind for part in entry.split(" = ")}
    return _whole_words({name for name in written | public().tools() if name[0].isupper()})


def _whole_words(names: set[str]) -> re.Pattern[str]:
    longest_first = sorted((name for name in names if len(name) > 2), key=len, reverse=True)
    return re.compile(r"(?<![\w@-])" + _branches(longest_first) + r"(?![\w-])(?!@)")


SCHOOLS = re.compile(
    r"(?:(?![\w-]*'s\s)[A-Z][\w.'-]*\s+){1,4}(?:Elementary|Middle|High|Junior High|Primary|Charter|Magnet|Preparatory|Schools?|"
    r"Academy|Unified|ISD|State|Poly|"
    r"USD|District|County|University|College|Institute|Foundation|Act|Amendment|Law|Framework|Taxonomy|Award|"
    r"Report|Center|Centre|"
    r"Museum|Library|Press|Times|Post|Journal|Publishing|Education|Learning|Department|Commission|Board|"
    r"schools|public schools|school district|unified|county|debate|initiative|memo|doctrine|"
    r"ruling|theorem|foundation|elementary|middle school|high school|HS|JHS|MS|ES|Bank|Avenue|Street|Road|Rd|Boulevard|Blvd)\b"
    r"(?:\s+(?:School|Schools|District|"
    r"Public Schools|Unified|of [A-Z]\w+))*"
    r"|\bSt(?:s|e)?\.?\s[A-ZÀ-Þ][\w-]+(?:'s)?"
    r"|\b(?:Escuela|Colegio|Liceo|Universidad|Distrito|Ley|École|Collège|Lycée|Université|Virgen|Santa|Santo|Saint|Sainte)"
    r"(?:\s+(?:de|del|la|el|du|des))*(?:\s+[A-ZÀ-Þ][\w.'-]*){1,3}"
    r"|\b(?:Saint|Sainte)-[A-ZÀ-Þ][\w'-]+"
)
"""Institutions, laws and saints that carry a person's name stay whole."""
_NAME = r"[A-ZÀ-Þ][\w'-]+"
CITED = re.compile(
    rf"{_NAME}(?:,? (?:and|&|y|et) {_NAME})?"
    r"(?=,? et al\b|'s? \(?(?:19|20)\d\d\b| \((?:19|20)\d\d\)|,? (?:19|20)\d\d\)|, [A-Z]\.(?: [A-Z]\.)? \((?:19|20)\d\d)"
)
"""Authors as they are cited: 'Luckin et al', 'Bloom (1984)'."""
COINED = re.compile(
    r"\b[A-Z][a-z]+(?:Learn|Read|Reader|Math|Class|Classroom|School|Edu|Bot|Chat|Tutor|Write|Writer|Quest|Spark|Mind|Path|Note|Notes|Lab|Labs|Hub|"
    r"Track|Check|Guard|Think|Works|Link|Scribe|Study|Teach|Code|Sense|Wise|Bridge|Pass|Desk|Kit|Flow|Space|Sync|Roster|Pal|Buddy|AI)\b"
)
"""A product's name, made of two words written as one."""
_STATES = "A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[AT]|W[AIVY]"
_LANDS = "Australia|Canada|Mexico|México|UK|England|Spain|España|France|Texas|California|Ohio|Washington|Florida"
LOCATED = re.compile(rf"[A-ZÀ-Þ][a-zà-ÿ]+(?: [A-ZÀ-Þ][a-zà-ÿ]+)?(?=, ?(?:{_STATES})\b| ?\((?:{_STATES}|{_LANDS})\))")
"""Places with their state or country behind them."""
DATED = re.compile(r"\b(?:Feb|Apr|Aug|Sept?|Oct|Nov|Dec)\.? (?:[12]?\d|3[01])(?:st|nd|rd|th)?\b")
"""Days of months whose short names are no one's."""
_TITLES = (
    "(?:Vice|Assistant|Asst|Deputy|Associate)[ .-]+(?:Principal|Superintendent|Director|Head)|Comptroller|Dir|Aide|"
    "Enfermer[ao]|Doña|"
    "Secretary|Superintendent|Supt|Senator|Sen|Governor|Gov|President|Representative|Rep|Congress(?:man|woman)|Judge|Justice|"
    "Chancellor|Commissioner|Trustee|Mayor|Principal|Rev(?:erend)?|Pastor|Deacon|Msgr|Rabbi|Imam|Mtr[ao]|Lic|Entrenadora?|Consejer[ao]|Secretari[ao]|Subdirectora?|Trainer|Dr|Prof(?:essor)?|Mr|Ms|Mrs|Miss|Mx|Coach|Nurse|Officer|Dean|"
    "Sr|Sra|Srta|Señora|Señor|Señorita|Profe|Profesora?|Maestr[oa]|Director[a]?|Mme|Monsieur|Madame"
)
OFFICES = re.compile(
    rf"\b(?:{_TITLES}|M(?=\.))\.?\s+(?:[A-ZÀ-Þ]\.\s*)?[A-ZÀ-Þ][\w'-]+(?:\s+[A-ZÀ-Þ][\w'-]+)?"
    rf"|(?<!\w)(?i:mr|ms|mrs|dr|mx|prof|profe|coach|principal|superintendent|maestr[oa]|profesora?|director[a]?|mme|"
    rf"señora?)\.?\s+(?!(?i:mr|ms|mrs|dr|mx|mme|sra?)\b)(?P<low>[a-zA-ZÀ-ÿ][\w'-]+)"
)
"""Titles of staff and office holders; they stay unless they are a family's."""
ROLES = re.compile(
    r"(?i:\b(?:our|the|my|a|new|this is|i am|i'm|nuestr[oa]|el|la|notre)\s+(?:[\w-]+\s+){0,2}?(?:director|principal|librarian|"
    r"superintendent|colleague|co-?worker|co-?teacher|teacher|counselor|coach|secretary|nurse|psychologist|therapist|specialist|"
    r"coordinator|para|aide|dean|registrar|rep|guy|member|president|chair|officer|ap|vp|assistant|trainer|consultant|professor|"
    r"author|senator|governor|mayor|researcher|sub(?:stitute)?|maestr[oa]|directora?|colega))\s+(?P<name>[A-ZÀ-Þ][\w'-]+(?:\s+[A-ZÀ-Þ][\w'-]+)?)"
)
"""Staff named behind what they do; the name stays."""


_OF_CHILDREN = (
    "students?|kids?|child(?:ren)?|class(?:es)?|clubs?|interns?|assistants?|helpers?|pupils?|girls?|boys?|caseload|services?|tests?|exams?|sections?|"
    "courses?|electives?|groups?|teams?|pathway|academy|program|science|alumn[oa]s?|élèves?|clase|curso|cours"
)
"""What makes of a post or a department a child's: 'my AP student', 'IT class'."""


@cache
def posts() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Staff by the group "name": behind what they do without an article ('counselor Bea'), and before where they work or
    what they do ('Dana in HR', 'Malia, our librarian', 'Tamsin the OT', 'Moreau teaches French here'); the name stays."""
    name = r"(?P<name>[A-ZÀ-Þ][\w'-]+(?:\s+[A-ZÀ-Þ][\w'-]+)?)"
    roles, departments, desks = _either(public().roles), _either(public().departments), _either(public().desks)
    where = r"(?:(?:over |down |up )?(?:in|from|at|of)|del?(?: la)?|en|du|de l'|de la|à la|à l'|au)\s*(?:the )?"
    whose = r"(?:our|my|the|la|el|nuestr[oa]|mi|notre|ma|mon|l')\s*(?:[\w-]+\s+)?"
    return (
        re.compile(rf"(?<![\w-]){roles}\s+{name}"),
        re.compile(
            rf"\b{name}(?:\s+(?:{where}{departments}|from the {desks})(?![\w'’-]| (?:{_OF_CHILDREN})| \d)"
            rf"|,?\s+\(?{whose}(?:{roles}|para|aide|cook)(?![\w'’-]| (?:{_OF_CHILDREN})|\s+(?:of|de)\s)"
            rf"|\s+(?:teaches|coaches)\s+(?:\d+(?:st|nd|rd|th)\b|(?:[A-Z][\w-]+|math|science|art|music)\s+(?:here|at our)\b))"
        ),
    )


_PRODUCT = "(?:app|tool|product|platform|software|chatbot|bot|plug-?in|extension|avatar|add-?on)"
_SORT = r"(?:(?:reading|math|writing|speech|phonics|learning|tutoring|grading|translation|AI)\s+)?"
PRODUCTS = re.compile(
    rf"\b(?:the|our|this|via|per|through|using|[Tt]he|[Pp]er)\s+(?P<name>{_NAME})(?<!['’]s)\s+{_SORT}"
    rf"(?:{_PRODUCT}|SIS|LMS|dashboard|portal)(?![\w'’-])"
    rf"|\b(?P<said>{_NAME}),\s+(?:the|our|an?)\s+(?:[\w-]+\s+){{1,2}}{_PRODUCT}\s*[,;:.?!)]"
)
"""Products by what is said of them ('the Daisy reading app', 'Hunter, the phishing-sim product, emailed us'); the name stays."""


def _either(listed: str) -> str:
    """Any of the words between commas, as they stand or capitalised."""
    words = {form for word in listed.split(",") for form in (word.strip(), word.strip()[:1].upper() + word.strip()[1:])}
    return "(?:" + "|".join(map(re.escape, sorted(words, key=len, reverse=True))) + ")"


_KIN = (
    r"parent|mom|mum|mother|dad|father|guardian|grandm\w+|grandf\w+|grandpa|aunt|uncle|stepmom|stepdad|madre|mam[áa]|padre|"
    r"pap[áa]|abuel[oa]|t[íi][oa]|tutora?|mère|père"
)
KIN_AFTER = re.compile(
    rf"^\s*[,(-]?\s*(?:who is |is |es |est )?(?:the |a |an |his |her |their |la |el |su |un |une |le |[\w'-]+'s )?(?:{_KIN})\b"
    r"|^'s? (?:own |older |younger |little |twin )?(?:son|daughter|child|kids?|twins?|boys?|girls?|children|grand(?:son|daughter)"
    r"|hij[oa]s?|fille|fils)\b"
    r"|^[^.?!]{0,40}\b(?:her|his|their|su|sa|son) (?:own )?(?:son|daughter|child|kid|hij[oa]|fille|fils|grand(?:son|daughter))\b",
    re.IGNORECASE,
)
"""What follows a titled name that is a family's."""
KIN_BEFORE = re.compile(
    rf"\b(?:{_KIN})s?\b(?:\s+(?:de |of |d'|du )\s?[\w'-]+)?(?:\s+(?:named|called)|\s*[,:(])?\s*$", re.IGNORECASE
)
