"""The rules as a page of tables, written from their files: `python -m core.safety.table`, or `make red-flags`."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import get_args

from core.safety.red_flags import RULES
from core.safety.rule_files import TONGUES, RuleBook, read_rules
from core.safety.rules import Area, Rule

TABLE = RULES / "RULES.md"
HEADER = """# Red flags

Written by `make red-flags` from `rules.toml`, `en.toml` and `zh.toml`.

A rule applies when the note holds what stands under “when”, not denied, past, resolved, hypothetical or somebody
else's. The level is a floor: it raises urgency and never lowers it. Every text below is run by the tests.

To add a rule, write it into `rules.toml`, how people say its findings into `en.toml` and `zh.toml`, and at least three
texts that it must match and three that it must not into both. No code is needed. `python -m pytest
tests/core/safety/test_rule_texts.py -k RULE_ID` runs its texts; a file that can't be used is refused with its line.
"""


def rules_page(book: RuleBook) -> str:
    """The page in Markdown: each area's rules, then each rule's texts."""
    rules = sorted(book.rules, key=lambda rule: get_args(Area).index(rule.area))
    parts = [HEADER, f"## {len(rules)} rules\n"]
    parts += _table(("Area", "Rule", "Level", "When", "Source"), [_rule_cells(rule) for rule in rules])
    for rule in rules:
        parts += [f"\n## {rule.id}\n", f"{rule.en} · {rule.zh}\n"]
        parts += _table(("Language", "Must match", "Must not match"), list(_text_cells(rule, book)))
    return "\n".join(parts) + "\n"


def _rule_cells(rule: Rule) -> tuple[str, ...]:
    names = f"[{rule.id}](#{rule.id})<br>{_plain(rule.en)}<br>{_plain(rule.zh)}"
    return rule.area, names, str(rule.acuity), _when(rule), _plain(f"{rule.source}, {rule.section}")


def _when(rule: Rule) -> str:
    """What the rule asks for, in words."""
    parts = [" or ".join(group) for group in rule.groups]
    said = " **and** ".join(f"({part})" if " or " in part and len(parts) > 1 else part for part in parts)
    if rule.not_:
        said += f", without {' or '.join(rule.not_)}"
    if rule.within == "sentence":
        said += ", in one sentence"
    if rule.age:
        oldest = "" if rule.age.below >= 200 else f" below {rule.age.below:g}"
        youngest = f" from {rule.age.from_:g}" if rule.age.from_ else ""
        said += f"; age{youngest}{oldest} years{' (must be known)' if rule.needs_age else ''}"
    return said + (f"; {rule.sex}" if rule.sex else "")


def _text_cells(rule: Rule, book: RuleBook) -> Iterator[tuple[str, ...]]:
    for tongue in TONGUES:
        texts = book.texts[tongue][rule.id]
        yield tongue, "<br>".join(map(_plain, texts.match)), "<br>".join(map(_plain, texts.no_match))


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [header, ["---"] * len(header), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]


def _plain(text: str) -> str:
    """The text as Markdown shows it, on one line."""
    for mark in "\\`*_[]<>|":
        text = text.replace(mark, f"\\{mark}")
    return " ".join(text.split())


def main(path: Path = TABLE) -> None:
    """Write the page."""
    path.write_text(rules_page(read_rules(RULES)), encoding="utf-8")


if __name__ == "__main__":
    main()
