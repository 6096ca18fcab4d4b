"""What counts as an identifier: one table of kinds, with the words that stand in a masked note in their place."""

from collections.abc import Mapping
from typing import NamedTuple

import re2

from core.safety.terms import Tongue


class KindName(NamedTuple):
    """How a kind is called in each language."""

    en: str
    zh: str


# Where two identifiers overlap and are equally long, the kind that stands first here names both.
KINDS: Mapping[str, KindName] = {
    "id_card": KindName("ID card number", "身份证号"),
    "nhs_number": KindName("NHS number", "NHS号码"),
    "ssn": KindName("social security number", "社会安全号码"),
    "birth_date": KindName("date of birth", "出生日期"),
    "passport": KindName("passport number", "护照号"),
    "insurance": KindName("insurance number", "医保号"),
    "record": KindName("record number", "病案号"),
    "phone": KindName("phone", "电话"),
    "email": KindName("e-mail", "邮箱"),
    "address": KindName("address", "地址"),
    "name": KindName("name", "姓名"),
}
PLACEHOLDERS = re2.compile(
    rf"\[(?:{'|'.join(re2.escape(name) for names in KINDS.values() for name in names)})\]".encode()
)


def placeholder(kind: str, tongue: Tongue) -> str:
    """What stands in a masked note for an identifier of this kind.

    Raises:
        KeyError: there is no such kind.
    """
    return f"[{getattr(KINDS[kind], tongue)}]"
