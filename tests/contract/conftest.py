"""What the tests of real servers share."""

from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture(scope="session")
def few_notes(small_table: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fifth of the small table, since SGLang on a processor embeds some twenty notes a second."""
    path = tmp_path_factory.mktemp("tables") / "few.csv"
    pd.read_csv(small_table)[::5].to_csv(path, index=False)
    return path
