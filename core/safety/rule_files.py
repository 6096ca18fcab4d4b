"""Reads the rule files and refuses what can't be used, with file, rule and field."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from core.errors import SettingsError
from core.safety.cues import ScopeFile
from core.safety.rules import Name, Rule, Text
from core.safety.terms import Tongue

TONGUES: tuple[Tongue, ...] = ("en", "zh")
FEWEST_TEXTS = 3
Texts = Annotated[tuple[Text, ...], Field(min_length=FEWEST_TEXTS)]
_NAME = TypeAdapter(Name)
_WORDS = TypeAdapter(list[Text])
Entry = TypeVar("Entry", bound=BaseModel)


class FindingWords(BaseModel):
    """How one language says a finding.

    Attributes:
        words: terms; `*` ends a word in any way, `...` stands for a few others.
        patterns: RE2 expressions on the normal form.
        negatable: false for findings that are negative words themselves: a `no` before them does not matter.
        resolvable: false for findings that count although they are over.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: tuple[Text, ...] = ()
    patterns: tuple[Text, ...] = ()
    negatable: bool = True
    resolvable: bool = True


class RuleTexts(BaseModel):
    """Texts that a rule must match, and texts that it must not."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    match: Texts
    no_match: Texts


@dataclass(frozen=True, slots=True)
class RuleBook:
    """Everything in the folder.

    Attributes:
        rules: in the order of the file.
        findings: by language, how each finding is said.
        texts: by language and rule.
        scopes: cues.
        spelling: variant -> usual form, of both languages.
    """

    rules: tuple[Rule, ...]
    findings: Mapping[Tongue, Mapping[str, FindingWords]]
    texts: Mapping[Tongue, Mapping[str, RuleTexts]]
    scopes: ScopeFile
    spelling: Mapping[str, str]


def read_rules(folder: Path) -> RuleBook:
    """The rules in a folder, checked.

    Args:
        folder: holds `rules.toml`, `en.toml`, `zh.toml`, `scopes.toml`, `spelling.toml`. Every finding must have its
            words and every rule its texts in both languages.

    Raises:
        SettingsError: a file, rule or field can't be used; the message names it.
    """
    tables = {tongue: _table(folder / f"{tongue}.toml") for tongue in TONGUES}
    findings = {tongue: _findings(table, f"{tongue}.toml") for tongue, table in tables.items()}
    texts = {tongue: _texts(table, f"{tongue}.toml") for tongue, table in tables.items()}
    rules = _rules(_table(folder / "rules.toml"))
    _check_complete(rules, findings, texts)
    return RuleBook(
        tuple(rules),
        findings,
        texts,
        _checked(ScopeFile, _table(folder / "scopes.toml"), "scopes.toml", "file"),
        _spelling(_table(folder / "spelling.toml")),
    )


def _table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_bytes().decode("utf-8-sig"))
    except FileNotFoundError:
        raise SettingsError(f"Red flags: {path.name} is missing in the folder {path.parent.name}.") from None
    except OSError as error:
        raise SettingsError(f"Red flags: {path.name} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise SettingsError(f"Red flags: {path.name} is not UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"Red flags: {path.name} is no valid TOML: {error}.") from None


def _rules(table: Mapping[str, Any]) -> list[Rule]:
    _only(table, {"rules"}, "rules.toml")
    entries = table.get("rules")
    if not isinstance(entries, list) or not entries:
        raise SettingsError("Red flags: rules.toml holds no [[rules]].")
    rules: dict[str, Rule] = {}
    for number, entry in enumerate(entries, start=1):
        named = isinstance(entry, dict) and isinstance(entry.get("id"), str) and entry["id"].strip()
        rule = _checked(Rule, entry, "rules.toml", f"rule {entry['id'] if named else f'number {number}'}")
        if rule.id in rules:
            raise refused("rules.toml", f"rule {rule.id}", "id", "is there twice")
        rules[rule.id] = rule
    return list(rules.values())


def _findings(table: Mapping[str, Any], file: str) -> dict[str, FindingWords]:
    _only(table, {"findings", "texts"}, file)
    return {name: _finding(name, entry, file) for name, entry in _tables(table, "findings", file).items()}


def _finding(name: str, entry: object, file: str) -> FindingWords:
    where = f"finding {name}"
    _named(name, file, where)
    words = _checked(FindingWords, entry, file, where)
    if not words.words and not words.patterns:
        raise refused(file, where, "words", "is missing, and so is patterns")
    return words


def _texts(table: Mapping[str, Any], file: str) -> dict[str, RuleTexts]:
    entries = _tables(table, "texts", file)
    return {name: _checked(RuleTexts, entry, file, f"texts of rule {name}") for name, entry in entries.items()}


def _check_complete(
    rules: list[Rule],
    findings: Mapping[Tongue, Mapping[str, FindingWords]],
    texts: Mapping[Tongue, Mapping[str, RuleTexts]],
) -> None:
    ids = {rule.id for rule in rules}
    for rule in rules:
        for field, names in _findings_by_field(rule):
            for tongue, name in ((tongue, name) for tongue in TONGUES for name in names):
                if name not in findings[tongue]:
                    raise refused("rules.toml", f"rule {rule.id}", field, f"{name} is no finding of {tongue}.toml")
        for tongue in TONGUES:
            if rule.id not in texts[tongue]:
                raise refused(f"{tongue}.toml", f"texts of rule {rule.id}", "match", "is missing")
    for tongue in TONGUES:
        for name in texts[tongue].keys() - ids:
            raise refused(f"{tongue}.toml", f"texts of rule {name}", "texts", "belongs to no rule of rules.toml")


def _findings_by_field(rule: Rule) -> list[tuple[str, tuple[str, ...]]]:
    pregnant = ("pregnant",) if rule.pregnant else ()
    any_of = tuple(name for group in rule.any for name in group)
    return [("all", rule.all), ("any", any_of), ("not", rule.not_), ("pregnant", pregnant)]


def _spelling(table: Mapping[str, Any]) -> dict[str, str]:
    """Variant -> usual form, from tables that list the variants behind the usual form."""
    file = "spelling.toml"
    _only(table, set(TONGUES), file)
    found: dict[str, str] = {}
    for tongue in TONGUES:
        for usual, variants in _tables(table, tongue, file).items():
            try:
                listed = _WORDS.validate_python(variants, strict=True)
            except ValidationError:
                raise refused(file, tongue, usual, "must be a list of words") from None
            for variant in listed:
                if found.setdefault(variant, usual) != usual:
                    raise refused(file, tongue, usual, f"“{variant}” already stands for “{found[variant]}”")
    return found


def _tables(table: Mapping[str, Any], key: str, file: str) -> Mapping[str, Any]:
    found = table.get(key, {})
    if not isinstance(found, dict):
        raise refused(file, "file", key, "must be a table")
    return found


def _only(table: Mapping[str, Any], known: set[str], file: str) -> None:
    for key in table.keys() - known:
        raise refused(file, "file", key, f"is unknown; known: {', '.join(sorted(known))}")


def _named(name: str, file: str, where: str) -> None:
    try:
        _NAME.validate_python(name)
    except ValidationError:
        raise refused(file, where, "name", "must be lower-case letters, digits and _") from None


def _checked(kind: type[Entry], entry: object, file: str, where: str) -> Entry:
    try:
        return kind.model_validate(entry)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"])) or "all"
        raise refused(file, where, field, _sentence(first["type"], first["msg"])) from None


def _sentence(kind: str, message: str) -> str:
    known = {"missing": "is missing", "extra_forbidden": "is unknown"}
    return known.get(kind, message.removeprefix("Value error, "))


def refused(file: str, where: str, field: str, why: str) -> SettingsError:
    """The error that names a file, an entry of it and a field."""
    return SettingsError(f"Red flags: {file}, {where}, field {field}: {why}.")
