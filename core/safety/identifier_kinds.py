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
# What columns of identifiers are called in tables; a column of that name is hidden whole.
_HEADINGS: Mapping[str, str] = {
    "name": "name, patient, patient name, full name, first name, last name, given name, family name, surname, "
    "next of kin, contact, 姓名, 名字, 患者, 患者姓名, 病人, 病人姓名, 联系人, 联系人姓名, 家属姓名",
    "phone": "phone, phone number, telephone, tel, mobile, mobile number, cell, cell phone, contact number, 电话, "
    "电话号码, 联系电话, 手机, 手机号, 手机号码, 联系方式",
    "email": "email, e mail, email address, 邮箱, 电子邮箱, 电子邮件",
    "address": "address, home address, postal address, postcode, post code, zip, zip code, street, 地址, 住址, "
    "家庭住址, 家庭地址, 联系地址, 现住址, 户籍地址",
    "id_card": "id card, id card number, id number, national id, 身份证, 身份证号, 身份证号码, 证件号, 证件号码",
    "nhs_number": "nhs, nhs number, nhs no",
    "ssn": "ssn, social security number, 社会安全号码",
    "birth_date": "dob, date of birth, birth date, birthdate, birthday, born, 出生日期, 生日, 出生年月日",
    "passport": "passport, passport number, 护照, 护照号, 护照号码",
    "insurance": "insurance number, member id, policy number, 医保号, 医保卡号, 社保号, 社保卡号",
    "record": "mrn, medical record number, record number, patient id, patient number, hospital number, chart number, "
    "病案号, 病历号, 住院号, 门诊号, 就诊号, 登记号, 患者编号",
}
_KIND_OF = {name: kind for kind, names in _HEADINGS.items() for name in names.split(", ")}
_BETWEEN = re2.compile(r"[\s_.\-:：]+")
PLACEHOLDERS = re2.compile(
    rf"\[(?:{'|'.join(re2.escape(name) for names in KINDS.values() for name in names)})\]".encode()
)


def placeholder(kind: str, tongue: Tongue) -> str:
    """What stands in a masked note for an identifier of this kind.

    Raises:
        KeyError: there is no such kind.
    """
    return f"[{getattr(KINDS[kind], tongue)}]"


def kind_of_heading(heading: str) -> str | None:
    """Which kind of identifier a column of this name holds; none where the name says nothing."""
    spaced = re2.sub(r"([a-z])([A-Z])", r"\1 \2", heading)  # patientName
    return _KIND_OF.get(_BETWEEN.sub(" ", spaced).strip().lower())
