"""Import time of `core` against streamlit's."""

import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench.rates import timed
from tests.bench.servers import ROOT

STATEMENTS = {
    "python": "pass",
    "core": "import core",
    "core.triage": "import core.triage",
    "triage --help": "import core.cli",
    "streamlit": "import streamlit",
}


def imports(folder: Path, scale: float) -> dict[str, Any]:
    """Median seconds of fresh interpreters, interleaved; Python's own start is taken off."""
    found: dict[str, list[float]] = {name: [] for name in STATEMENTS}
    for _ in range(max(3, int(7 * scale))):
        for name, statement in STATEMENTS.items():
            command = [sys.executable, "-c", statement]
            found[name].append(timed(lambda command=command: subprocess.run(command, cwd=ROOT, check=True)))
    seconds = {name: median(times) for name, times in found.items()}
    own = seconds.pop("python")
    return {
        "bench": "import_core_vs_streamlit",
        "ratio": round((seconds["core"] - own) / (seconds["streamlit"] - own), 3),
        "ratio_core_triage": round((seconds["core.triage"] - own) / (seconds["streamlit"] - own), 3),
        "wanted": "< 0.5",
        "seconds": {name: round(value - own, 3) for name, value in seconds.items()},
    }
