"""Fits the reader of names: ``python -m tests.evals.fit_names``.

Sentence frames (``tests/evals/policy/name_frames.txt``) and the fitting halves of the question files are filled with names of
many origins from Faker and names (both MIT), the lists of ``make_names`` and made-up ones, typed as staff type. Questions and
the library's sentences without names are what must stay. Half of the listed names are treated as unlisted, so that letters
and place must do. Judged on frames and names that were set apart. Neither ``held.jsonl`` nor ``privacy_dev.jsonl`` is read.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import re
import sys
import zlib
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from bot import prompts
from bot.guardrails import likeness, names, policy
from bot.guardrails.gazetteer import gazetteer
from bot.guardrails.policy import privacy, public
from bot.guardrails.tokens import plain
from bot.guardrails.views import clean
from tests.evals import make_names

SCATTERED = 3
"""Of which questions one in so many is also taken with other words in it."""
ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / "knowledge" / "guardrails" / "names.npz"
FRAMES = ROOT / "tests" / "evals" / "policy" / "name_frames.txt"
LOCALES = (
    "en_US en_GB en_IE en_IN en_KE en_NG en_PK es_ES es_MX es_CO fr_FR fr_CA fr_DZ pt_BR de_DE it_IT pl_PL nl_NL sv_SE no_NO "
    "vi_VN id_ID ha_NG ig_NG yo_NG zu_ZA tw_GH sw tr_TR hr_HR cs_CZ ro_RO uz_UZ"
).split()
WORDS_AS_NAMES = (
    "Will Mark Grace Hope Joy May April June August Summer Dawn Bill Rich Rose Lily Iris Ivy Jasmine Art Grant Chase Hunter "
    "Mason Chance Guy Earnest Max Star Storm King Prince Duke Major Miles Royal Reign Justice Mercy Charity Patience Pearl "
    "Ruby Amber Crystal Jade Opal Sandy Rusty Rocky Stone Cliff Heath Brook River Ocean Chip Dale Glen Cash Harmony Heaven "
    "Angel Destiny Genesis Journey Trinity Precious Princess Diamond Essence Ebony Ivory Ginger Olive Violet Daisy Poppy Clay "
    "Luz Paz Cruz Sol Mercedes Rosario Angeles Cielo Milagros Esperanza Sierra Savannah London Paris Austin Dallas Houston "
    "Phoenix Boston Denver Georgia Virginia Carolina Dakota Montana Israel China India Asia America Lincoln Washington Kenya "
    "Ireland Florence Jordan Madison Charlotte Jackson Cleveland Sydney Victoria Chelsea Clark Luna Nova Sage Rowan Ash Hazel "
    "Holly Honor Liberty Melody Lyric Piper Archer Fisher Tanner Baker Cooper Porter Carter Walker Turner Skinner Sawyer "
    "Judge Bishop Pope Deacon Faith Christian Messiah Blessing Miracle Lucky Sunny Rain Sky Skye Love True Blue Case Drew "
    "Robin Wren Lark Dove Marina Coral Penny Ty Lex Rex Tip Buck Colt Reed Pierce Wade Ace An Bao Long Sun Son Young Dung "
    "Legend Saint Wolf Bear Fox Raven Phoenix Maverick Ranger Ryder Rider Stormy Winter Autumn Noel Dee Jet Arrow Zion"
).split()
STARTS = "la de ja sha ke tre mar da ra ty jay bray kay lay ay a na sa ma ta ka za xi yu mei jun hae seo min tha sun olu ade chi nk abd al fa".split()
ENDS = (
    "quan shawn ana iya den lyn lynn leigh ton son iah ius ante elle ette isha ika ima ari aya eon ell ra na ri wa mi "
    "ko ji hee won nam bao anh wuchi tunde kemi yinka ola rahman din ullah"
).split()
BRAND_STARTS = (
    "edu quill read math learn class study tutor snap brisk lex kid quiz note write think spark bright nova zen peer loop".split()
)
BRAND_ENDS = "ly ify AI Bot Hub Lab Pad Buddy Mate Genius Wise Path Flow IQ Box Kit Up Space Craft".split()
COURSES = (
    "ELA 9|AP Bio|AP Lang|AP Chemistry|Algebra 1|Algebra 2|Geometry|US History|World History|English 10|Spanish 3|PE|Biology|"
    "Chemistry|Physics|math|science|reading|social studies|art|health class|AP CSP|Calculus|kindergarten|Biología|Matemáticas"
).split("|")
STAFF = "Ms.|Mr.|Mrs.|Dr.|Principal|Coach|Superintendent|Miss|Prof.|Señora|Maestra|Profe|Mme".split("|")
PUBLIC = (
    "Plato|Cleopatra|Nelson Mandela|Malala|Greta Thunberg|Beethoven|Mozart|Picasso|Van Gogh|Galileo|Newton|Tesla|Edison".split(
        "|"
    )
)
HE = re.compile(
    r"\b(?:one of my (?:students|kids|freshmen|seniors)|(?:a|the|one|this|my|some|that) (?:\w+ grade |new |\d\w\w grade )?"
    r"(?:student|kid|child|girl|boy|kiddo|freshman|sophomore|junior|senior|\d\w\w grader|\w+th grader)|un alumno|una alumna|"
    r"mi alumno|mi alumna|un estudiante|mi hijo|mi hija|un élève|mon élève)\b(?! (?:id|data|record|privacy|information|work|handbook))",
    re.IGNORECASE,
)
THEY = re.compile(r"\b(?:my |the |our |some )?(?:students|kids|kiddos|alumnos|estudiantes)\b", re.IGNORECASE)
OWN = re.compile(
    r"\b(?:his|her)\b(?= (?:essay|paper|work|mom|dad|iep|homework|phone|account|grade|parents|writing|project))", re.IGNORECASE
)


def pools() -> tuple[list[tuple[list[str], list[str]]], list[str], list[str]]:
    """(given, family) names by origin, word-like given names, and places."""
    origins = []
    for locale in LOCALES:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        given = {n for a in ("first_names", "first_names_male", "first_names_female") for n in make_names.entries(provider, a)}
        family = {n for a in ("last_names", "last_names_male", "last_names_female") for n in make_names.entries(provider, a)}
        latin = re.compile(r"[A-Za-zÀ-ỿ' -]{2,}")
        first = sorted(n for n in given if latin.fullmatch(n))
        last = sorted(n for n in family if latin.fullmatch(n))
        if first:
            origins.append((first, last or first))
    listed = [name.title() for name in make_names.MORE_GIVEN] + [name.title() for name in make_names.ROMAN]
    families = [name.title() for name in make_names.ROMAN_FAMILIES]
    origins += [(listed[i::4], families) for i in range(4)] * 2
    import names as census

    base = Path(census.__file__).parent
    first = [line.split()[0].title() for f in ("dist.female.first", "dist.male.first") for line in (base / f).open()][:2500]
    last = [line.split()[0].title() for line in (base / "dist.all.last").open()][:6000]
    origins += [(first, last)] * 3
    places = [s for entry in prompts.names().states + prompts.names().places for s in entry.split(" = ")]
    for locale in ("en_US", "es_MX", "fr_FR", "en_GB"):
        module = importlib.import_module(f"faker.providers.address.{locale}").Provider
        places += [str(p) for p in getattr(module, "states", ()) or ()]
        places += [str(c) for c in (getattr(module, "cities", ()) or getattr(module, "countries", ()) or ())][:200]
    places += [p.strip() for p in public().places.split(",")]
    places += (
        "Jordan|Austin|Madison|Paris|Houston|Jackson|Georgia|Virginia|Carolina|Lincoln|Washington|London|Kenya".split("|") * 4
    )
    return origins, WORDS_AS_NAMES, places


class Maker:
    """Makes filled sentences with the spans of the names in them."""

    def __init__(self, rng: random.Random, apart: bool | None) -> None:
        """``apart`` takes the fifth of the names that judging keeps for itself; None takes all."""
        self.rng = rng

        def mine(name: str) -> bool:
            return taken(name, apart)

        origins, words, self.places = pools()
        self.origins = [([n for n in g if mine(n)], [n for n in f if mine(n)]) for g, f in origins]
        self.origins = [(g, f) for g, f in self.origins if g and f]
        self.words = [n for n in words if mine(n)]
        self.products = (
            [s for entry in prompts.names().products for s in entry.split(" = ")]
            + [p.strip() for p in public().products.split(",")]
            + ["ChatGPT", "Gemini", "AI", "Copilot"] * 8
        )
        self.public = [*privacy().public_people, *PUBLIC]

    def given(self) -> str:
        """A given name: listed, a word, made up, doubled or a nickname."""
        rng, kind = self.rng, self.rng.random()
        first = rng.choice(rng.choice(self.origins)[0])
        if kind < 0.17:
            return rng.choice(self.words)
        if kind < 0.2:
            return (
                "".join(rng.sample("ABCDEFGHJKLMNPRSTVWZ", 2))
                if rng.random() < 0.5
                else rng.choice("AJ TJ CJ DJ JD JP KC MJ PJ RJ TY BJ JR LJ KJ JJ".split())
            )
        if kind < 0.28:
            made = rng.choice(STARTS) + rng.choice(ENDS)
            return made[:1].upper() + made[1:]
        if kind < 0.31:
            return rng.choice(STARTS).title() + "'" + rng.choice(ENDS).title()
        if kind < 0.36:
            second = rng.choice(rng.choice(self.origins)[0])
            return first.split()[0] + "-" + (second if rng.random() < 0.5 else second.lower()).split()[0]
        return first

    def family(self) -> str:
        """A family name, sometimes double or with a particle."""
        rng = self.rng
        last = rng.choice(rng.choice(self.origins)[1])
        if rng.random() < 0.1:
            last += "-" + rng.choice(rng.choice(self.origins)[1])
        if rng.random() < 0.05:
            last = rng.choice(["de la ", "Al-", "O'", "van ", "da ", "Mc"]) + last
        return last

    def person(self) -> str:
        """A student as staff write one."""
        rng, kind = self.rng, self.rng.random()
        if kind < 0.56:
            return self.given()
        first, last = rng.choice(self.origins)
        full = f"{rng.choice(first) if rng.random() < 0.8 else self.given()} {rng.choice(last) if rng.random() < 0.8 else self.family()}"
        if kind < 0.86:
            return full
        if kind < 0.9:
            return f"{self.given()} {rng.choice('ABCDGJKLMNPRSTVW')}{rng.choice(['.', ''])}"
        if kind < 0.93:
            return f"{rng.choice('ABCDGJKLMNPRSTVW')}. {self.family()}"
        if kind < 0.96:
            return f"{self.family()}, {self.given()}"
        return f"{self.given()} {self.family()} {self.family()}"

    def brand(self) -> str:
        """A product, listed or made up."""
        rng = self.rng
        if rng.random() < 0.6:
            return rng.choice(self.products)
        if rng.random() < 0.5:
            return rng.choice(BRAND_STARTS).title() + rng.choice(BRAND_ENDS)
        letters = [rng.choice("bcdfgklmnprstvz") + rng.choice("aeiou") for _ in range(rng.choice((2, 3)))]
        return "".join(letters).title() + rng.choice(["", "", "o", "x", "r", "la", "ly"])

    def fill(self, frame: str) -> tuple[str, list[tuple[int, int]]]:
        """A frame's text and its names' spans."""
        rng, out, spans = self.rng, "", []
        for _ in range(2):
            frame = re.sub(r"\{([a-z]+)\}", lambda m: rng.choice(words()[m.group(1)]), frame)
        frame = frame.replace(" ,", ",")
        for piece in re.split(r"(\{[A-Z]\})", frame):
            if piece not in ("{N}", "{M}", "{F}"):
                out += self.other(piece)
                continue
            name = self.person()
            if piece == "{F}":
                name = rng.choice(
                    [name, f"{self.given()} {self.family()}", f"{rng.choice(['Ms.', 'Mrs.', 'Mr.'])} {self.family()}"]
                )
            spans.append((len(out), len(out) + len(name)))
            out += name
        return out, spans

    def other(self, piece: str) -> str:
        """What fills a slot that is no student's."""
        rng = self.rng
        if piece == "{V}":
            return self.brand()
        if piece == "{O}":
            return rng.choice(self.places)
        if piece == "{C}":
            return rng.choice(COURSES)
        if piece == "{P}":
            full = f"{self.given()} {self.family()}"
            return rng.choice(self.public) if rng.random() < 0.5 else full
        if piece == "{S}":
            return f"{rng.choice(STAFF)} {self.family()}"
        if piece == "{T}":
            return f"{self.given()} {self.family()}" if rng.random() < 0.7 else f"{rng.choice(STAFF)} {self.family()}"
        if piece == "{W}":
            return (
                rng.choice([*WORDS_AS_NAMES, "guidance", "policy", "limit", "plan", "rule"]).lower()
                if rng.random() < 0.6
                else rng.choice("April May June August March Monday Hope Will Chase Grant Mark".split())
            )
        return piece

    def typed(self, text: str, spans: list[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
        """As staff type: lower case, openings, endings, typing errors outside names; rarely in capitals."""
        rng = self.rng
        kind = rng.random()
        if kind < 0.42:
            text = text.lower() if len(text.lower()) == len(text) else text
        elif kind < 0.445:
            text = text.upper() if len(text.upper()) == len(text) else text
        elif kind < 0.75 and not (spans and spans[0][0] == 0):
            text = text[:1].upper() + text[1:]
        elif kind < 0.8 and spans:
            a, b = spans[0]
            text = text[:a] + text[a:b].lower() + text[b:] if len(text[a:b].lower()) == b - a else text
        if rng.random() < 0.12:
            text = text.replace("'s ", "s ") if not spans else text
        opening = (
            rng.choice(["hi, ", "quick question: ", "hey ", "ok so ", "Hello, ", "Hi! ", "need help. ", "so ", "- ", "also "])
            if rng.random() < 0.15
            else ""
        )
        closing = (
            rng.choice(["?", "", " thanks", " pls", "?? ", ".", ", is that allowed", ", what do i do", " and the parents know"])
            if rng.random() < 0.6
            else ""
        )
        text, spans = opening + text.rstrip("?.") + closing, [(a + len(opening), b + len(opening)) for a, b in spans]
        if rng.random() < 0.3:
            spots = [
                i for i in range(1, len(text) - 2) if text[i : i + 2].isalpha() and not any(a - 1 <= i <= b for a, b in spans)
            ]
            if spots:
                i = rng.choice(spots)
                text = text[:i] + text[i + 1] + text[i] + text[i + 2 :]
        return text, spans


@cache
def words() -> dict[str, list[str]]:
    """The lists of words ('= name: a|b') that frames refer to as {name}."""
    lines = [line[2:].partition(": ") for line in FRAMES.read_text(encoding="utf-8").splitlines() if line.startswith("= ")]
    return {name: rest.split("|") for name, _, rest in lines}


def frames() -> list[list[tuple[str, bool]]]:
    """Families of frames: (frame, whether it names someone)."""
    found: list[list[tuple[str, bool]]] = []
    names_someone = True
    for line in FRAMES.read_text(encoding="utf-8").splitlines():
        if line.startswith("@"):
            names_someone = not line.startswith("@ -")
            found.append([])
        elif line and line[0] not in "#=":
            found[-1].append((line, names_someone))
    return found


def questions(pattern: str) -> list[str]:
    """Questions of the fitting halves."""
    files = sorted((ROOT / "tests" / "evals" / "questions").glob(pattern))
    return [json.loads(line)["question"] for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def named(question: str, rng: random.Random) -> str | None:
    """A question that speaks of a student as a frame with a slot; None when it speaks of none."""
    found = HE.sub("{N}", question, count=1)
    if found == question:
        found = OWN.sub("{N}'s", question, count=1)
    if found == question:
        found = THEY.sub(rng.choice(["{N}", "{N} and {M}", "{N}, {M} and {N}"]), question, count=1)
    return None if found == question else found


def taken(text: str, apart: bool | None) -> bool:
    """Whether a name, frame or question belongs to a side: the fifth set apart, the others, or (None) all."""
    return apart is None or (zlib.crc32(plain(text).encode()) % 5 == 0) == apart


Row = tuple[str, list[tuple[int, int]]]


def sentences(limit: int, rng: random.Random) -> list[str]:
    """Sentences of the library."""
    found = []
    for path in sorted((ROOT / "knowledge" / "documents").glob("*.md")):
        body = path.read_text(encoding="utf-8").split("---")[-1]
        found += [s.strip() for s in re.split(r"(?<=[.?!])\s+|\n+", body) if 30 < len(s.strip()) < 220]
    rng.shuffle(found)
    return found[:limit]


def rows(rng: random.Random, apart: bool | None, each: int) -> list[Row]:
    """Filled sentences: of the frames, names and questions set apart, of the others, or of all."""
    maker = Maker(rng, apart)
    found: list[Row] = []
    for family in frames():
        for frame, _ in family:
            if taken(frame, apart):
                found += [
                    maker.typed(*maker.fill(frame)) for _ in range(each * (3 if "{verbs}" in frame or "{did}" in frame else 1))
                ]
    asked = [q for q in questions("fit*.jsonl") if taken(q, apart)]
    for question in asked:
        frame = named(question, rng)
        if frame:
            found.append(maker.typed(*maker.fill(frame)))
            if not apart:
                found += [maker.typed(*maker.fill(frame)) for _ in range(4)]
        found.append((question, []))
        if not apart:
            found.append(maker.typed(question, []))
    plainly = [text for text in nameless() if taken(text, apart)]
    found += [(text, []) for text in plainly] * (1 if apart else 2)
    found += [(scattered(text, rng), []) for text in [*plainly, *asked[::SCATTERED]]]
    if not apart:
        lines = sentences(4_000, rng)
        found += [(line, []) for line in lines] + [(line.lower(), []) for line in lines[:1500]]
        found += marked_examples()
    return found


def nameless() -> list[str]:
    """The policy's examples of every rule in which no word is a listed name."""
    known = gazetteer()
    listed = set(known.given) - set(known.everyday)
    texts = [example.text for example in policy.examples()]
    return [text for text in texts if not any(plain(word) in listed for word in re.findall(r"[^\W\d_]+", text))]


def scattered(text: str, rng: random.Random) -> str:
    """A text without names in which some lower-case words stand for others that are said all the time and are seldom names: what
    stands where a thing stands is no name, whatever list it is in."""

    def other(match: re.Match[str]) -> str:
        return rng.choice(ordinary()) if rng.random() < 0.25 else match.group()

    return re.sub(r"(?<![\w'.@/-])[a-z]{4,}(?![\w'@/-]|\.\w)", other, text)


@cache
def ordinary() -> list[str]:
    """Words that are said all the time, nobody's usual name, and that the lists do not tell from one."""
    known = gazetteer()
    given, _, _ = make_names.collect()
    everyday = set(known.everyday)
    said = make_names.spoken(given) | everyday
    listed = set(known.family) | (set(known.given) & everyday)
    return sorted(word for word in said if len(word) > 2 and word.isalpha() and (word in listed or word not in known.words))


def marked_examples() -> list[Row]:
    """The privacy rule's examples, details that look like names marked."""
    from bot.guardrails.evaluation import privacy_cases

    found = []
    for case in privacy_cases():
        spans = [(case.text.index(d), case.text.index(d) + len(d)) for d in case.details if not re.search(r"\d", d)]
        found += [(case.text, spans)] * 6
    return found


def common() -> set[str]:
    """Many words of English, Spanish and French, from pyspellchecker (MIT); a few are names, so each weighs half."""
    from spellchecker import SpellChecker

    found: set[str] = set()
    for language, most in (("en", 45_000), ("es", 45_000), ("fr", 35_000)):
        frequency = SpellChecker(language=language).word_frequency
        ranked = sorted(frequency.words(), key=lambda word: -frequency[word])[:most]
        found |= {plain(word) for word in ranked if re.fullmatch(r"[a-z]{3,}", plain(word))}
    return found


def letters_model(rng: random.Random) -> tuple[np.ndarray, float, dict[str, float]]:
    """Weights of the letter groups, their bias, and every listed word's score by a model that did not see it."""
    known = gazetteer()
    everyday = set(known.everyday)
    good = sorted(n for n in (set(known.given) | set(known.family)) - everyday if n.isascii())
    bad = sorted(w for w in known.words if w.isascii()) + sorted(likeness.school_words())
    wrong = []
    for word in rng.sample(bad, 9_000):
        i = rng.randrange(1, max(2, len(word) - 1))
        wrong.append(
            rng.choice(
                [
                    word[:i] + word[i + 1 :],
                    word[:i] + word[i : i + 1] + word[i:],
                    word[:i] + word[i + 1 : i + 2] + word[i : i + 1] + word[i + 2 :],
                ]
            )
        )
    endings = [word + end for word in rng.sample(bad, 6_000) for end in ("s", "ing", "ed")[:1]]
    others = common() - set(good) - set(bad) - everyday
    brands = [plain(w) for entry in prompts.names().products for w in re.findall(r"[A-Za-z]{4,}", entry)]
    words = good + bad + wrong + endings + brands + sorted(others)
    y = np.array([1] * len(good) + [0] * (len(words) - len(good)))
    weight = np.array(
        [1.6 if w in known.given else 0.7 for w in good] + [1.0] * (len(words) - len(good) - len(others)) + [0.5] * len(others)
    )
    x = matrix([likeness.groups(w) for w in words], likeness.LETTERS, scaled=True)
    folds = np.array([zlib.crc32(w.encode()) % 5 for w in words])
    unseen: dict[str, float] = {}
    for fold in range(5):
        model = LogisticRegression(C=2.0, max_iter=60, solver="liblinear").fit(
            x[folds != fold], y[folds != fold], weight[folds != fold]
        )
        scores = model.decision_function(x[folds == fold])
        unseen |= dict(zip([w for w, f in zip(words, folds, strict=True) if f == fold], scores.tolist(), strict=True))
    right = np.mean([(unseen[w] > 0) == bool(label) for w, label in zip(words, y, strict=True)])
    sys.stdout.write(f"letters alone, unseen words: {right:.3f} right\n")
    model = LogisticRegression(C=2.0, max_iter=60, solver="liblinear").fit(x, y, weight)
    return model.coef_[0], float(model.intercept_[0]), unseen


def matrix(binned: list[list[int]], width: int, scaled: bool = False) -> csr_matrix:
    """Rows of bins as a sparse matrix."""
    lengths = np.array([len(b) for b in binned])
    data = np.repeat(1 / np.sqrt(lengths) if scaled else np.ones(len(binned)), lengths)
    return csr_matrix((data, np.concatenate(binned), np.concatenate([[0], np.cumsum(lengths)])), shape=(len(binned), width))


def instances(
    found: list[Row], rng: random.Random, look: Callable[[str], float], unlisted: float
) -> tuple[list[list[int]], list[int], list[int]]:
    """Hashed signs, labels and the row of every candidate word."""
    binned, labels, of = [], [], []
    for number, (raw, spans) in enumerate(found):
        text = clean(raw)
        if len(text) != len(raw):
            continue
        reader = names.Reader(text, [])
        inside = [t.low for t in reader.tokens if any(a < t.end and t.start < b for a, b in spans)]
        hidden = {low for low in inside if rng.random() < unlisted and low not in WORDS_LOW}
        hidden |= {t.low for t in reader.tokens if rng.random() < 0.015 and len(t.low) > 3 and t.low not in inside}
        kept = [(a, b) for a, b in reader.firm if not any(x < b and a < y for x, y in spans)]
        places = likeness.Places(reader.drawn, reader.tokens, kept, reader.doubtful, hidden, look)
        for i, token in enumerate(reader.tokens):
            if places.candidate(i):
                binned.append(places.bins(i))
                labels.append(int(any(a < token.end and token.start < b for a, b in spans)))
                of.append(number)
    return binned, labels, of


WORDS_LOW = frozenset(w.lower() for w in WORDS_AS_NAMES)


def quantized(weights: np.ndarray) -> tuple[np.ndarray, np.float32]:
    """Weights in steps of 1/127 of the largest."""
    step = np.float32(np.abs(weights).max() / 127)
    return np.round(weights / step).astype(np.int8), step


def main() -> None:
    """Fit, judge on what was set apart, write."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--each", type=int, default=60, help="sentences a frame")
    parser.add_argument("--cost", type=float, default=0.5, help="the regression's C")
    options = parser.parse_args()
    rng = random.Random(4)
    letters, bias, unseen = letters_model(rng)
    full = likeness.Weights(letters.astype(np.float32), bias, np.zeros(1, np.float32), 0.0)

    def look(low: str) -> float:
        parts = [p for p in {low, *re.split(r"['-]", low)} if p]
        return max(
            unseen[p] if p in unseen else float(full.letters[g := likeness.groups(p)].sum()) / len(g) ** 0.5 + bias for p in parts
        )

    judged = fitted(rows(rng, False, options.each), rng, look, options.cost)
    for unlisted in (0.0, 1.0):
        judge(rows(random.Random(5), True, 12), unlisted, look, judged)
    model = fitted(rows(rng, None, options.each), rng, look, options.cost)
    small, step = quantized(letters)
    places, places_step = quantized(model.coef_[0])
    np.savez_compressed(
        OUT, letters=small, letters_step=step, letters_bias=np.float32(bias),
        places=places, places_step=places_step, places_bias=np.float32(model.intercept_[0]),
    )  # fmt: skip
    sys.stdout.write(f"{OUT.stat().st_size} bytes\n")


def fitted(found: list[Row], rng: random.Random, look: Callable[[str], float], cost: float) -> LogisticRegression:
    """A model of the signs of every candidate word; half of the names are taken for unlisted."""
    binned, labels, _ = instances(found, rng, look, 0.5)
    x, y = matrix(binned, likeness.PLACES), np.array(labels)
    sys.stdout.write(f"{len(y)} words, {y.sum()} names\n")
    return LogisticRegression(C=cost, max_iter=40, solver="liblinear").fit(x, y)


def judge(apart: list[Row], unlisted: float, look: Callable[[str], float], model: LogisticRegression) -> None:
    """Print recall of names' words and false alarms in sentences without names, at several thresholds."""
    binned, labels, of = instances(apart, random.Random(6), look, unlisted)
    odds, y, number = model.decision_function(matrix(binned, likeness.PLACES)), np.array(labels), np.array(of)
    clear = np.array([not apart[n][1] for n in number])
    total = sum(not spans for _, spans in apart)
    for threshold in (-1.0, 0.0, 1.0, 2.0):
        recall = float((odds[y == 1] > threshold).mean())
        false = len(set(number[(odds > threshold) & clear & (y == 0)])) / max(1, total)
        sys.stdout.write(
            f"unlisted {unlisted}: odds > {threshold}: recall {recall:.3f}, sentences with a false alarm {false:.4f}\n"
        )


if __name__ == "__main__":
    main()
