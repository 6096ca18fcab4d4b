"""Postal addresses: Chinese, from the district to the room; British and American, from the house to the postcode."""

import re

from core.safety.identifier_text import Shape, alone
from core.safety.terms import Span

_STREET = (
    "Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Close|Court|Ct|Crescent|Cres|Boulevard|Blvd|Terrace|Ter|Place|Pl|Way"
    "|Grove|Gardens|Gdns|Square|Sq|Hill|Row|Mews|Parade|View|Walk|Rise|Green|Park|Parkway|Pkwy|Highway|Hwy|Circle|Cir"
    "|Trail|Loop|Quay|Wharf|Yard|Alley|Croft|Drove|Vale|Broadway"
)
_STATE = (
    "A[LKZR]|C[AOT]|D[EC]|FL|GA|HI|I[DLNA]|K[SY]|LA|M[EDAINSOT]|N[EVHJMYCD]|O[HKR]|PA|RI|S[CD]|T[NX]|UT|V[TA]|W[AVIY]"
)
_AREA = (
    "A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|L[ADELNSU]?"
    "|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE"
)
_POSTCODE = rf"(?:{_AREA})[0-9][0-9A-Z]? ?[0-9][ABD-HJLNP-UW-Z]{{2}}"
_ZIP = rf"(?:{_STATE}),? [0-9]{{5}}(?:-[0-9]{{4}})?"
_WORD = r"(?:[A-Z][A-Za-z'\-]*\.?|[0-9]{1,3}(?:st|nd|rd|th))"
_FLAT = r"(?:(?:Flat|Apt|Apartment|Unit|Suite|Room|Ste)\.? ?#?[0-9A-Z]{1,5},? )"
_HOUSE = r"(?:(?:The )?(?:[A-Z][a-z']+ ){1,2}?(?:House|Cottage|Forge|Farm|Barn|Lodge|Mill|Hall|Vicarage|Villa), )"
_TOWNS = rf"(?:,? {_WORD}(?: {_WORD}){{0,2}}){{0,3}}"
_NUMBERED = rf"[0-9]{{1,5}}[A-Za-z]?,? (?:{_WORD} ){{1,4}}(?:{_STREET})\b\.?"
_LINE = rf"(?:{_FLAT}|{_HOUSE})?{_NUMBERED}(?: (?:NE|NW|SE|SW|N|S|E|W)\b)?"
_INNER = r"(?:,? (?:Apt|Apartment|Unit|Suite|Flat|Ste|#)\.? ?#?[0-9A-Z]{1,5}\b)?"
_LOWER_STREET = r"(?i:street|st|road|rd|avenue|ave|lane|drive|close|crescent|terrace|way|grove|court)"
_ORDINAL = re.compile(r"[SNRT][TDH]$")  # the heart sound S1 2ND is no place, and B12 no district

_ADMIN = r"(?:省|自治区|市|区|县|旗|州|镇|乡|街道|新区)"
_ROAD = r"(?:路|街|大道|道|巷|弄|胡同|村|里|镇|乡|小区|花园|公寓|大厦|广场|社区|新村|苑|庄|段|条)"
_NUMBER = r"[0-9一二三四五六七八九十百]{1,6}(?:-[0-9]{1,4})?"
_UNIT = r"(?:号院|号楼|号|弄|栋|幢|座|楼|层|单元|室|户|门|房|组|院)"
_TAIL = (
    rf"(?:(?:附|内|旁)?{_NUMBER}{_UNIT}|[A-Za-z][0-9]{{0,4}}{_UNIT}?|\p{{Han}}{{2,8}}?(?:{_NUMBER}|[A-Z]){_UNIT}"
    rf"|\p{{Han}}{{2,6}}(?:广场|大厦|花园|小区|公寓|中心|苑|城){_NUMBER}|{_NUMBER}|[甲乙丙丁]){{0,6}}"
)
_CHINESE = (
    rf"\p{{Han}}[\p{{Han}}0-9]{{1,28}}{_ROAD} ?(?:\p{{Han}}{{0,3}}?){_NUMBER} ?(?:号院|号楼|号|弄|组|栋|幢|座){_TAIL}"
)
_LEAD = re.compile(r".*(?:住址|地址|住在|家住|住|家在|在|址是|寄到|寄给|寄|来自|送到|搬到|到|是|给|去|从)")
_SHORT = re.compile(rf"[\u4e00-\u9fff]{{2,}}?{_ADMIN}")


def _chinese(text: str, start: int, end: int) -> Span | None:
    """From behind the words that lead to the address; it names a town or a district, or a label stands before it."""
    value = text[start:end]
    lead = _LEAD.match(value)
    kept = lead.end() if lead and lead.end() < len(value) else 0
    labelled = kept > 0 or re.search(r"[址住][:是在 ]{0,3}$", text[max(0, start - 6) : start])
    if not labelled and not _SHORT.search(value):
        return None
    return start + kept, end


def _bare_postcode(text: str, start: int, end: int) -> Span | None:
    code = text[start:end]
    if _ORDINAL.search(code) or code.startswith("B12 ") or code[-4] != " ":
        return None
    return alone(text, start, end)


SHAPES: tuple[Shape, ...] = (
    Shape("address", rf"(?P<v>{_LINE}{_INNER}(?:{_TOWNS},? (?:{_POSTCODE}|{_ZIP})\b)?)", alone),
    Shape(
        "address",
        rf"(?P<v>[0-9]{{1,5}}[a-z]? (?:[A-Za-z']+ ){{1,3}}{_LOWER_STREET}\b"
        rf",?(?: [A-Za-z]+,?){{0,3}} (?i:{_POSTCODE}|{_ZIP})\b)",
        alone,
    ),
    Shape("address", rf"(?P<v>(?i:P\.? ?O\.? ?Box) [0-9]{{1,6}}(?:{_TOWNS},? (?:{_POSTCODE}|{_ZIP})\b)?)", alone),
    Shape("address", rf"(?P<v>\b{_POSTCODE}\b)", _bare_postcode),
    Shape("address", rf"(?P<v>{_CHINESE})", _chinese),
)
