"""Asks pip-audit for known weaknesses of what the desk installs, where its data can be had; ends with 1 if there are.

Without a way to that data one line says that nothing was checked, and all is well: `make lint` works without a network.
"""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

LOCK = Path(__file__).resolve().parent.parent / "requirements" / "desk.txt"
SECONDS = 90
NOT_CHECKED = "pip-audit: its data can't be had from here, so known weaknesses were not looked for."


def main(lock: Path = LOCK) -> int:
    """Look, and say what was found."""
    text = lock.read_text(encoding="utf-8")
    first = text[: text.index("==", text.index("==") + 2)].rpartition("\n")[0]
    if not any("vulns" in package for package in audited(first)):  # spares the other questions where one has no answer
        say(NOT_CHECKED)
        return 0
    told = audited(text)
    weak = [package for package in told if package.get("vulns")]
    for package in weak:
        for one in package["vulns"]:
            repaired = ", ".join(one.get("fix_versions", ())) or "no version yet"
            say(f"{package['name']} {package['version']}: {one['id']}, repaired in {repaired}")
    if unknown := [package["name"] for package in told if "vulns" not in package]:
        say(f"pip-audit: nothing could be learnt of {', '.join(unknown)}.")
    say(f"pip-audit: {len(told) - len(unknown)} packages looked up, {len(weak)} with known weaknesses.")
    return 1 if weak else 0


def audited(requirements: str, seconds: float = SECONDS) -> list[dict[str, Any]]:
    """What pip-audit says of each package; nothing where it could not ask. One that it found nowhere has no `vulns`."""
    with NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write(requirements)
        file.flush()
        command = [
            Path(sys.executable).with_name("pip-audit"), "--requirement", file.name,
            "--disable-pip", "--require-hashes", "--format", "json", "--progress-spinner", "off", "--timeout", "5",
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)  # noqa: S603
            found: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
        except (subprocess.TimeoutExpired, ValueError, KeyError, TypeError):
            return []
    return found


def say(line: str) -> None:
    """One line of the answer."""
    sys.stdout.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
