"""A figure as the Spreadsheet page shows it, with its numbers beside it."""

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from app.charts.spreadsheet import inked
from app.text import Voice

PLAIN_CHART = {"displayModeBar": False, "responsive": True}


def show_figure(figure: go.Figure, table: pd.DataFrame, alt: str, key: str, say: Voice) -> None:
    """A figure, and the same as a table, folded."""
    drawn = inked(figure, is_dark=st.context.theme.type == "dark")
    st.plotly_chart(drawn, config=PLAIN_CHART, alt=alt, key=f"figure_{key}")
    with st.expander(say("As a table"), icon=":material/table_rows:", key=f"folded_{key}"):
        st.dataframe(table, hide_index=True, alt=alt, key=f"table_{key}")
