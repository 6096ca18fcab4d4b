"""Names of people, where a title or a label says that they are names."""

import re

from core.safety.identifier_text import Shape, alone
from core.safety.identifier_words import CHINESE_TITLES, NO_NAME_WORDS, NO_NAMES, is_word, surname_length
from core.safety.terms import Span

_CAPITAL = (
    r"(?:(?:[A-Z]'|Mc|Mac|Fitz|De|Di|La|Le|Al-)?[A-Z][\p{Ll}']+(?:-[A-Z]?[\p{Ll}']+)*"
    r"|[A-Z]{2,}(?:[-'][A-Z]+)*|[A-Z]\.|[A-Z]\b)"
)
_PARTICLE = r"(?:van der|van den|van de|van|von|de la|de los|del|de|der|den|di|da|dos|el|al|bin|ibn|le|la|ter|ten)"
_NAME = rf"{_CAPITAL}(?: ?(?:{_PARTICLE} )?{_CAPITAL}){{0,3}}"
_TITLE = (
    r"\b(?:(?:[Mm]r|MR|[Mm]rs|MRS|Ms|[Dd]r|DR|[Pp]rof|Rev|Fr|Capt|Sgt|Mx)\b\.?"
    r"|(?:Miss|MISS|[Dd]octor|[Pp]rofessor|Sir|Dame|Lady|Lord|Reverend|Father|Captain|Master"
    r"|[Nn]urse|[Ss]ister|[Mm]atron)) "
)
_LOWER_TITLE = r"(?:mr|mrs|dr)\.? "
_WHOSE = (
    r"(?:(?:patient|pt|client|mother|father|mum|mom|dad|lady|man|baby|child|son|daughter|husband|wife|carer)(?:'?s)?"
    r"|my|your|his|her|their|the|full|first|last|given|family|middle|maiden|legal|preferred|whose)"
)
_ASKED = (
    rf"(?i:\b{_WHOSE} (?:first |full |last )?names?(?:'s)?|^ ?names?|[:;,.(\n/|\]] ?names?"
    r"|\b(?:surname|forename|first name|last name|family name|given name|names? of (?:the )?(?:patient|pt)"
    r"|names? on file))"
)
_IS = r"(?:(?: ?[:=>\-/]|'s| (?i:is|was|are|of patient|on file|given as))){0,2} {0,3}"
_ROLE = (
    r"(?:\b(?i:patient|pt|next of kin|nok|n\.o\.k\.|emergency contact|contact person|contact name|carer|mother|father"
    r"|guardian|signed|seen by|referred by|reviewed by|consultant|attn|attention|social worker)(?: ?[:=]| -) ?"
    r"|\b(?i:signed|attn),? |\b(?i:nok|next of kin)\b )"
)
_PERSON = "患者|病人|患儿|就诊人|体检人|收件人|联系人|陪同人|接诊人|建卡人|登记|联系|家属|家长|床头卡|产妇|签名|主诊"
_ROLE_ZH = "医生|医师|护士|经治|主治|责任人|负责人|申请人|监护人|代理人|母亲|父亲|配偶|丈夫|妻子|儿子|女儿|护工"
_NEXT_FIELD = "男|女|[0-9]{1,3} ?岁|住院号|病案号|身份证"
_HAN = r"\p{Han}"


def _before_title(text: str, start: int, _: int) -> Span | None:
    """The name right before a Chinese title, the longest that begins with a family name."""
    for length in (4, 3, 2, 1):
        first = start - length
        if first < 0 or not all("\u4e00" <= letter <= "\u9fff" for letter in text[first:start]):
            continue
        family = surname_length(text, first)
        if family and family <= length <= family + 2 and not is_word(text, first):
            return first, start
    return None


def _english(text: str, start: int, end: int) -> Span | None:
    """The words of a name, up to one that belongs to no name."""
    words = list(re.finditer(r"[^ ]+", text[start:end]))
    kept = 0
    mixed = False
    for word in words:
        written = word.group()
        if written.strip(".").lower() in NO_NAME_WORDS or (mixed and len(written) > 2 and written.isupper()):
            break
        mixed = mixed or any(map(str.islower, written))
        kept = word.end()
    kept -= 2 if text[start : start + kept].endswith("'s") else 0
    return alone(text, start, start + kept) if kept else None


def _full(text: str, start: int, end: int) -> Span | None:
    """Two words or more: a single one behind `Patient:` may be a complaint."""
    span = _english(text, start, end)
    return span if span and " " in text[span[0] : span[1]] else None


def _lower(text: str, start: int, end: int) -> Span | None:
    if re.search(
        r"\b(?:the|my|a|your|his|her|our|another|this|that) $", text[max(0, start - 15) : start - 3], re.IGNORECASE
    ):
        return None
    return _english(text, start, end)


_CUT = re.compile(r"性别|年龄|年|性|男|女|电话|手机|住|身份|出生|病|门诊|科|民族|职业|联系|床|诊|先生|女士|小姐|号|岁")


def _labelled(text: str, start: int, end: int) -> Span | None:
    """What a form has behind 姓名; in a text without marks the name ends where the next label begins."""
    value = text[start:end]
    if value.startswith(("不详", "未知", "不明", "同上", "保密", "略", "无", "未", "姓名", "是")):
        return None
    if "·" in value:
        return start, end
    cut = _CUT.search(value, 1)
    value = value[: cut.start()] if cut else value
    most = (surname_length(text, start) or 2) + 2
    return (start, start + len(value)) if len(value) <= 4 else (start, start + most)


_ENDS_IN_TITLE = re.compile(rf"(?:{CHINESE_TITLES})$")


def _family(text: str, start: int, end: int) -> Span | None:
    """A name that begins with a family name, and no word that looks like one."""
    family = surname_length(text, start)
    if not family or _ENDS_IN_TITLE.search(text[start:end]) or text.startswith(NO_NAMES, start):
        return None
    return (start, end) if family <= end - start <= family + 2 else None


SHAPES: tuple[Shape, ...] = (
    Shape("name", rf"{_TITLE}(?:(?:&|and) (?:Mrs|Ms|Dr|Mr)\.? )?(?P<v>{_NAME})", _english),
    Shape("name", rf"\b{_LOWER_TITLE}(?P<v>[a-z][a-z'\-]{{2,20}})\b", _lower),
    Shape("name", rf"(?m){_ASKED}{_IS}(?:{_TITLE})?(?P<v>{_NAME})", _english),
    Shape(
        "name",
        r"\b(?i:(?:my|patient's|pt's|her|his) (?:full )?name is|name's) "
        r"(?P<v>[a-z][a-z'\-]+(?: [a-z][a-z'\-]+)?)(?:[,.;\n]|$)",
        _english,
    ),
    Shape("name", rf"{_ROLE}(?:{_TITLE})?(?P<v>{_NAME})", _full),
    Shape(
        "name",
        r"\b(?:Re|RE|re): ?(?P<v>[A-Z][a-z'\-]+(?: [A-Z][A-Za-z'\-]+){1,3})"
        r"[ ,\-(]+(?:DOB|D\.O\.B|d\.o\.b|dob|born|NHS|MRN)",
        _english,
    ),
    Shape("name", rf"(?P<v>(?:{CHINESE_TITLES}))", _before_title),
    Shape(
        "name",
        rf"(?:(?:姓 ?名|大名|学名)(?:是|叫|为)?|名字[:是])[ :/=\-(\[]{{0,3}}"
        rf"(?P<v>{_HAN}{{2,12}}(?:·{_HAN}{{1,12}}){{0,3}})",
        _labelled,
    ),
    Shape("name", rf"(?:姓 ?名|名字)(?:是|叫|为)?[ :/=(]{{0,3}}(?P<v>{_NAME})", _english),
    Shape("name", rf"姓 ?名[ :]{{0,2}}{_NAME} ?\((?P<v>{_HAN}{{2,4}})\)", alone),
    Shape("name", rf"(?:建卡|就诊|联系|收件|陪同|接诊|体检)人(?P<v>{_HAN}{{2,4}})(?:[ ,.;、/(\n]|$)", _family),
    Shape(
        "name",
        rf"(?:(?:{_PERSON})(?:信息)?[ :/]{{1,2}}|(?:{_ROLE_ZH}) ?: ?)"
        rf"(?P<v>{_HAN}{{2,4}})(?:[ ,.;、/(\n]|$)",
        _family,
    ),
    Shape(
        "name",
        rf"(?:患者|病人|患儿|收件人|产妇)(?P<v>{_HAN}{{2,4}})[ ,、(/]{{1,2}}(?:{_NEXT_FIELD})",
        _family,
    ),
    Shape("name", rf"(?:叫|本人|我是|名字是|名叫)(?P<v>{_HAN}{{2,4}}?)(?:[ ,.;、。!?(/\n0-9]|的|今年|$)", _family),
    Shape("name", rf"姓(?P<v>{_HAN}{{1,2}})(?:[ ,.;、。!?(\n]|$)", _family),
    Shape("name", rf"(?P<v>{_HAN}{{1,2}})姓(?:患者|病人|女士|先生|男子|女子)", _family),
)
