"""Each row of the threat model names tests, and they are there."""

import re

import pytest

from core.settings import REPOSITORY

ROWS = re.findall(r"^\| ([STRIDE]) \| (.+?) \| (.+?) \| (.+?) \|$",
                  (REPOSITORY / "SECURITY.md").read_text(encoding="utf-8"), re.MULTILINE)  # fmt: skip


def named(cell: str) -> list[tuple[str, str]]:
    """File and function of each test; `::name` is of the file before."""
    found, file = [], ""
    for given, name in re.findall(r"`([\w/.]*)::(\w+)`", cell):
        file = given or file
        found.append((file, name))
    return found


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[1][:50])
def test_each_control_has_a_test_that_is_there(row: tuple[str, str, str, str]) -> None:
    tests = named(row[3])
    assert tests
    for file, name in tests:
        text = (REPOSITORY / file).read_text(encoding="utf-8")
        assert re.search(rf"^(async )?def {name}\(", text, re.MULTILINE), f"{file}::{name}"


def test_every_letter_of_stride_is_there() -> None:
    assert {row[0] for row in ROWS} == set("STRIDE")
    assert len({row[1] for row in ROWS}) == len(ROWS) > 20
