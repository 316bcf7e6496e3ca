"""Details with a shape: e-mails, phones, ids, dates, addresses, links and files. Each finder gives (start, end, kind).

Dates and numbers that are public (a law's number, a publication date, a crisis line) stay: they need a cue of a person."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from bot.guardrails.gazetteer import gazetteer
from bot.guardrails.scripts import has_name
from bot.guardrails.views import unaccented

Found = tuple[int, int, str]

_MAILBOXES = frozenset(
    "info help helpdesk support privacy ptac ferpa contact office it techsupport noreply admin webmaster press security".split()
)
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_EMAIL_SAID = re.compile(
    (
        r"\b[\w.+-]+(?:\s*\(?(?:dot|punto|\.)\)?\s*[\w+-]+)?\s*[\[(]?\s*\b(?:at|arroba)\b\s*[\])]?\s*[\w-]+\s*[\[(]?\s*\b("
        r"?:dot|punto)\b\s*[\])]?\s*(?:com|org|net|edu|gov|us|k12|mx|es|fr)\b"
    ),
    re.IGNORECASE,
)
_MENTION = re.compile(r"<@[UW][A-Z0-9]+(?:\|[^>]*)?>|<at[^>]*>.*?</at>|(?<![\w@.\ue000])@[A-Za-z][\w.-]{1,40}")
_PUBLIC_HANDLES = frozenset(
    "openai google microsoft anthropic usedgov edtech iste cosn teachai signpost here channel everyone all".split()
)

_MONTH = (
    r"(?:jan(?:uary|vier)?|feb(?:ruary)?|mar(?:ch|zo|s)?|apr(?:il)?|may(?:o)?|mai|june?|juin|july?|juillet|"
    r"aug(?:ust)?|sept?(?:ember|embre|iembre)?|"
    r"oct(?:ober|obre|ubre)?|nov(?:ember|embre|iembre)?|dec(?:ember)?|d[ée]cembre|enero|febrero|f[ée]vrier|"
    r"abril|avril|junio|julio|ago(?:sto)?|ao[ûu]t|diciembre|dic)"
)
_YEAR = r"(?:19[5-9]\d|20[0-2]\d)"
_DATES = (
    rf"(?:\d{{1,2}}[/.\-]\d{{1,2}}[/.\-](?:{_YEAR}|\d{{2}})|{_YEAR}[/.\-]\d{{1,2}}[/.\-]\d{{1,2}}"
    rf"|{_MONTH}\.?\s+\d{{1,2}}(?:st|nd|rd|th)?(?:,?\s+(?:of\s+)?{_YEAR})?|\d{{1,2}}(?:st|nd|rd|th|er)?\s+(?:of\s+|"
    rf"de\s+)?{_MONTH}\.?(?:,?\s+(?:de[l]?\s+)?{_YEAR})?"
    rf"|\d{{1,2}}-(?:{_MONTH}|ene|abr)-{_YEAR}"
    rf"|{_YEAR}\s*年\s*\d{{1,2}}\s*月\s*\d{{1,2}}\s*[日号]|\d{{1,2}}\s*月\s*\d{{1,2}}\s*[日号]|\d{{1,2}}\s+(?:يناير|"
    rf"فبراير|مارس|أبريل|مايو|يونيو|يوليو|أغسطس|سبتمبر|أكتوبر|نوفمبر|ديسمبر)(?:\s+{_YEAR})?)"
)
_BIRTH = re.compile(
    rf"(?:\b(?:d\.?\s?o\.?\s?b\b\.?|born|birth ?da(?:y|te)|bday|b-day|date of birth|birth|turn(?:s|ed|ing)? \d+|"
    rf"fecha de nacimiento|f\.?\s?nac\.?|naci[óo]|nacid[oa]|cumple\w*|cumpleaños|n[ée]e?|date de naissance|"
    rf"naissance|anniversaire)(?!\w)|出生日期|出生于|出生|生于|生日|تاريخ الميلاد|تاريخ ميلاد\w*|ولد|ولدت|مواليد)"
    rf"[\s:=#(,\-–]*(?:(?:is|was|on|in|the|es|el|en|le|del?|son|est|fue|是|为|هو|في|:|of|at|a|\d{{1,2}}(?:\s+(?:años|ans))?)[\s:]+){{0,3}}[\s:：是为]*(?P<"
    rf"date>{_DATES}|\d{{1,2}}[/-]{_YEAR}(?!\d)|{_YEAR}(?!\d)|\d{{1,2}}[/-]\d{{1,2}}(?![/\d-])|\d{{6}}(?:\d{{2}})?(?!\d))",
    re.IGNORECASE,
)
_BORN_AFTER = re.compile(rf"(?P<date>{_DATES})\s*(?:出生|\(?(?:dob|birthday|born|birthdate)\)?)", re.IGNORECASE)
_FULL_DATE = re.compile(rf"(?<![\w/.-])(?:{_DATES})(?![\w/-])", re.IGNORECASE)

_SSN = re.compile(r"(?<![\d-])\d{3}[- ]\d{2}[- ]\d{4}(?![\d-])")
_GOVERNMENT = re.compile(
    r"\b(?:ssn|s\.s\.n\.?|social(?: security)?(?: (?:number|no\.?|num|#))?|seguro social|passport|pasaporte|"
    r"passeport|itin|alien (?:number|no)|a-number|driver'?s? licen[cs]e|licencia|curp|rfc|nss|dni|nie|nif|"
    r"insee|nir|身份证号?码?|护照号?码?|護照號?碼?|身分證號?碼?|رقم الهوية|جواز(?: السفر)?)"
    r"[\s:=#(]*(?:(?:is|number|no\.?|num|es|número|numero|de|n°|last (?:four|4)|ending(?: in| with)?|"
    r"ends? (?:in|with)|are|号码|号|是|رقم|هو)[\s:#]*){0,4"
    r"}[:：是]?\s*(?P<id>[A-Z]{0,4}-?\d[\dA-Z]*(?:[- ]\d[\dA-Z]*){0,6}|(?-i:(?=[A-Z]*\d)[A-Z0-9]{8,18}))",
    re.IGNORECASE,
)
_PLATE = re.compile(
    r"\b(?:licen[cs]e plates?|plates?|tag|placas?)(?: (?:numbers?|no\.?|is|reads|n[úu]mero))*[\s:#]*"
    r"(?P<id>(?=[A-Z0-9 -]{0,8}\d)(?-i:[A-Z0-9]{1,4}[- ]?[A-Z0-9]{2,5}(?:-[A-Z0-9]{1,4})?)(?![\w-]))",
    re.IGNORECASE,
)
_CURP = re.compile(r"\b[A-Z]{4}\d{6}[HM][A-Z]{5}[A-Z\d]\d\b", re.IGNORECASE)
_RFC = re.compile(r"\b[A-ZÑ&]{4}\d{6}[A-Z\d]{3}\b")
_DNI = re.compile(r"\b(?:\d{8}|[XYZ]\d{7})-?[A-HJ-NP-TV-Z]\b")
_A_NUMBER = re.compile(r"\bA[- ]?\d{3}[- ]?\d{3}[- ]?\d{2,3}\b")
_CHINA = re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)")
_INSEE = re.compile(r"(?<!\d)[12]\s?\d{2}\s?(?:0[1-9]|1[0-2])\s?\d{2}\s?\d{3}\s?\d{3}(?:\s?\d{2})?(?!\d)")

_ID_CUE = re.compile(
    r"(?:\b(?:(?:stu(?:dent)?|pupil|sis|state|school|district|lunch|badge|medicaid|medicare|chip|health card|"
    r"library card|transcript|learner|patient|insurance|policy|"
    r"member|record|perm)\s*(?:id|i\.d\.|number|no\.?|num|#|pin)(?:\s*(?:number|no\.?|#|num))?|ids?|id\s*#|"
    r"ssid|sasid|lasid|suid|uid|perm id|osis|matr[íi]cula|n[úu]mero de (?:estudiante|alumno|identificaci[óo]n|"
    r"matr[íi]cula)|identificaci[óo]n|carnet|num[ée]ro (?:d'[ée]l[èe]ve|étudiant)|num[ée]ro [ée]l[èe]ve|ine)\b|"
    r"学号|学籍号|编号|رقم الطالبة?|رقم القيد|الرقم المدرسي|رقمه|رقمها)"
    r"[\s:=#(\-]*(?:(?:is|are|no\.?|number|es|est|of|是|为|هو|n°)[\s:#]+){0,3}[:：#是为]?\s*"
    r"(?P<id>\d{1,3}(?: \d{3})+(?!\d)|[A-Z]{0,5}[-_ ]?\d[A-Z0-9_-]{1,18})",
    re.IGNORECASE,
)
_CASE_CUE = re.compile(
    (
        r"(?:\b(?:case|iep|504|file|dossier|expediente|folio|boleta|acta|caso|incident|referral|cps|docket|ticket|claim|report|caf|"
        r"hearing|complaint|police report)\s*(?:id|number|no\.?|num|n[úu]mero|n°|#)?[\s:=#(]*(?:(?:is|es|de|number|"
        r"no\.?|#|n°|n[úu]m(?:ero)?\.?)[\s:#]+){0,2}(?P<id>#?\s?[A-Z]{0,5}[-_]?\d[\w/-]{3,18})|(?:案件编号|案号|档案号|"
        r"رقم القضية|رقم الملف)[:：\s是]*(?P<id2>[\w-]{3,18}))"
    ),
    re.IGNORECASE,
)
_LONG_NUMBER = re.compile(
    r"(?<![\w$€£.,/#=-])#?\d{6,12}(?![\w%]|[.,]\d|\s*(?:students|users|people|dollars|teachers|kids|schools|"
    r"words|tokens|rows|records|estudiantes|personas|hours|districts|families|gallons|liters))"
)
_LETTERED = re.compile(r"(?<![\w/.-])(?!EO|PL|HR|SB|AB|HB)[A-Z]{1,3}-?\d{6,10}(?![\w/-])")
_ACCOUNT = re.compile(
    r"\b(?:user(?=\s*[:=])|password|passcode|pass ?word|pwd|pw|pin|username|user ?name|login|log ?in|user id|contrase[ñn]a|clave|"
    r"usuario|mot de passe|identifiant|密码|用户名|账号|كلمة المرور|كلمة السر|اسم المستخدم)"
    r"\s*(?:(?:is|are|was|es|est|是|为|هي|هو)\s+|[:=：]\s*|\s(?=[a-z]+[#!@$]?\d+\b)|(?=[\"']))(?:is\s+)?[\"']?(?P<value>(?=\S*[\d"
    r"_!@#$.])[\w!@#$%^&*.+-]{3,40}|[a-z]+\d+\w*)",
    re.IGNORECASE,
)
_CALLED = re.compile(
    r"\b(?:user ?names?|usuarios?|identifiants?|accounts?|cuentas?|comptes?|logins?|passwords?|contrase[ñn]as?|claves?|"
    r"mot de passe)(?:\s+(?:for|of|del?|para|pour|is|es|est))?\s+(?!(?:office|microsoft|windows|gpt|web|google|canvas)\d)"
    r"(?P<value>[a-z][a-z._-]*\d{2,}(?:[._-]?\w+)*)",
    re.IGNORECASE,
)
"""An account by what it is called: letters, then a number."""
_STREET = (
    r"(?:street|st|avenue|ave|road|rd|drive|dr|lane|ln|court|ct|boulevard|blvd|way|circle|cir|place|pl|terrace|"
    r"ter|parkway|pkwy|highway|hwy|trail|trl|loop|alley|square|sq)"
)
_ADDRESS = re.compile(
    rf"(?<![\w$#-])\d{{1,6}}(?:-\d{{1,4}})?[A-Z]?\s+(?:(?:n|s|e|w|ne|nw|se|sw|north|south|east|west)\.?\s+)?(?:[A-Za-z0-9'.-]+\s+){{1,"
    rf"4}}{_STREET}\b\.?"
    rf"(?:,?\s*(?:apt|apartment|unit|suite|ste|lot|#|no)\.?\s*#?\w{{1,6}})?(?:,\s*(?-i:[A-Z][\w.]+(?:\s[A-Z][\w.]+)?))?"
    rf"(?:,?\s+(?-i:[A-Z]{{2}}))?(?:,?\s+\d{{5}}(?:-\d{{4}})?)?"
    r"|(?:(?<=lives at )|(?<=live at )|(?<=living at )|(?<=address is )|(?<=address: )|"
    r"(?<=address )|(?<=resides at )|(?<=staying at ))\d{1,6}[A-Z]?\s+"
    r"(?:[A-Za-z0-9'.-]+\s?){1,4}?(?=[,;?!\n]|\.\s|$)(?:,\s*(?:apt|apartment|unit|suite|lot|#)\.?\s*#?\w{1,4})?"
    r"|\b(?:rt|rr|rural route|hc)\.?\s*\d+,?\s+box\s+\d+"
    r"|\b(?:calle|carrera|cra|cl|transversal|diagonal)\.?\s*\d+\w?\s*#\s?\d+\w?-\d+"
    r"|\bP\.?\s?O\.?\s?Box\s+\d+(?:,\s*[A-Z]\w+)?"
    r"|\b(?:(?:apt|apartment)\.?\s*#?|(?:unit|lot)\s?#\s?)\d+\w?\b"
    r"|\b(?:calle|avenida|av\.|avda\.?|colonia|callej[óo]n|carrera|paseo|plaza|camino)\s+(?:[\wÀ-ÿ.]+\s+){0,4}?(?:#|"
    r"no\.?|n[úu]m(?:ero)?\.?)?\s*,?\s*\d{1,5}\w?(?:,?\s*(?:col(?:onia)?\.?|piso|depto\.?|apto\.?|int\.?)\s*[\wÀ-ÿ]+)*"
    r"|\b\d{1,4}(?:\s?bis)?,?\s+(?:rue|avenue|av\.|boulevard|bd|place|impasse|chemin|allée|allee|route|quai)\s+(?:(?:d"
    r"e|du|des|la|le|les|l'|d')\s*)*[\wÀ-ÿ'-]+(?:\s+[A-ZÀ-Þ][\wÀ-ÿ'-]+)*"
    r"|[\u4e00-\u9fff]{2,8}(?:路|街|大道|巷)\s*\d+\s*号(?:[\u4e00-\u9fff\d]*(?:室|楼|单元))*"
    r"|(?:شارع|حي)\s+[\u0621-\u064a]+(?:\s+[\u0621-\u064a]+)?\s*(?:رقم\s*)?\d+",
    re.IGNORECASE,
)
_ADDRESS_STOP = re.compile(
    (
        r"\b(?:students|teachers|districts|schools|percent|days|years|ways|the|of|to|in|and|grade|states|kids|"
        r"for|is|a|on|at|best|new|good)\b"
    ),
    re.IGNORECASE,
)
_ZIP = re.compile(r"\b(?:zip(?: code)?|código postal|code postal)\s*:?\s*(?P<id>\d{5}(?:-\d{4})?)", re.IGNORECASE)
_URL = re.compile(
    r"(?:https?://|www\.)[^\s<>\"')\]]+|\b(?:drive|docs|sites|classroom)\.google\.com/[^\s<>\"')\]]+", re.IGNORECASE
)
_FILE = re.compile(
    (
        r"(?<![\w@])[\w()\[\]-]+(?:[ .][\w()-]+){0,4}?\.(?:pdf|docx?|xlsx?|csv|pptx?|txt|png|jpe?g|heic|mp4|mov|"
        r"mp3|m4a|wav|zip|gdoc|pages|rtf|html?)\b"
    ),
    re.IGNORECASE,
)
_SPOKEN = re.compile(
    r"\b(?:(?:oh|zero|one|two|three|four|five|six|seven|eight|nine|double)[\s,.-]{1,2}){5,}(?:zero|one|two|three|four|five|six|seven|eight|nine)\b"
    r"|\b(?:(?:cero|un[oa]?|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce|veinte|\w{4,}enta|y|veinti\w+|dieci\w+)[\s,]{1,2}){5,}"
    r"(?:cero|uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|\w{4,}enta)\b"
    r"|[零〇一二三四五六七八九幺]{3,4}[，, -][零〇一二三四五六七八九幺]{3,4}(?:[，, -][零〇一二三四五六七八九幺]{2,4})*",
    re.IGNORECASE,
)
"""A telephone number said digit by digit."""
_TOLL_FREE = re.compile(r"^1?8(?:00|88|77|66|55|44|33)")


def emails(text: str) -> Iterator[Found]:
    """E-mail addresses, also said in words; role mailboxes stay."""
    for match in _EMAIL.finditer(text):
        if match.group().split("@")[0].lower() not in _MAILBOXES:
            yield match.start(), match.end(), "email"
    if re.search(r"\b(?:dot|punto)\b", text, re.IGNORECASE):
        for match in _EMAIL_SAID.finditer(text):
            yield match.start(), match.end(), "email"


def _parts(text: str) -> list[str]:
    split = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unquote(text))
    return [unaccented(part) for part in re.split(r"[^A-Za-zÀ-ÿ]+", split) if len(part) > 1]


def names_someone(text: str) -> bool:
    """Whether an address or file name carries a person: a given name with a family name beside it, a given name with a school
    paper's word, an id, or an e-mail."""
    if has_name(text):
        return True
    known = gazetteer()
    parts = _parts(re.sub(r"^https?://[^/]+", "", text))
    for i, part in enumerate(parts):
        near = parts[i + 1 : i + 2] + parts[max(0, i - 1) : i]
        given, family = part in known.given and len(part) > 2, part in known.family and len(part) > 2
        if (
            given
            and any(n in known.family for n in near)
            and not (part in known.everyday and all(n in known.everyday for n in near))
        ):
            return True
        paper = set(parts) & set(
            (
                "iep essay grades grade report transcript discipline file record records student bip fba dob medical "
                "evaluation eval homework project profile attendance referral suspension boletin notas bulletin"
            ).split()
        )
        if paper and part not in known.everyday and (given or (family and part not in paper)):
            return True
        if given and part not in known.everyday and len(parts) <= 4 and len(part) > 3:
            return True
    if re.search(
        r"(?:students?|users?|pupils?|profiles?|alumnos?|id|sid|uid)[/=_-]?#?\d{4,}|[/=_-]\d{6,9}(?:\D|$)|@|%40",
        text,
        re.IGNORECASE,
    ):
        return True
    return bool(re.search(r"[?&/](?:name|student|user|pupil)=[a-z]", text, re.IGNORECASE))


def web_addresses(text: str) -> list[tuple[int, int]]:
    """Where web addresses stand. What is a name in them is decided of the address as a whole, by ``links``."""
    return [match.span() for match in _URL.finditer(text)]


def links(text: str) -> Iterator[Found]:
    """Addresses and file names that carry a person."""
    for match in _URL.finditer(text):
        end = match.end() - len(match.group()) + len(match.group().rstrip(".,;:!?"))
        if names_someone(text[match.start() : end]):
            yield match.start(), end, "link"
    for match in _FILE.finditer(text):
        piece = match.group()
        start = match.start()
        lead = re.match(
            (
                r"(?:(?:the|this|a|my|file|named|called|el|la|archivo|le|fichier|is|attached|in|from|see|upload(?:ed)?|"
                r"open|to|put|into|for|of|share|shared|can|i|we|you|have|it|and)\s+)+"
            ),
            piece,
            re.IGNORECASE,
        )
        start += lead.end() if lead else 0
        if names_someone(text[start : match.end()]):
            yield start, match.end(), "file name"


def mentions(text: str) -> Iterator[Found]:
    """Platform mentions and @handles of people."""
    for match in _MENTION.finditer(text):
        if match.group().lstrip("@").lower().rstrip(".") not in _PUBLIC_HANDLES:
            end = match.end() - len(match.group()) + len(match.group().rstrip("."))
            yield match.start(), end, "mention"


def phones(text: str, country: str) -> Iterator[Found]:
    """Telephone numbers of ``country`` and, with a plus, of any; toll-free and short public lines stay."""
    for match in _SPOKEN.finditer(text):
        yield match.start(), match.end(), "phone"
    if len(re.findall(r"\d", text)) < 7:
        return
    import phonenumbers

    for region in dict.fromkeys((country, "US", "MX", "FR")):
        for found in phonenumbers.PhoneNumberMatcher(
            text, region, leniency=phonenumbers.Leniency.VALID if region != country else phonenumbers.Leniency.POSSIBLE
        ):
            digits = re.sub(r"\D", "", found.raw_string)
            formatted = bool(re.search(r"[\s().+-]", found.raw_string.strip())) or bool(
                re.search(
                    r"(?:phone|cell|call|text|tel|número|telefono|teléfono|llam\w+)\W*(?:\w+\W+){0,3}$",
                    text[: found.start],
                    re.IGNORECASE,
                )
            )
            if (
                len(digits) >= 9
                and formatted
                and not _TOLL_FREE.match(digits)
                and not re.fullmatch(r"(?:19|20)\d\d\D(?:19|20)\d\d", found.raw_string)
            ):
                yield found.start, found.end, "phone"
    for match in re.finditer(r"(?<![\w$.,/-])(?:\+?\d{1,2}[-. ])?(?:\(\d{3}\)\s?|\d{3}[-. ])?\d{3}[-.]\d{4}(?![\w-])", text):
        if not _TOLL_FREE.match(re.sub(r"\D", "", match.group())):
            yield match.start(), match.end(), "phone"
    for match in re.finditer(
        r"(?:电话|手机号?码?|هاتف\w*|جوال\w*|رقم هاتف\w*)[:：\s是]*(\+?\d[\d\s-]{6,16}\d)|(?<!\d)(1[3-9]\d{9})(?!\d)", text
    ):
        group = 1 if match.group(1) else 2
        yield match.start(group), match.end(group), "phone"


def identifiers(text: str) -> Iterator[Found]:
    """Government ids, student ids, case numbers, accounts, and long bare numbers."""
    for pattern in (_SSN, _CURP, _RFC, _DNI, _A_NUMBER, _CHINA, _INSEE):
        for match in pattern.finditer(text):
            yield match.start(), match.end(), "government id"
    for pattern, kind in (
        (_GOVERNMENT, "government id"),
        (_PLATE, "government id"),
        (_ID_CUE, "student id"),
        (_CASE_CUE, "case number"),
        (_ZIP, "address"),
        (_ACCOUNT, "account"),
        (_CALLED, "account"),
    ):
        for match in pattern.finditer(text):
            group = next((g for g in ("id", "id2", "value") if g in match.groupdict() and match.group(g)), None)
            if group is None or (kind in ("case number", "government id") and not re.search(r"\d", match.group(group))):
                continue
            if kind == "case number" and not re.search(r"\d{3}", match.group(group)):
                continue
            if kind == "case number" and re.fullmatch(r"#?\s?(?:19|20)\d\d(?:[-/](?:\d\d|20\d\d))?", match.group(group)):
                continue
            yield match.start(group), match.start(group) + len(match.group(group).rstrip(" -")), kind
    for match in re.finditer(r"(?<![\w&/])#\s?(?:\d{5,12}|\d{2,6}(?:-\d{2,6})+)(?![\w-])", text):
        yield match.start(), match.end(), "case number"
    for match in _LETTERED.finditer(text):
        yield match.start(), match.end(), "student id"
    for match in _LONG_NUMBER.finditer(text):
        if not match.group().endswith("000"):
            yield match.start(), match.end(), "student id"


_ONE_CHILD = re.compile(
    (
        r"\b(?:he|she|his|her|my (?:student|kid|son|daughter)|mi (?:alumn[oa]|hij[oa]|estudiante)|un[ea]? (?:alumn[oa]|"
        r"[ée]l[eè]ve)|il|elle)\b"
    ),
    re.IGNORECASE,
)
"""Signs that a text speaks of one child, who may be unnamed."""


_NO_ID = re.compile(
    r"(?:AB|SB|HB|HR|EO|PL|GPT|ISO|NIST|RFC|SP|CFR|HJR|LB|HF|SF|LD|AI|FY|SY|RM|ROOM|COVID|WCAG|IEEE|BCP|A|B|C|K)[- ]?\d+",
    re.IGNORECASE,
)
"""Bills, standards and models: letters and digits that are no one's id."""
_LOOSE = re.compile(
    r"(?<![\w$€£.,/#-])(?:#?\d{4,}(?![\w%]|[.,]\d|-\d)|\d{3,}-\d{1,4}(?![\w%-])|[A-Z]{1,4}-?\d{4,}(?![\w-])|[A-Z]{1,3}\d{3,}[A-Z]?(?![\w-]))"
)


_OF_A_RULE = re.compile(
    r"\b(?:polic(?:y|ies)|regulation|form|article|section|chapter|statute|rule|standard|exhibit|highway|art[íi]culo|formulario|"
    r"r[èe]glement|circulaire|d[ée]cret|formulaire)s?\.?\s+(?:n[o°º]\.?\s*)?$",
    re.IGNORECASE,
)
"""What a rule or a form is called stands before its number."""


def loose_numbers(text: str) -> Iterator[Found]:
    """Bare numbers of four digits and more beside a person, also with letters before; years, bills, rules and money stay."""
    for match in _LOOSE.finditer(text):
        if _OF_A_RULE.search(text, max(0, match.start() - 24), match.start()):
            continue
        if not re.fullmatch(r"(?:19|20)\d\d(?:-\d\d(?:\d\d)?)?", match.group()) and not _NO_ID.fullmatch(match.group()):
            yield match.start(), match.end(), "student id"


def births(text: str, person: bool) -> Iterator[Found]:
    """Dates of birth: behind a cue, or a full date of a child's age beside a person."""
    for pattern in (_BIRTH, _BORN_AFTER):
        for match in pattern.finditer(text):
            yield match.start("date"), match.end("date"), "date of birth"
    if person or _ONE_CHILD.search(text):
        for match in _FULL_DATE.finditer(text):
            if not person and not re.fullmatch(r"[\d/.-]+", match.group()):
                continue
            year = re.search(r"(?:19|20)\d\d|(?<=[/.-])\d{2}$", match.group())
            if year and (
                2001 <= (n := int(year.group()) if len(year.group()) == 4 else 2000 + int(year.group())) <= 2023 or n > 2030
            ):
                yield match.start(), match.end(), "date of birth"


def addresses(text: str) -> Iterator[Found]:
    """Streets and houses."""
    for match in _ADDRESS.finditer(text):
        kind = re.search(rf"\b({_STREET})\b", match.group(), re.IGNORECASE)
        weak = kind is not None and kind.group(1) in (
            "court",
            "place",
            "way",
            "drive",
            "square",
            "circle",
            "loop",
            "trail",
            "st",
            "dr",
            "pl",
            "lane",
            "ct",
        )
        numbered = re.search(r"\d(?:st|nd|rd|th)\b", match.group(), re.IGNORECASE)
        if (
            weak
            and not numbered
            and not re.search(r"\b(?:live\w*|address|home|stays?|resid\w+|at|on)\W*$", text[: match.start()], re.IGNORECASE)
        ):
            continue
        if re.search(r"\bSupreme Court\b|\bAppeals Court\b", match.group(), re.IGNORECASE):
            continue
        middle = re.sub(r"^\d+\w?\s+", "", match.group())
        if (
            re.match(r"\d", match.group())
            and re.search(r"[a-z]", match.group())
            and _ADDRESS_STOP.search(" ".join(middle.split()[:3]))
        ):
            continue
        yield match.start(), match.end(), "address"
