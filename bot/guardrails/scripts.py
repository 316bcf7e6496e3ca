"""Names in Chinese and Arabic letters, which have no capitals: found by their letters and by what stands beside them."""

from __future__ import annotations

import re
from functools import cache

from bot.guardrails.gazetteer import gazetteer

Span = tuple[int, int]
_HAN = "\u4e00-\u9fff"
_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭陆范汪廖石金贾韦夏付方"
    "邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常章鲁葛伍施齐梅庄柯翟殷辛管祝左涂耿樊路庞詹关苗凌费纪靳盛童欧项柴裴"
    "阮俞鲍滕傅穆祁狄臧屈闵娄颜刁骆霍虞裘缪洪邢翁荀甄巫栾"
    "張劉陳楊黃趙吳孫馬郭鄭謝許韓馮鄧蔣葉蘇呂盧鍾譚陸賈韋鄒龍賀顧龔邵萬錢嚴莊關費項蕭簡游彭"
)
_TWO = "司徒|南宫|宇文|长孙|轩辕|呼延|独孤|欧阳|歐陽|司马|司馬|诸葛|諸葛|上官|东方|慕容|皇甫|令狐|尉迟|公孙|夏侯|端木"
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红梅建国文辉鹏宇轩涵梓浩然欣怡子睿思佳雨晨婷雪晓琳嘉博俊豪宸诗雅梦琪可馨小大志海云"
    "飞龙凤春秋冬夏乐天一诺家慧颖倩莹蕾瑶祥林森峰波斌鑫毅凯旭东阳帆航翔宁安康健福贵珍淑贤惠芝芬芸茜薇菲菁璐瑾萱妍彤悦心语远鸣茹洁星辰景皓哲"
    "泽昊铭楠昕柏承永立德仁义礼智信忠良善元启振兴成城辛达进学翰墨书琦琴瑟韵音乔松竹兰菊荷莲蓉蔓菡依伊沐若如意念恩爱敬宝贝庆喜利顺正清源泉江"
    "河涓滢润泓潇湘洪波渊溪雯露霜虹霖虎豹鹤燕雁鸿莺骏驰腾越冲奕弈逸怀恒昌盛荣华冠群彬斐炜炎焱灿煜烨烁耀辉曦晗晟晴昱晏昭玮珂珊珠琬琰瑞璇璟萌"
    "萍萧蓓蓝芷苒茵荟莎莉菀楚枫桐榕槿樱柔曼曦月夕朝晚暖煦熙和谐同君雄英武威震勋功迪凡帅谦诚挚朗畅舒展铮钧锋锐鉴钰银钢铁柱磐岩岳岚峻崇嵩川洲"
    "偉麗強軍艷傑濤剛華蘭紅國輝鵬軒靜婷曉嘉夢雲飛鳳樂慧穎瑩鑫凱東陽寧賢惠薇璐語遠潔豪銘達進學書韻松愛寶慶順潔鴻駿騰榮煒燦燁耀瑋瓊萬謙誠"
)
_STOP = (
    "高中|高考|高等|高年|高级|高质|高效|高校|高一|高二|高三|方法|方面|方式|方便|方向|马上|金额|金融|江苏|江西|王国|黄金|黄色|白色|白天|白板|于是|何时|何种|何处|"
    "何人|何为|何谓|何必|任何|任务|任意|任教|任课|常见|常用|常常|常规|向学|向家|向老|范围|范文|许多|许可|谢谢|陈述|程序|程度|周围|周末|周期|周一|周二|周三|周四|周五|武汉|顾问|顾虑|"
    "严格|严重|孔子|孟子|史上|石油|石家|林业|关于|关键|关注|关系|管理|管控|路线|路上|施行|施加|齐全|左右|项目|费用|纪律|纪录|盛行|童话|苗族|成绩|夏天|夏令|秦始|唐诗|宋词|汉语|"
    "华为|万一|万能|明天|安全|安装|田径|余下|段落|段考|龙头|金星|白雪公主|周恩来|毛泽东|于此|于学|欧洲|欧盟|庄子|应用|应该|柏林|梅西|马克思|牛顿"
)
"""Common words, public people and works that begin as names do."""
_BEFORE = (
    r"(?:(?<![\u4e00-\u9fff])|(?<=[的了让给和与跟对问是叫把被在说替帮请由及])|(?<=学生)|(?<=同学)|(?<=孩子)|(?<=家长)|(?<=姓名)|(?<=名字)|"
    r"(?<=女儿)|(?<=儿子)|(?<=男孩)|(?<=女孩)|(?<=男生)|(?<=女生)|(?<=妈妈)|(?<=爸爸)|(?<=母亲)|(?<=父亲)|(?<=弟弟)|(?<=妹妹)|(?<=哥哥)|(?<=姐姐)|"
    r"(?<=班上)|(?<=名叫)|(?<=文件)|(?<=名为))"
)
_AFTER = (
    r"(?=[^\u4e00-\u9fff]|$|的|在|是|被|有|说|考|得|最|患|昨|今|因|和|与|跟|同学|小朋友|生日|学号|用|写|出生|数学|语文|没|不|住|家|电话|可|能|会|要|想|"
    r"应|需|正|也|都|就|做|喜|经|总|当|进|参|提|告|对|把|给|抄|刚|转|交|上|问|拒|三年|四年|五年|六年|七年|八年|一年|二年|初|了|来|去|跑|拿|使|作|偷|打|缺|"
    r"迟|退|请|办|搬|拿|借|哭|骂|病|戴|來信|来信|跳|听|看|读|学|英|发|带|从|每|老是|天天|一直|已|又|还|怎|以|让|向|帮|玩|删|登|申|收|选|报|加|联|签|同意|反)"
)
_STAFF_AFTER = r"(?!老师|老師|校长|校長|主任|教授|局长|部长|园长|博士|先生的课|总统|主席)"
_FULL = re.compile(rf"{_BEFORE}(?!{_STOP})(?:{_TWO}|[{_SURNAMES}])[{_GIVEN}]{{1,2}}?{_STAFF_AFTER}{_AFTER}")
_CUED = re.compile(
    rf"(?:(?<=学生)|(?<=同学)|(?<=孩子)|(?<=叫)|(?<=姓名)|(?<=姓名：)|(?<=姓名:)|(?<=女儿)|(?<=儿子)|(?<=名字是)|(?<=男孩)|(?<=女孩)|(?<=班的)|(?<=班上的)|"
    rf"(?<=家长))(?!{_STOP})[{_SURNAMES}][{_HAN}]{{1,2}}?{_STAFF_AFTER}{_AFTER}"
    rf"|(?!{_STOP})[{_SURNAMES}][{_HAN}]{{1,2}}(?=同学|小朋友|的(?:成绩|家长|妈妈|爸爸|母亲|父亲|病|诊断|作业|学号|生日|作文|家|IEP|电话|地址))"
)
_NICK = re.compile(
    rf"(?<![{_HAN}])(?:小[明红华刚强丽芳军伟李王张刘美玲亮雨雪宇杰龙虎燕兰英娟玉宝乐辉峰涛波林琳婷慧敏静欣怡晨阳]|阿[明强华芳珍娟伟杰龙])(?=[^{_HAN}]|的|在|是|被|有|"
    r"说|考|得|和|跟|用|可|能|最|没|不|要|想|把|给|告|写|抄|$)"
    rf"|(?<=[\u4e00-\u9fff]班)[{_GIVEN}]{{2}}(?=[^{_HAN}])|[小大阿][{_HAN}](?=妈妈|爸爸|奶奶|爷爷|媽媽|同学|同學|(?:和|跟|与)[小大阿][{_HAN}](?![{_HAN}]{{0,2}}(?:型|小))|上课|打架)"
    rf"|(?<=和)[小大阿][{_HAN}](?=上课|打架|吵架|都|一起)"
    rf"|(?<=孙子|孙女|女儿|儿子|学生|孩子)([{_HAN}])\1(?=被|的|说|在|是|没|不|也|很|总|用|了|,|，|。)"
    rf"|阿[依不卜布迪里力古丽热孜买提木娜尔吉克达合曼拉玛米扎伊娅]{{1,5}}|[{_HAN}]{{2,6}}[·•・][{_HAN}]{{2,6}}"
)
"""Nicknames and names written by sound."""

_AR_LETTERS = "\u0621-\u064a"
_AR_WORD = re.compile(rf"[{_AR_LETTERS}\u064b-\u0652\u0640]{{2,}}")
_AR_SURE = (
    "محمد احمد فاطمه فاطمة خالد مريم زينب يوسف ابراهيم حسين عائشة عائشه ليلى ياسمين محمود مصطفى سلمى طارق عمر بلال حمزة حمزه عبدالله عبدالرحمن عبدالعزيز "
    "عبدالملك عبدالكريم فيصل وليد رامي لينا رنا قصي رهف يزن سدرة تالا تالين لجين لوجين ريتاج ريماس ريناد جوري ميار ميرال اسيل اسماعيل اسامة اسامه انس اياد اياس ايلاف "
    "ايهم باسل بتول بثينة بسمة بيسان بيلسان تيم تركي ثامر جاسم جعفر جمانة جنى حازم حاتم حذيفة حسام حسناء حمد حمدان حيدر خديجة خديجه خليل دانة دانا دانية دارين داود "
    "ديما ديمة رائد رؤى راشد رامز رغد رغدة رفيف ركان رنيم ريان ريم ريما ريهام رويدة زكريا زياد زيد زيدان زين الدين سارة ساره سالم سامر سامي سجى سديم سعود سفيان سلمان "
    "سليمان سميرة سمير سهى سهام سوزان شادي شهاب شيماء صفية صهيب ضحى طلال طه عبير عثمان عدنان عصام عفاف عمار عماد عمران غادة غسان غيداء فادي فارس فراس فهد فؤاد "
    "قاسم قيس كنان لؤي لمى لميس لين ليان ليث مازن ماجد ماهر مروان مروة مروه معاذ معتز مهند ميس ميسون نادين ناصر نايف نبيل نجلاء نجود ندى نزار نسرين نضال نوال نورة "
    "نوره نوف هاجر هاشم هاني هبة هديل هشام هند هيثم هيفاء وائل وعد ياسر ياسين يحيى يزيد يمنى يونس زهراء كوثر اريج افنان الاء اروى ايات اشواق امجد ايمن اشرف اكرم ادهم "
    "بدر بشار بهاء تسنيم جابر جواد حنين خلود دعاء راما رزان رشا رولا شذى شروق صبا عدي عقيل غدير غفران فرح لمار لارا مايا محسن مراد مرام مشاري مصعب ملك منار منى "
    "منيرة موسى ميادة ميرا نادية نايفة نعمة نواف هلا هيا وجدان وسن الياس عيسى ابوبكر ادم هودان علياء سهيل سلطان خولة حفصة سمية اميمة رقية آسيا مها ابتسام انتصار"
).split()
"""Arabic given names that are hardly ever everyday words (letters made plain)."""
_AR_NOT = frozenset("هيا ملك فرح منى ندى وعد نعمة بدر صبا حمد هلا زين الدين منار جمال تيم لين نادية غدير".split())
_AR_CUE = re.compile(
    r"(?:الطالب|الطالبة|طالب|طالبة|تلميذ|تلميذة|التلميذ|التلميذة|طالبي|طالبتي|تلميذي|تلميذتي|اسمه|اسمها|ابني|ابنتي|بنتي|ابنه|ابنها|"
    r"ابنتها|يدعى|تدعى|والدة|والد|أم|أبو|الطفل|الطفلة|أخوه|أخته|ولي أمر|ولد|ولدت|حصل|حصلت|استخدم|استخدمت|كتب|كتبت|قال|قالت|طلب|طلبت)\s+"
)
_AR_DOES = re.compile(
    r"\s+(?:يستخدم|تستخدم|يعاني|تعاني|عنده|عندها|لديه|لديها|قال|قالت|طلب|طلبت|كتب|كتبت|نسخ|نسخت|يغش|تغش|غش|غشت|سلم|سلمت|سلما|يكتب|تكتب|يتحدث|"
    r"تتحدث|يريد|تريد|لا ي|لا ت|لم|يرفض|ترفض|في الصف|من الصف|عمره|عمرها|رقمه|رقمها|هو|هي|حصل|حصلت|رسب|رسبت|و[\u0621-\u064a]{2,} (?:يستخدم|سلما|نسخا|غشا))"
)
_AR_STAFF = re.compile(
    r"(?:الأستاذ|الأستاذة|المعلم|المعلمة|الدكتور|الدكتورة|المدير|المديرة|السيد|الوزير|الرئيس|الكاتب|الشاعر|العالم|الملك|الأمير)\s+$"
)
_AR_PUBLIC = re.compile(
    "نجيب محفوظ|محمود درويش|طه حسين|جبران خليل جبران|أم كلثوم|صلاح الدين|ابن خلدون|ابن سينا|الخوارزمي|أحمد شوقي|نزار قباني|سال خان|إيلون ماسك|سام ألتمان|خالد بن الوليد|"
    "عمر بن الخطاب|هارون الرشيد|نجيب"
)
_AR_JOINS = frozenset("بن ابن بنت ابو أبو عبد آل ال".split())
_PLAIN = str.maketrans("أإآ", "ااا", "\u064b\u064c\u064d\u064e\u064f\u0650\u0651\u0652\u0640")


@cache
def _arabic_names() -> tuple[frozenset[str], frozenset[str]]:
    """Given and family names in Arabic letters, made plain."""
    known = gazetteer()
    given = {name.translate(_PLAIN) for name in known.given if _AR_WORD.match(name)} | {
        name.translate(_PLAIN) for name in _AR_SURE
    }
    return frozenset(given), frozenset(name.translate(_PLAIN) for name in known.family if _AR_WORD.match(name))


def _chinese(text: str) -> list[Span]:
    found = [match.span() for pattern in (_FULL, _CUED, _NICK) for match in pattern.finditer(text)]
    whole: list[Span] = []
    for start, end in sorted(found, key=lambda span: (span[0], -span[1])):
        if not whole or start >= whole[-1][1]:
            whole.append((start, end))
    return whole


def _rest(text: str, words: list[re.Match[str]], i: int) -> int:
    """The index of the last word of a name that starts at word i: further names, 'bin', and family names with an article."""
    given, family = _arabic_names()
    last = i
    for j in range(i + 1, min(len(words), i + 5)):
        if text[words[j - 1].end() : words[j].start()] != " ":
            break
        word = words[j].group().translate(_PLAIN)
        article = word.startswith("ال") and word[2:] in (given | family)
        origin = word.startswith("ال") and word.endswith("ي") and len(word) > 4
        if not (word in given or word in family or article or origin or word in _AR_JOINS):
            break
        last = j
    while last > i and words[last].group() in _AR_JOINS:
        last -= 1
    return last


def _arabic(text: str) -> list[Span]:
    given, _ = _arabic_names()
    sure = {name.translate(_PLAIN) for name in _AR_SURE} - _AR_NOT
    public = [match.span() for match in _AR_PUBLIC.finditer(text)]
    cues = {match.end() for match in _AR_CUE.finditer(text)}
    found: list[Span] = []
    words, beyond = list(_AR_WORD.finditer(text)), -1
    for i, word in enumerate(words):
        plain = word.group().translate(_PLAIN)
        start = word.start()
        if plain not in given and plain[:1] in "وبلف" and plain[1:] in given:
            plain, start = plain[1:], start + 1
        if i <= beyond or plain not in given or any(a <= start < b for a, b in public) or _AR_STAFF.search(text[: word.start()]):
            continue
        last = _rest(text, words, i)
        joined = start > word.start() and bool(found) and found[-1][1] >= start - 2
        if plain in sure or last > i or start in cues or joined or _AR_DOES.match(text, word.end()):
            found.append((start, words[last].end()))
            beyond = last
    return found


_AR_LIST = re.compile(rf"(?:أسماء|اسماء)[^:：\n]{{0,30}}[:：](?P<names>[ {_AR_LETTERS}،,]+)")


def _listed(text: str) -> list[Span]:
    """The names of a list that says it is one: 'names of my group: …'."""
    return [
        (match.start("names") + item.start(), match.start("names") + item.end())
        for match in _AR_LIST.finditer(text)
        for item in re.finditer(rf"[{_AR_LETTERS}]+(?: [{_AR_LETTERS}]+){{0,2}}", match["names"])
    ]


def other_scripts(text: str) -> list[Span]:
    """Names in Chinese and in Arabic letters."""
    found = _other_scripts(text)
    return found + [span for span in _listed(text) if not any(a < span[1] and span[0] < b for a, b in found)]


def _other_scripts(text: str) -> list[Span]:
    return [
        *(_chinese(text) if re.search(f"[{_HAN}]", text) else ()),
        *(_arabic(text) if re.search(f"[{_AR_LETTERS}]", text) else ()),
    ]


def has_name(text: str) -> bool:
    """Whether a file name carries a Chinese or an Arabic name: its parts are read one by one."""
    return any(bool(other_scripts(part)) for part in re.split(r"[\W_\d]+", text) if part)
