"""Identifiers that are numbers: telephone, identity, insurance and record numbers; e-mail and dates of birth.

A number without a label counts only where its form or its check digit tells; behind a label its form hardly matters,
since a mistyped number still leads to a person.
"""

import re
from datetime import date

from stdnum.cn import ric
from stdnum.gb import nhs
from stdnum.us import ssn

from core.safety.identifier_text import Shape, alone
from core.safety.normalise import LATIN
from core.safety.terms import Span

_TO_LABEL = r"(?: ?[:=#/>|.,\-—(\[\"'是为]){0,3} {0,4}"
_WORD = r"(?:(?i:is|was|no|num|number|nr|id|card|eu|uk|us|on file|given as)\b|号码|号|编号|\([^()\n]{1,16}\))"
_WORDS = rf"(?:(?: ?{_WORD})?[ :=#/.\-]{{0,2}}){{0,3}}"
_LABELLED = _WORDS + _TO_LABEL
# Parts of a labelled number: the first may begin with letters, those behind a blank are digits.
_CODE = (
    r"(?P<v>(?:[A-Za-z]{1,4}[ \-]?)?[0-9][0-9A-Za-z]*(?:-[0-9A-Za-z]+|[/.][0-9]{3,}[A-Za-z]?| [0-9]{2,8}[A-Za-z]?)*)"
)
_MOBILE = r"(?:(?:\+|00)? ?86[ \-]{0,2})?1[ .\-]?[3-9](?:[ .\-]?[0-9]){9}"
_LANDLINE = r"(?:10|2[0-9]|[3-9][0-9]{2})[)\- ]{0,2}[2-9][0-9]{2,3}[ \-]?[0-9]{4}"
_MONTH = (
    r"(?i:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"[0-3]?[0-9](?:st|nd|rd|th)?"
_YEAR = r"(?:[12][0-9]{3}|'?[0-9]{2})"
_ZH_DIGIT = r"[一二三四五六七八九十〇零元正0-9]"
_ZH_YEAR = r"(?:[0-9]{2}|[12][0-9]{3}|[一二三四五六七八九〇零]{2}|[一二][一二三四五六七八九〇零]{3}) ?年"
_ZH_DATE = rf"{_ZH_YEAR}(?: ?{_ZH_DIGIT}{{1,3}} ?月(?:份| ?{_ZH_DIGIT}{{1,3}} ?[日号])?)?"
_DATE = (
    rf"(?:[0-9]{{1,2}} ?[/.\- ] ?[0-9]{{1,2}} ?[/.\- ] ?{_YEAR}"
    rf"|[12][0-9]{{3}} ?[/.\-] ?[0-9]{{1,2}}(?: ?[/.\-] ?[0-9]{{1,2}})?"
    rf"|[12][0-9]{{7}}|[0-9]{{1,2}}[/\-][12][0-9]{{3}}|{_DAY}(?: of)?[ \-]{_MONTH}(?:,?[ \-]{_YEAR})?"
    rf"|{_MONTH}[ \-][12][0-9]{{3}}|{_MONTH}[ \-]{_DAY}(?:,?[ \-]{_YEAR})?|{_ZH_DATE}"
    rf"|{_ZH_DIGIT}{{1,3}}月{_ZH_DIGIT}{{1,3}}[日号])"
)
_PHONE_LABEL = re.compile(
    r"(?:phone|tel|mob|mobile|cell|fax|call|calls|ring|rang|text|contact|reach|reached|number)\b[^0-9\n]{0,12}$"
    r"|(?:电话|手机|号码|联系|致电|传真|打)[^0-9\n]{0,6}$",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r" ?(?:[a-z]{1,5}/|mg|mcg|ml|kg|cm|mm|bpm|%|°|岁|床[^号]|次|天|周|月|年|分|秒|[./:][0-9]|[×x*][0-9])"
)
_CALENDAR = re.compile(r"[0-9]{1,4}[-./ ][0-9]{1,2}[-./ ][0-9]{2,4}(?:[ .-]|$)")
_EXTENSION = r"(?: ?(?:x|ext\.?|转) ?[0-9]{1,5})?"


def _digits(value: str) -> str:
    return "".join(filter(str.isdigit, value))


def _ended(text: str, start: int, end: int) -> Span | None:
    """The stretch behind a label, which may stand right at it: `MRN8820147`."""
    goes_on = end < len(text) and text[end] in LATIN
    begun = start > 0 and text[start - 1] in LATIN and not (text[start].isdigit() and text[start - 1].isalpha())
    return None if goes_on or begun else (start, end)


def _whole(text: str, start: int, end: int) -> bool:
    """Whether the number does not go on outside of the stretch."""
    if alone(text, start, end) is None:
        return False
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return not re.fullmatch(r"[0-9][.\-]", before) and not re.fullmatch(r"[.\-:][0-9]", after)


def _long_code(text: str, start: int, end: int) -> Span | None:
    """A labelled number of four signs or more, three of them digits, without a measurement that follows it."""
    while _UNIT.match(text, end) and " " in text[start:end]:
        end = start + text[start:end].rindex(" ")
    value = text[start:end]
    if len(_digits(value)) < 3 or len(re.sub(r"\W", "", value)) < 4 or _UNIT.match(text, end):
        return None
    return _ended(text, start, end)


def _id_card(text: str, start: int, end: int) -> Span | None:
    number = re.sub("[^0-9Xx]", "", text[start:end]).upper()
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError:
        return None
    # Not `ric.validate`: its table lacks counties that were renamed, and their people's numbers stay as they are.
    return (start, end) if ric.calc_check_digit(number) == number[-1] and _whole(text, start, end) else None


def _nhs(text: str, start: int, end: int) -> Span | None:
    return (start, end) if nhs.is_valid(_digits(text[start:end])) and _whole(text, start, end) else None


def _ssn(text: str, start: int, end: int) -> Span | None:
    return (start, end) if ssn.is_valid(text[start:end]) and _whole(text, start, end) else None


def _chinese_mobile(text: str, start: int, end: int) -> Span | None:
    """Eleven digits, in few groups or all apart: pressures in a row (`148 92 151 95 160`) are neither."""
    groups = [len(group) for group in re.findall("[0-9]+", text[start:end])]
    if len(groups) > 1 and max(groups) < 4 and groups.count(1) < 6:
        return None
    return (start, end) if _whole(text, start, end) else None


def _plain(text: str, start: int, end: int) -> Span | None:
    return (start, end) if _whole(text, start, end) else None


def _british(text: str, start: int, end: int) -> Span | None:
    value = text[start:end]
    if _CALENDAR.match(value) or not 10 <= len(_digits(value)) <= 15:
        return None
    return _plain(text, start, end)


def _american(text: str, start: int, end: int) -> Span | None:
    """Ten digits; three bare groups may be measurements, so they need a word of telephones before them."""
    told = re.search(r"[(.\-+]", text[start:end]) or _PHONE_LABEL.search(text[max(0, start - 40) : start])
    return _plain(text, start, end) if told else None


def _international(text: str, start: int, end: int) -> Span | None:
    return _plain(text, start, end) if 8 <= len(_digits(text[start:end])) <= 15 else None


def _labelled_phone(text: str, start: int, end: int) -> Span | None:
    return _ended(text, start, end) if 7 <= len(_digits(text[start:end])) <= 16 else None


def _labelled_id(text: str, start: int, end: int) -> Span | None:
    return (start, end) if len(_digits(text[start:end])) in (14, 15, 17, 18) and _whole(text, start, end) else None


_CHINESE_RECORD = (
    r"(?:病 ?案|住 ?院|门 ?诊|急诊|病历|档案|就诊|登记|体检|诊疗|患者)"
    r"(?:病历|报告|登记|本)?(?:卡|ID|id)?(?:号码|编号|号)"
)
_CHINESE_INSURANCE = (
    r"(?:医 ?保|社 ?保|社会保障|医疗保险|参保|医疗证|保险|新农合)(?:人|个人)?(?:卡|证)?(?:号码|编号|号|单号)?"
)
_RECORD = (
    r"\b(?i:MRN|M\.R\.N\.|(?:medical |case |old )?records?(?: ?#| (?:no|num|number|id)\b)"
    r"|hosp(?:ital)?\.? (?:(?:no|num|number|id)\b|#)"
    r"|(?:unit|chart|patient|acct|account|case) ?(?:(?:no|num|number|id)\b|#)"
    r"|medical record\b|acct\b|CRN\b)"
)
_INSURANCE = (
    r"\b(?i:(?:member|subscriber|policy|medicare|medicaid|health ?(?:card|plan)|health insurance|insurance"
    r"|ins\.|insurer|group)"
    r"(?: policy| card)? ?(?:(?:id|no|num|number)\b|#))"
)

SHAPES: tuple[Shape, ...] = (
    Shape(
        "email",
        r"(?P<v>[A-Za-z0-9_%+][A-Za-z0-9._%+\-]{0,63}@[A-Za-z0-9\-]{1,63}(?:\.[A-Za-z0-9\-]{1,63}){0,4}\.[A-Za-z]{2,20})",
        alone,
    ),
    Shape("id_card", r"(?P<v>[1-9](?:[ \-]?[0-9]){16}[ \-]?[0-9Xx])", _id_card),
    Shape(
        "id_card",
        rf"(?:身 ?份 ?证 ?(?:件)?|证件号|\b(?i:ID card)){_LABELLED}"
        r"(?P<v>[1-9](?:[ \-]?[0-9]){13,16}(?:[ \-]?[0-9Xx])?)",
        _labelled_id,
    ),
    Shape("nhs_number", r"(?P<v>[0-9]{3}[ \-]?[0-9]{3}[ \-]?[0-9]{4})", _nhs),
    Shape("nhs_number", rf"\b(?i:NHS){_LABELLED}(?P<v>[0-9]{{3}}[ \-]?[0-9]{{3}}[ \-]?[0-9]{{4}})", _plain),
    Shape("ssn", r"(?P<v>[0-9]{3}-[0-9]{2}-[0-9]{4})", _ssn),
    Shape("ssn", rf"\b(?i:SSN|social security){_LABELLED}(?P<v>[0-9]{{3}}[ \-]?[0-9]{{2}}[ \-]?[0-9]{{4}})", _plain),
    Shape("phone", rf"(?P<v>{_MOBILE})", _chinese_mobile),
    Shape("phone", rf"(?P<v>\(?0{_LANDLINE}{_EXTENSION})", _plain),
    Shape("phone", rf"(?P<v>(?:\+|00)86[ \-]?{_LANDLINE}{_EXTENSION})", _plain),
    Shape("phone", r"(?P<v>[48]00[ \-][0-9]{3,4}[ \-]?[0-9]{3,4})", _plain),
    Shape("phone", rf"(?P<v>\(?0[1-9][0-9]{{1,4}}\)?(?:[ \-]?[0-9]){{5,8}}{_EXTENSION})", _british),
    Shape(
        "phone",
        rf"(?P<v>(?:\+?1[ .\-]?)?\(?[2-9][0-9]{{2}}\)?[ .\-]?[2-9][0-9]{{2}}[ .\-][0-9]{{4}}{_EXTENSION})",
        _american,
    ),
    Shape(
        "phone", r"(?P<v>(?:\+|\b00)[1-9][0-9]{0,2}[ .\-]?(?:\(0?[0-9]{0,4}\))?(?:[ .\-]?[0-9]){6,12})", _international
    ),
    Shape(
        "phone",
        rf"(?:\b(?i:phone|telephone|tel|mobile|mob|cell|fax|whatsapp)|电话|手机|座机|传真|热线|联系方式|致电|微信){_LABELLED}"
        rf"(?P<v>\+?\(?[0-9](?:[ .\-()]{{0,2}}[0-9]){{6,15}}{_EXTENSION})",
        _labelled_phone,
    ),
    Shape(
        "birth_date",
        rf"\b(?i:dob|d\. ?o\. ?b\.?|date of birth|birth ?date|birthday|born){_LABELLED}"
        rf"(?i:on |in |the ){{0,2}}(?P<v>{_DATE})",
        _ended,
    ),
    Shape(
        "birth_date", rf"(?:出 ?生(?:日期|年月日?|时间|于|在|证上?的?日期)?|生日|生于){_LABELLED}(?P<v>{_DATE})", alone
    ),
    Shape("birth_date", rf"(?P<v>{_DATE}) ?(?:出生|生(?:人|的|[,.;。、)/ ]|$))", alone),
    Shape("passport", rf"(?:\b(?i:passport)(?:'s)?|护照){_LABELLED}{_CODE}", _long_code),
    Shape("insurance", rf"{_INSURANCE}{_LABELLED}{_CODE}", _long_code),
    Shape("insurance", rf"{_CHINESE_INSURANCE}{_LABELLED}{_CODE}", _long_code),
    Shape("record", rf"{_RECORD}{_LABELLED}{_CODE}", _long_code),
    Shape("record", rf"(?:{_CHINESE_RECORD}|卡号|就诊卡|诊疗卡|\bID号){_LABELLED}{_CODE}", _long_code),
)
