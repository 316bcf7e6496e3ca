"""Grades, health, discipline and family circumstances: details only when a text speaks of one person. Called by ``privacy``."""

from __future__ import annotations

import re
from functools import cache

from bot.guardrails.details import Found
from bot.guardrails.policy import privacy

_COURSE = (
    r"(?:math|algebra|reading|science|english|ela|history|biology|chem\w*|physics|geometry|spanish|gym|pe|"
    r"class|test|quiz|exam|final|midterm|essay|paper|project|period|retake|benchmark)"
)
_NUMBER = (
    r"(?:puros? |solo |only |just |a |an |un |una |de |el |los |las )?(?P<grade>\d{1,3}(?:\.\d+)?\s?(?:%|percent\b|por ciento\b|"
    r"/\s?\d{1,3}|points|pts|puntos)?|(?-i:[A-DF])[+-]?)"
)
_GRADES = re.compile(
    rf"\b(?:got|gets|getting|scored?|scores|scoring|made|makes|earned|earns|received|has|have|had|with|averag\w+|failing|failed|"
    rf"passed|sac[aóo]|obtuvo|tiene|reprob[óo](?: con)?|aprob[óo] con|calificaci[óo]n(?: de)?|nota(?: de)?|promedio(?: de)?|"
    rf"a eu|note de|moyenne de|at)\s+{_NUMBER}(?=\s+(?:on|in|out|for|from|because|average|overall|en|au|aux|dans|at|this|last|"
    rf"percentile|lexile|de promedio|pero|sur|and|but|y|\w+ {_COURSE})|\s*[.,;!?)](?!\d)|$)"
    r"|(?<!class )(?<!school )(?<!district )(?<!group )(?<!state )(?<!national )(?<!building )\b(?:gpa|lexile|map score|rit|iq|p?sat|"
    r"(?-i:ACT|act)(?=\W{0,3}(?:score\W{0,3})?[1-3]\d\b)|score|average|promedio|moyenne|percentile)\s*(?:(?:is|of|was|"
    r"score|:|es|de|at)\s*)*(?P<g2>\d{1,4}(?:\.\d+)?(?:\s?%|th)?)"
    r"|\b(?:gave|give|gives|giving) \w+ (?:\w+ )?an? (?P<g12>(?-i:[A-DF])[+-]?(?!\w)|\d{1,3}%?)|\b(?P<g13>(?:an? )?zero)(?= (?:on|in|for)\b)"
    r"|\b(?P<g14>\d{1,2}(?:st|nd|rd|th) percentile)|\b(?:level|grade|score|mark)s?(?: (?:in|on|for) \w+)? (?:is|was|of) (?:an? )?"
    r"(?P<g15>\d{1,4}(?:\.\d+)?%?|(?-i:[A-DF])[+-]?(?!\w))"
    r"|\b(?P<g16>(?:far |well |(?:\w+ )?(?:years?|grades?|levels?) )?(?:below|above|behind) (?:basic|proficien\w+|average|grade level|grade))\b"
    r"|\b(?P<g3>\d(?:\.\d+)?)\s*gpa\b|\b(?P<g4>\d{1,3}\s?(?:%|percent))(?=\s+(?:in|on|average|en))"
    rf"|\b(?P<g5>(?-i:[DF])s?)\s+(?:in|on|en)\s+(?={_COURSE})|\b(?P<g6>straight (?-i:[A-F])'?s|(?:two|three|four|\d) (?-i:[DF])'?s)\b"
    r"|\bgpa\b[^.\n\d]{0,24}(?P<g10>\d\.\d+)|\b(?P<g11>\d{2,3}\s?(?:wpm|words per minute|lexile|palabras por minuto|mots par minute))\b"
    r"|\b(?P<g17>level \d(?:\.\d)?)(?= (?:on|in|for|of|en)\b)"
    r"|\b(?:reads? at|reading(?: at)?|math|f&p|guided|instructional|independent|scored) (?:a )?(?P<g20>level (?:\d(?:\.\d)?|(?-i:[A-Z]))(?!\w))"
    r"|\b(?:dra|f&p|atos)(?: (?:score|is|of|level))*[ :]+(?P<g21>\d{1,2}(?:\.\d)?|(?-i:[A-Z])(?!\w))"
    r"|\b(?:attendance|asistencia)\b[^.\n\d]{0,16}(?P<g18>\d{1,3} ?%)|\b(?:went|dropped|fell|rose|slid|baj[oó]|subi[oó]) (?:from|de) (?P<g19>(?:an? )?(?:\d[\d.]*%?|(?-i:[A-F])[+-]?(?!\w)))"
    rf"|\b(?:an?|une?|and|y|et) (?P<g22>\d{{1,3}}(?:\.\d+)?\s?%?)(?= (?:in|on|en) {_COURSE})"
    r"|(?:考了|得了|分数是|成绩是|成绩|只考)\s*(?P<g7>\d{1,3}\s?分?)"
    r"|(?:درجة|حصلت?(?:\s+[\u0621-\u064a]+){0,3}\s+على|درجته|درجتها|معدله|معدلها)\s*(?P<g8>\d{1,3}(?:\s?%)?)"
    r"|\bread(?:s|ing)? (?:at|on) (?:a |an |the )?(?P<g9>(?:\d(?:st|nd|rd|th)|first|second|third|fourth|fifth|kindergarten)[- ]grade(?: level)?)",
    re.IGNORECASE,
)
_AFTER_NAME = re.compile(
    r"[\s,|:;-]+(?P<score>\d{2,3}(?:\.\d+)?%?)(?:[\s,|;]+(?P<letter>[A-DF][+-]?)(?!\w))?(?=\s*[,|.;)]|\s+(?:is|are|was|y|and)\b|$)"
)
"""A score that follows a name in a list or a row."""
_CATEGORY = re.compile(r"[\s,:(-]{1,3}(?P<code>(?:DS|TBI|SLD|OHI|ASD|DHH|SLI|EBD|ODD|ADHD|deaf|blind)(?:/[A-Z]{2,3})?)(?!\w)")
"""A category of special education that follows a name in a list."""
_THEN = re.compile(r"\s*(?:to|down to|up to|a|->|→)\s*(\d{1,3}(?:\.\d+)?\s?%?|[A-F][+-]?)(?!\w)")
"""Where a grade went: 'from 3.9 to 2.4'."""
_LEAD = (
    r"(?:(?:type [12]|diagnosed with|diagnosis of|diagnosticad[oa] con|hospitali[sz]ed for|treated for|suffers? from|struggles with|in therapy "
    r"for|medicated for|medicamentos? para|meds for|medication for|allergic to|al[ée]rgic[oa] a|sufre de|padece|souffre de|"
    r"atteinte? de|hospitalizad[oa] por)\s+(?:(?:el|la|los|las|a|an|the|severe|mild|un|une|du|de la)\s+)?)?"
)
_HEALTH_FRAMES = (
    r"|(?:speech|occupational|physical|play|group) therapy|(?:seeing|sees|has) (?:a|her|his) (?:new )?(?:therapist|psychiatrist|psychologist)"
    r"|allergic to (?:\w+ )?\w+|al[ée]rgic[oa] (?:a|al) (?:\w+ )?\w+|allergique (?:à|aux) \w+"
    r"|(?:(?<=has )|(?<=has a )|(?<=have )|(?<=with )|(?<=with a )|(?<=had a )|(?<=tiene )|(?<=has an )|(?<=with an ))(?:[a-z]+[ -]){0,2}?"
    r"(?:allerg(?:y|ies)|disorder|disease|syndrome|condition|disabilit(?:y|ies)|impairment|injury|infection|deficiency|delays?|"
    r"palsy|fibrosis|dystrophy|tumor|enfermedad|trastorno|discapacidad|alergia)\b"
    r"|(?:(?:takes|taking|took|on|off|prescribed|toma) (?:his |her |their |new )?)(?:\w+ )?(?:meds|medication|medicine|pills|medicamentos?)\b(?: (?:for|para|pour)(?: (?:el|la|his|her|the))? \w+)?"
    r"|diagnosed with \w+|hospitali[sz]ed|in the (?:hospital|psych ward)"
)
_OTHER_HEALTH = (
    "对\\w{1,4}过敏|注意力缺陷|多动症|過動症|過動兒|自閉症|憂鬱症|焦慮症|癲癇|閱讀障礙|氣喘|過敏|心臟病|懷孕|自殘|妥瑞症?|"
    "توحد|صرع|اكتئاب|تأخر في النطق|"
    "自闭症|抑郁症?|焦虑症?|糖尿病|癫痫|阅读障碍|哮喘|过敏|心脏病|怀孕|自残|白血病|"
    "التوحد|السكري|سكري|الاكتئاب|الصرع|فرط الحركة|الربو|ربو|القلق|عسر القراءة|حساسية|حامل|السرطان"
)
_FOR = r"(?:\s+(?:for|por|pour)\s+(?!(?:his|her|the|my|our|using|usar)\b)[\wÀ-ÿ-]+(?:ing\b)?)?"
_MANY = r"(?:\d+|one|two|three|four|five|six|several|multiple|many|a few|tres|dos|varios|varias)"
_DISCIPLINE_FRAMES = (
    rf"|{_MANY} (?:fights|suspensions?|referrals?|detentions?|write[- ]?ups?|absences|tardies|suspensiones|reportes)"
    rf"|(?:in|out[- ]of)[- ]school suspension|(?:{_MANY}[- ]days? )?suspension\b|(?:suspended|expelled|arrested|written up|suspendid[oa]|"
    rf"expulsad[oa]|exclue?){_FOR}(?:\s+(?:twice|once|again|(?:three|\d+) times|(?:trois|deux|\d+) jours))?"
    r"|lo (?:expulsaron|suspendieron)|la (?:expulsaron|suspendieron)|(?:brought|had|carr(?:ied|ying)|caught with) (?:a |an )?(?:knife|gun|weapon|"
    r"vape|blade|taser|weed|alcohol|drugs|lighter)(?: to school)?|caught (?:vaping|cheating|stealing|fighting|drinking|smoking|skipping|"
    r"selling \w+|sexting)|(?:on )?(?:a )?behaviou?r contract|sent to the office|in (?:the )?alternative school|juvenile (?:hall|detention|record)|on probation|ran away|conseil de discipline"
)
_OTHER_DISCIPLINE = (
    "停课|停課|休学|记大过|記過|مفصولة?|ضرب(?= زميل)|停学|开除|记过|处分|打架|逃学|\u0641\u0635\u0644(?=\\s)|طرد|مطرود|موقوف"
)
_KIN = r"(?:mom|mum|mother|dad|father|parents?|step ?dad|step ?mom|brother|sister|grandma|mam[áa]|pap[áa]|padre|madre|padres|mère|père)"
_FAMILY_FRAMES = (
    rf"|{_KIN}(?:'s|s)? (?:(?:is|are|was|were|got|just|has been|have been|fue|est[áa]n?|est) )?(?:getting )?(?:divorc\w+|separat\w+|drinking|drinks|"
    r"addict\w*|alcoholics?|in (?:jail|prison|rehab)|incarcerated|deported|deportad[oa]s?|detained|unemployed|died|dead|passed away|undocumented|"
    r"en la c[áa]rcel|pres[oa]s?|muri[óo]|falleci[óo]|bebe|en prison|divorc[ée]s?)"
    r"|getting (?:a )?divorced?|custody (?:battle|dispute|case|fight)|restraining order|lives? (?:in|at) a (?:shelter|motel|car)|no papers|"
    r"asylum seekers?|daca"
)
_OTHER_FAMILY = "أ?باه? في السجن|والده في السجن|单亲|父母离婚|离异|低保|留守儿童|مطلق(?:ان|ين)|والداه منفصلان|يتيمة?|لاجئة?"

ONE = re.compile(
    r"\b(?:my|this|that) (?:\w+ ){0,2}?(?:student|kid|kiddo|son|daughter|\w+ ?grader|child|boy|girl|freshman|sophomore|junior|senior)\b"
    r"|\bone of my (?:students|kids|\w+ graders)\b|\b(?:he|she|his|her|him)\b|\bmi (?:alumn[oa]|hij[oa]|niñ[oa])\b|\bmon élève\b|\bm(?:a fille|on fils)\b",
    re.IGNORECASE,
)
_GENERAL = re.compile(
    r"\b(?:an?|any|every|each|some|the|un|una|une|cualquier|cada) (?:[\w-]+ )?(?:student|child|kid|learner|alumn[oa]|estudiante|élève|teacher|parent|"
    r"counselor|principal|user|person|mom|dad|maestr[oa])s?\b|\b(?:students|kids|children|alumnos|estudiantes|élèves|teachers)\b",
    re.IGNORECASE,
)


_DANGER = re.compile(r"suicid|harm|cut|hurt|overdos|hospital|weapon|gun|knife|blade|abus|pregnan|embaraz|threat", re.IGNORECASE)


_MANY_OF = re.compile(
    r"(?<!two )(?<!three )(?<!both )(?<!these )(?<!dos )(?<!deux )\b(?:students|kids|kiddos|teens|teenagers|children|learners|readers|people|newcomers|girls|boys|adolescents|\w+ graders|"
    r"alumn[oa]s|niñ[oa]s|estudiantes|jóvenes|chic[oa]s|adolescentes|personas|élèves|enfants|jeunes)"
    r"\s+(?:with|without|who(?: have| are| were| get| use)?|that have|having|con|que (?:tienen|est[áa]n|son)|avec|ayant|qui (?:ont|sont))"
    r"\s+(?:an? |severe |mild |un |una |une |des |du )?$",
    re.IGNORECASE,
)
"""What is told behind this is told of many: 'kids with diabetes'."""
_IN_GENERAL = re.compile(
    r"\s+(?:in (?:teens|students|kids|children|schools?|adolescents|girls|boys|middle school|high school)|en (?:adolescentes|niñ[oa]s|"
    r"jóvenes|estudiantes|alumn[oa]s|(?:la )?(?:escuela|secundaria|primaria))|chez les|à l'école|awareness|conferences?|screen\w*|polic\w+|"
    r"liaisons?|trainings?|month|program\w*|laws?|rates?|statistics|prevention|lessons?|units?|committees?|guidelines?)\b",
    re.IGNORECASE,
)
"""What makes of a trouble's name a subject: 'homeless liaison', 'depression in teens'."""


_ONES_OWN = re.compile(r"(?:\b(?:his|her|their|sus?|son|sa|ses|has|had|with)|'s|s')(?: \w+)?\s+$", re.IGNORECASE)
"""What makes of it one child's again: 'her anxiety screening'."""


def of_one(text: str) -> bool:
    """Whether a text speaks of one child though it names none: 'her 504 for seizures', 'my student was expelled'."""
    return bool(ONE.search(text)) and not _GENERAL.search(text)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    words = privacy().words

    def whole(pattern: str, other: str) -> re.Pattern[str]:
        return re.compile(rf"(?<!\w)(?:{pattern})(?!\w)|{other}", re.IGNORECASE)

    return (
        ("grade detail", _GRADES),
        (
            "health detail",
            whole(
                rf"{_LEAD}(?:{words['health']})(?: (?:disorder|attacks?|meds|medication|diagnosis))?{_HEALTH_FRAMES}",
                _OTHER_HEALTH,
            ),
        ),
        ("discipline detail", whole(_DISCIPLINE_FRAMES[1:] + "|" + words["discipline"], _OTHER_DISCIPLINE)),
        ("family detail", whole(_FAMILY_FRAMES[1:] + "|" + words["family_status"], _OTHER_FAMILY)),
    )


def _of_many(text: str, match: re.Match[str]) -> bool:
    """Whether a trouble is told of many, or is a subject."""
    before = text[max(0, match.start() - 56) : match.start()]
    if _MANY_OF.search(before):
        return True
    return _IN_GENERAL.match(text, match.end()) is not None and not _ONES_OWN.search(before)


def circumstances(text: str, names: list[tuple[int, int]], named: bool) -> list[Found]:
    """What is told of the person a text speaks of. ``names`` are the spans of names found in it. Words of danger stay where
    no one is ``named``: they must be read."""
    found: list[Found] = []
    for _, end in names:
        if row := _AFTER_NAME.match(text, end):
            found += [(*row.span(group), "grade detail") for group in ("score", "letter") if row.group(group)]
        if category := _CATEGORY.match(text, end):
            found.append((*category.span("code"), "health detail"))
    for kind, pattern in _patterns():
        for match in pattern.finditer(text):
            if not named and _DANGER.search(match.group()):
                continue
            if kind != "grade detail" and _of_many(text, match):
                continue
            groups = [name for name, value in match.groupdict().items() if value]
            found.append((*match.span(groups[0] if groups else 0), kind))
            if kind == "grade detail" and (then := _THEN.match(text, found[-1][1])):
                found.append((*then.span(1), kind))
    return found
