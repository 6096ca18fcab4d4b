"""Figures: pure functions from core's data to plotly, one module a page, axes labelled; a table stands beside each."""
