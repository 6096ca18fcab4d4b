"""What the map remembers for one reader's session; nothing of it is shared or written."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import streamlit as st

from core.embedding.client import Embeddings
from core.embedding.space import Vectors
from core.explore.upload import UploadedNotes, UploadedRows
from core.notes import ModelIdentity

UPLOAD, PASTED, SELECTED = "map_upload", "map_pasted", "map_selected"


@dataclass(slots=True)
class Upload:
    """A table on its way to the map.

    Attributes:
        number: which upload of this session it is.
        name: of the file.
        model: whose vectors they are.
        rows: as read.
        parts: vectors of the first rows, part by part.
        running: whether the next part is to be embedded.
        ready: the notes, once all rows are embedded or the reader wants no more.
    """

    number: int
    name: str
    model: ModelIdentity
    rows: UploadedRows
    parts: list[Embeddings] = field(default_factory=list)
    running: bool = True
    ready: UploadedNotes | None = None

    @property
    def done(self) -> int:
        """Rows that are embedded."""
        return sum(len(part.vectors) for part in self.parts)


@dataclass(frozen=True, slots=True)
class PastedNote:
    """A note that was pasted: which one of the session it is, whose vector it has, and the vector."""

    number: int
    model: ModelIdentity
    vector: Vectors


@dataclass(frozen=True, slots=True)
class Selected:
    """Selected notes: of which set, their ids, and what the chart said last."""

    notes: str
    ids: frozenset[int] = frozenset()
    chart: str = ""
    said: frozenset[int] = frozenset()


def upload() -> Upload | None:
    """The table of this session, if there is one."""
    found: Upload | None = st.session_state.get(UPLOAD)
    return found


def pasted() -> PastedNote | None:
    """The note pasted last, if any."""
    found: PastedNote | None = st.session_state.get(PASTED)
    return found


def selected_ids(event: Mapping[str, Any] | None, chart: str, notes: str) -> frozenset[int]:
    """The ids that are selected now.

    A chart forgets its selection whenever its figure changes, as with another colour. So the ids are kept for as long
    as the same notes are shown, until others are selected or the chart that gave them says that none is.

    Args:
        event: what the chart gives, none where it can't be selected in.
        chart: names the figure.
        notes: names the set of notes.
    """
    before: Selected = st.session_state.get(SELECTED) or Selected(notes)
    if before.notes != notes:
        before = Selected(notes)
    points = event["selection"]["points"] if event else ()
    said = frozenset(int(each) for point in points if (each := _id(point)) is not None)
    cleared = before.chart == chart and before.said and not said
    kept = Selected(notes, frozenset() if cleared else said or before.ids, chart, said)
    st.session_state[SELECTED] = kept
    return kept.ids


def _id(point: Mapping[str, Any]) -> int | None:
    """The id that a point carries; Plotly gives it alone or in a list."""
    carried = point.get("customdata")
    return carried[0] if isinstance(carried, list) and carried else carried or None


def clear_selection() -> None:
    """Select nothing, and let the chart start anew."""
    st.session_state[SELECTED] = None
    st.session_state["map_round"] = st.session_state.get("map_round", 0) + 1
