"""Words and patterns around names in talk about school: what stands before, after and beside them."""

from __future__ import annotations

import re
from functools import cache

from bot.guardrails.policy import concepts, privacy
from bot.guardrails.views import unaccented

INNER = re.compile(r"[A-ZÀ-Þ][a-zà-ÿ]{0,3}['-]?[A-ZÀ-Þ][a-zà-ÿ]+(?:[-'][A-ZÀ-Þ][a-zà-ÿ]+)*")
"""O'Brien, McDonald, Al-Farsi, LaKeisha: a capital inside that is no product's spelling."""
PARTICLES = frozenset("de la las los del da das dos di van von der den bin ibn al el abu st le y e".split())
FUNCTION = frozenset(
    "i a an the can will may is are was do does did my our your his her its this that these those what who "
    "how why when where which should "
    "would could if in on at to for from with and or but so as by of not no yes hi hey hello thanks please "
    "pls ok he she they we you it "
    "el la los las un una mi mis su sus que como cual si para por con le les mon ma mes son sa ses un une "
    "est ce cette dans il elle on je "
    "january february march april may june july august september october november december enero febrero "
    "marzo abril mayo junio julio agosto "
    "septiembre octubre noviembre diciembre janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre "
    "monday tuesday wednesday thursday friday saturday sunday till esta estan tan bien usar puede cada esa ese eso unos mis "
    "theres whats thats hes shes lets im ive dont doesnt didnt cant wont isnt wasnt couldnt shouldnt wouldnt arent havent hasnt "
    "youre theyre teh hii heya helo plz thx ur im up be been being am some them out off "
    "en de y o lo al del se me te nos hay es ser muy mas ya yo tu ella hola je nous vous ils au aux et ou "
    "mais donc ni car pas ne d l a".split()
)


STRONG = re.compile(
    r"\s+(?:in (?:my )?\d(?:st|nd|rd|th)|in my|from my|(?:was|were) (?:suspended|expelled|absent|caught|born)|is (?:failing|"
    r"absent|in \d|\d+ years)|got (?:a|an|caught|expelled|suspended|in trouble|detention)\b|has (?:adhd|autism|an iep|a 504|iep)|"
    r"failed|cheated|scored|turned in|missed|keeps|plagiarized|and (?:his|her) )",
    re.IGNORECASE,
)
BOT = re.compile(
    (
        r"\b(?:AI|bot|chatbot|tool|app|character|program|assistant|product|platform|avatar|software|feature|model|"
        r"school|district|company|vendor)s?\s+(?:is |was )?(?:named|called)\s*[\"']?$|\b(?:chatbot|bot|herramienta|"
        r"app|aplicaci[oó]n|asistente|robot)\b[^.?]{0,30}\bse llama\s*|\b(?:MagicSchool|ChatGPT|"
        r"Khanmigo|Gemini|Copilot)\s+$"
    ),
    re.IGNORECASE,
)
"""What stands before the name of a product's character."""
PERSONAL = re.compile(
    (
        r"(?:iep|504|essay|mom|mother|dad|father|parents|grades?|gpa|transcript|homework|bip|medication|meds|birthday|"
        r"diagnosis|locker|chromebook|report card)\b"
    ),
    re.IGNORECASE,
)
AUTHOR = re.compile(
    r"(?:\b(?:reports?|study|studies|papers?|articles?|books?|framework|research|survey|work|theory|guidance|"
    r"podcast|talk|keynote|op-ed|novel)\s+(?:by|from|of|with)|"
    r"\b(?:author|professor|researchers?|economist|senator|scientist|CEO|founder)|\b(?:Stanford|Harvard|RAND|"
    r"MIT|Brookings|UNESCO|OECD|Google|OpenAI|Microsoft|CDT|CRPE|Anthropic)(?:'s)?)$",
    re.IGNORECASE,
)
"""What stands before the name of someone who published: such names are public."""
PERSON = re.compile(
    r"\b(?:he|she|him|her|his|hers|himself|herself|my (?:student|kid|son|daughter|child|\d+(?:st|nd|rd|th) "
    r"grader)|this (?:student|kid|child)|"
    r"(?:one|some) of my (?:students|kids)|mom|dad|iep|504|grade|period|suspended|essay|homework|élève|alumn[oa]|"
    r"hij[oa]|él|ella|su mamá|il|elle|sa|son)\b",
    re.IGNORECASE,
)
"""Signs that a text speaks of one child."""
LET = re.compile(
    r"\b(?:let|allow|sent home|(?:ok|okay|fine|safe|allowed|legal|fair) for|est-ce que|saber si|permitir que)$", re.IGNORECASE
)
"""What stands before someone who may or may not do something."""
THING = re.compile(
    (
        r"(?:is|was|has|had|got|gets|uses?|used|needs|wants|asked|made|started|stopped|takes|took|esta|es|tiene|"
        r"a|est|era|runs?|la|el|los|las|un|una)\b"
    ),
    re.IGNORECASE,
)
"""Verbs that products follow as well."""
LOOSE = re.compile(r"(?:and|in|from|just|who|born|id|dob)\b", re.IGNORECASE)
"""Words that follow a person's name, but everyday words as well."""


@cache
def cue(name: str, ends: str) -> re.Pattern[str]:
    """A word list of the privacy rule as a pattern that must end (before), start (after) or stand (any) in a text."""
    words = privacy().words[name]
    of = r"(?:\s+(?:de la|del|de|d))?" if name == "parent" else ""
    return re.compile(
        {
            "before": rf"(?<!\w)(?:{words}){of}$",
            "after": rf"^(?:{words})(?!\w)",
            "any": rf"(?<!\w)(?:{words})(?!\w)",
        }[ends],
        re.IGNORECASE,
    )


@cache
def acronyms() -> frozenset[str]:
    """Capitals that are no one's initials."""
    return frozenset(privacy().words["acronyms"].split("|"))


@cache
def verbs() -> frozenset[str]:
    """What people do, in the words that follow a name."""
    return frozenset(unaccented(word) for word in privacy().words["verbs"].split("|"))


@cache
def school_words() -> frozenset[str]:
    """Words of the policy and of school talk: never a name by themselves."""
    found = set(re.findall(r"[a-z]{3,}", " ".join(concepts().concepts.values())))
    data = privacy().words
    return frozenset(
        found | set(re.findall(r"[a-z]{3,}", " ".join(data[k] for k in ("owned", "child", "parent", "health", "discipline"))))
    )
