"""What the tests of the pages share."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st

from core.model.bundle import Bundle


@pytest.fixture
def small_desk(
    fresh_installation: Path, small_bundle: tuple[Path, Bundle], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A fresh installation whose desk answers with the small bundle; gives its data folder."""
    monkeypatch.setenv("TRIAGE_MODEL", str(small_bundle[0]))
    monkeypatch.setenv("TRIAGE_EMBEDDING_TIMEOUT", "60")
    yield fresh_installation / "data"
    st.cache_resource.clear()
