"""The second sheet of a classified workbook: counts in both languages, since nobody knows who will open the file."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from core.bulk.summary import NO_LEVEL, Summary
from core.model.scheme import LEVELS
from core.wording import Wording

if TYPE_CHECKING:
    from xlsxwriter import Workbook

ENGLISH, CHINESE = Wording("en"), Wording("zh")
Row = tuple[object, ...]
NONE = ("not answered", "无结果")


def write_summary(book: "Workbook", summary: Summary) -> None:
    """Add the sheet `summary` to a workbook."""
    sheet = book.add_worksheet("summary")
    bold = book.add_format({"bold": True, "bg_color": "#DDE7EC", "bottom": 1})
    share = book.add_format({"num_format": "0.0%"})
    for row, cells in enumerate(_rows(summary)):
        heading = len(cells) > 2 and isinstance(cells[2], str)
        for place, cell in enumerate(cells):
            if isinstance(cell, str):
                sheet.write_string(row, place, cell, bold if heading else None)
            elif isinstance(cell, float):
                sheet.write_number(row, place, cell, share)
            elif isinstance(cell, int):
                sheet.write_number(row, place, cell)
    sheet.set_column(0, 1, 30)
    sheet.set_column(2, 9, 14)


def _rows(summary: Summary) -> Iterator[Row]:
    rows = summary.rows
    yield ("Rows", "行", "rows 行数", "share 占比")
    yield ("All", "全部", rows, _share(rows, rows))
    yield ("Classified", "已分类", summary.answered, _share(summary.answered, rows))
    yield ("A person must decide", "需人工判断", summary.review, _share(summary.review, rows))
    yield ("Errors", "错误", summary.errors, _share(summary.errors, rows))
    yield from _kinds("acuity", summary.by_level, summary.review_by_level)
    yield from _kinds("department", summary.departments, summary.review_by_department)
    yield from _kinds("condition", summary.conditions, {})
    yield ()
    levels = [str(level) for level in LEVELS]
    yield ("Department by acuity", "科室与紧急程度", *levels)
    for department, counts in summary.levels.items():
        yield (*_names("department", department), *(counts.get(level, 0) for level in levels))
    yield ()
    yield ("Why a person must decide", "需人工判断的原因", "rows 行数", "share 占比")
    for reason, count in summary.reasons.items():
        yield (ENGLISH.reason(reason), CHINESE.reason(reason), count, _share(count, rows))


def _kinds(task: str, counts: Mapping[str, int], review: Mapping[str, int]) -> Iterator[Row]:
    """A heading, then rows, share and rows for review of each label; nothing where the task has no answers."""
    if not set(counts) - {NO_LEVEL}:
        return
    total = sum(counts.values())
    yield ()
    more = ("for review 需人工判断", "share 占比") if review else ()
    yield (ENGLISH.task(task), CHINESE.task(task), "rows 行数", "share 占比", *more)
    for label, count in counts.items():
        asked = (review.get(label, 0), _share(review.get(label, 0), count)) if review else ()
        yield (*_names(task, label), count, _share(count, total), *asked)


def _names(task: str, label: str) -> tuple[str, str]:
    return (ENGLISH.label(task, label), CHINESE.label(task, label)) if label else NONE


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
