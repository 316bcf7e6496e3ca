"""Names written otherwise: initials, and names in Chinese and Arabic letters, which need a cue beside them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.guardrails.cues import acronyms
from bot.guardrails.gazetteer import gazetteer


@dataclass(frozen=True)
class NameSpan:
    """A name found at ``text[start:end]``; ``family`` says it is a parent or guardian."""

    start: int
    end: int
    family: bool


_INITIALS = re.compile(r"(?<![\w.])(?:[A-Z]\.\s?){1,2}[A-Z]\.(?!\w)")
_BARE_INITIALS = re.compile(
    r"(?<![\w.])[A-Z]{2,3}(?=\s*\(|,?\s+(?:ID|id|DOB|dob|#|grade|age|\d+(?:st|nd|rd|th))|'s\b)|(?<=student "
    r")[A-Z]{2,3}\b|(?<=initials )[A-Z]{2,3}\b|(?<=alumno )[A-Z]{2,3}\b|(?<=estudiante )[A-Z]{2,3}\b"
)
_NOT_INITIALS = frozenset(
    (
        "US USA UK DC USC CFR PE AI ID EG IE AM PM BS BA MA MS PHD LA NY OK PS EU ED EL RI NC SC NJ SF IA UN MD RN GED PTA UAE LD"
    ).split()
)
_ZH_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余"
    "于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金贾韦夏付方邹熊白孟秦邱侯江尹薛闫段雷"
    "龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常张陳劉黃趙吳楊"
)
"""Family names of one character, written the short way and the long way."""
_ZH = re.compile(
    rf"(?:(?<=学生)|(?<=同学)|(?<=孩子)|(?<=叫)|(?<=姓名)|(?<=姓名：)|(?<=姓名:)|(?<=女儿)|(?<=儿子)|(?<=名字是)|(?<=男孩)|(?<=女孩)|"
    rf"(?<=班的)|(?<=班上的))([{_ZH_SURNAMES}][\u4e00-\u9fff]{{1,2}}?)(?=的|在|是|被|有|说|考|得|最|患|昨|今|因|和|与|（|\(|，|,|"
    rf"。|同学|生日|学号|$|\s|用|写|出生|数学|语文|没|不|住|家|电话|可|能|会|要|想|应|需|正|也|都|就|做|喜|经|总|当|进|参|提|告|跟|对|把|给)"
    rf"|([{_ZH_SURNAMES}][\u4e00-\u9fff]{{1,2}})(?=同学|小朋友|的(?:成绩|家长|妈妈|爸爸|母亲|父亲|病|诊断|作业|学号|生日|作文|家|IEP|电话|地址))"
)
_ZH_PLAIN = re.compile(
    "(?:(?<![\u4e00-\u9fff])|(?<=[和与跟让给对问是]))(?:[王李张刘陈杨赵吴徐孙胡朱郭罗宋唐韩曹邓萧冯彭潘袁蒋蔡杜魏苏吕沈姚卢姜崔谭汪廖贾邹熊秦邱尹薛闫侯郝龚邵]|欧阳|司马|诸葛|上官)"
    "[伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国文辉鹏宇轩涵梓浩然欣怡子睿思佳雨晨婷雪晓琳嘉博俊豪宸诗雅梦琪可馨小大志海云飞龙凤春秋冬夏"
    "乐天一诺家豪慧颖倩莹蕾瑶瑞祥林森峰波斌鑫毅凯旭东阳阳帆航翔宁安康健福贵珍淑贤惠芝芬芸茜薇菲菁璐瑾萱妍彤悦心语]{1,2}"
    "|小[明红华刚强丽芳军伟李王张刘美玲亮](?=[^\u4e00-\u9fff]|的|在|是|被|有|说|考|得|和|跟|用|可|能|最|没|不|要|想|$)"
)
"""Common Chinese names that need no cue: a frequent family name and letters that given names are made of."""
_AR_PLAIN = frozenset(
    (
        "محمد أحمد فاطمة خالد مريم زينب يوسف إبراهيم حسين عائشة ليلى ياسمين محمود مصطفى سلمى طارق عمر بلال حمزة "
        "عبدالله فيصل وليد رامي لينا رنا"
    ).split()
)
"""Arabic given names that are no everyday words."""
_AR_CUE = re.compile(
    r"(?:الطالب|الطالبة|طالب|طالبة|تلميذ|تلميذة|التلميذ|التلميذة|طالبي|طالبتي|اسمه|اسمها|ابني|ابنتي|ابنه|ابنها|"
    r"ابنتها|يدعى|تدعى|والدة|والد|أم|الطفل|الطفلة)\s+"
)
_AR_OTHER = re.compile(r"ال(?:مولود|مصاب|بالغ|مقيم|ذي|تي|ذين)")
_AR_WORD = re.compile(r"[\u0621-\u064a]{2,}")


def initials(text: str, person_nearby: bool) -> list[NameSpan]:
    """'J.S.', and 'JS' where a cue says it is a student."""
    found = []
    for match in _INITIALS.finditer(text):
        letters = re.sub(r"[^A-Z]", "", match.group())
        if letters not in _NOT_INITIALS and (len(letters) == 2 or letters not in acronyms()):
            found.append(NameSpan(match.start(), match.end(), False))
    for match in _BARE_INITIALS.finditer(text):
        if (
            match.group() not in acronyms()
            and match.group() not in _NOT_INITIALS
            and (person_nearby or "ID" in text or "student" in text)
        ):
            found.append(NameSpan(match.start(), match.end(), False))
    return found


def _arabic(text: str) -> list[NameSpan]:
    """Arabic names without a cue: one that is no everyday word, or two names in a row; a joined 'and' or 'for' stays."""
    known, found = gazetteer(), []
    words = list(_AR_WORD.finditer(text))
    for i, word in enumerate(words):
        joined = re.match("[ولبف]", word.group())
        bare = word.group()[1:] if joined and word.group() not in known.given else word.group()
        start = word.end() - len(bare)
        end, j = word.end(), i + 1
        while (
            j < len(words)
            and text[end : words[j].start()] == " "
            and (words[j].group() in known.given or words[j].group() in known.family)
        ):
            end, j = words[j].end(), j + 1
        if bare in _AR_PLAIN or (bare in known.given and end > word.end()):
            found.append(NameSpan(start, end, False))
    return found


def other_scripts(text: str) -> list[NameSpan]:
    """Chinese names behind or before a cue, Arabic names behind one."""
    found = [NameSpan(m.start(m.lastindex or 0), m.end(m.lastindex or 0), False) for m in _ZH.finditer(text)]
    found += [NameSpan(m.start(), m.end(), False) for m in _ZH_PLAIN.finditer(text)]
    found += _arabic(text)
    known = gazetteer()
    for match in _AR_CUE.finditer(text):
        end = match.end()
        start = end
        for step in range(3):
            if _AR_OTHER.match(text, end):
                break
            word = _AR_WORD.match(text, end)
            if word is None:
                break
            name = (
                word.group() in known.given
                or word.group() in known.family
                or (step > 0 and word.group().startswith("ال") and len(word.group()) > 3)
            )
            if not name:
                break
            end = word.end() + (1 if text[word.end() : word.end() + 1] == " " else 0)
        if end > start:
            found.append(NameSpan(start, len(text[:end].rstrip()), False))
    return found
