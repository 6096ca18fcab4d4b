"""Classified rows as the Spreadsheet page shows them: names in the reader's language, the note beside its answers."""

from typing import Any

import pandas as pd
import streamlit as st

from app.sentences import said_of_row
from app.text import Voice
from core.bulk.answers import SEPARATOR, STANDARD_TASKS
from core.bulk.csv_writer import harmless
from core.bulk.masked import masked_cells
from core.bulk.results import FoundRows

LONGEST_NOTE = 400  # characters in a cell; the download has all of it


def rows_table(rows: FoundRows, text: str, say: Voice, *, is_hidden: bool = False) -> pd.DataFrame:
    """The rows for reading: number, note, answers, red flags, why a person must decide, then columns of the table.

    With `is_hidden`, identifiers in the table's own cells are masked.
    """
    answers = rows.answers
    given = {
        str(name): masked_cells(name, list(rows.given[name]), is_text=name == text)
        if is_hidden
        else list(rows.given[name])
        for name in rows.given.columns
    }
    shown: dict[str, object] = {say("Row"): rows.numbers, say("Note text"): [_note(cell) for cell in given[text]]}
    for task in [name.removesuffix("_probability") for name in answers.columns if name.endswith("_probability")]:
        if answers[task].notna().any():
            shown[say.wording.task(task)] = [_label(task, cell, say) for cell in answers[task]]
            shown[f"{say.wording.task(task)} %"] = (answers[f"{task}_probability"] * 100).clip(
                1, 99
            )  # nothing is certain
    if answers["red_flags"].fillna("").astype(bool).any():
        shown[say("Red flags")] = [_flags(cell, say) for cell in answers["red_flags"].fillna("")]
    shown[say("A person must decide")] = answers["needs_review"].astype(bool)
    shown[say("Why")] = [
        said_of_row(str(error), say) if error else _reasons(str(reasons), say)
        for error, reasons in zip(answers["error"].fillna(""), answers["reasons"].fillna(""), strict=True)
    ]
    for name, of_table in given.items():
        if name != text:
            cells = [harmless(cell) if isinstance(cell, str) else cell for cell in of_table]
            shown[name if name not in shown else f"{name} "] = cells
    return pd.DataFrame(shown)


def show_rows_table(table: pd.DataFrame, say: Voice, *, key: str) -> None:
    """The table of `rows_table`, scrolling inside."""
    config: dict[str, Any] = {
        say("Row"): st.column_config.NumberColumn(width=60, pinned=True, format="%d"),
        say("Note text"): st.column_config.TextColumn(width=320),
        say("Red flags"): st.column_config.TextColumn(width="medium"),
        say("Why"): st.column_config.TextColumn(width="large"),
    }
    shares = {f"{say.wording.task(task)} %" for task in STANDARD_TASKS}
    for name in table.columns:
        if name in shares:
            config[name] = st.column_config.NumberColumn(
                format="%.0f%%", width=105, help=say("How probable the answer is")
            )
    st.dataframe(
        table,
        hide_index=True,
        column_config=config,
        height=min(560, 38 + 35 * max(len(table), 1)),
        placeholder="–",
        alt=say("Rows with their answers"),
        key=key,
    )


def _label(task: str, cell: object, say: Voice) -> str:
    if cell is None or cell != cell:
        return ""
    return say.wording.label(task, str(int(cell)) if isinstance(cell, float | int) else str(cell))


def _flags(flags: str, say: Voice) -> str:
    return SEPARATOR.join(say.wording.red_flag(flag) for flag in flags.split(SEPARATOR) if flag)


def _reasons(reasons: str, say: Voice) -> str:
    return SEPARATOR.join(say.wording.reason(reason) for reason in reasons.split(SEPARATOR) if reason)


def _note(cell: object) -> str:
    # Streamlit's own button above a table downloads what is shown, so that must be no formula either.
    text = "" if cell is None or cell != cell else harmless(str(cell))
    return text if len(text) <= LONGEST_NOTE else text[: LONGEST_NOTE - 1] + "…"
