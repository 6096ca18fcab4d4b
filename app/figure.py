"""A figure as pages show it: in the page's ink, without a tool bar, with its numbers beside it."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.charts.style import inked
from app.text import Voice

PLAIN_CHART = {"displayModeBar": False, "responsive": True}


def is_dark() -> bool:
    """Whether the reader's page has a dark ground."""
    return st.context.theme.type == "dark"


def draw(figure: go.Figure, alt: str, key: str) -> None:
    """The figure alone."""
    st.plotly_chart(inked(figure, is_dark=is_dark()), config=PLAIN_CHART, alt=alt, key=f"figure_{key}")


def show_figure(figure: go.Figure, table: pd.DataFrame, alt: str, key: str, say: Voice) -> None:
    """The figure, and the same as a table, folded."""
    draw(figure, alt, key)
    with st.expander(say("As a table"), icon=":material/table_rows:", key=f"folded_{key}"):
        st.dataframe(table, hide_index=True, alt=alt, key=f"table_{key}")
