"""The licences of what the desk installs, as a table: `make licences` writes `docs/licences.md`."""

import json
import re
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "docs" / "licences.md"
LOCKS = (REPOSITORY / "requirements" / "desk.txt",)
ALSO = ("psycopg", "psycopg-binary")  # of the extra `postgres`, which the image has
# Each lets a hospital run, change and pass on the desk. The LGPL and the MPL ask for the source of changes to the
# library itself; the desk makes none. Anything else must be looked at by a person before it comes in here.
ALLOWED = {
    "0BSD", "3-Clause BSD License", "Apache License 2.0", "Apache Software License", "Apache-2.0", "BSD License",
    "BSD-2-Clause", "BSD-3-Clause", "CC0-1.0", "GNU Lesser General Public License v2 or later (LGPLv2+)",
    "LGPL-3.0-only", "MIT", "MIT License", "MIT-0", "MIT-CMU", "MPL-2.0", "Mozilla Public License 2.0 (MPL 2.0)",
    "PSF-2.0", "Public-Domain", "Python Software Foundation License", "Zlib",
}  # fmt: skip
HEAD = """# Licences

Of every package that the desk installs on Linux (`requirements/desk.txt`, and the driver of PostgreSQL), as each
package states it. Written by `make licences`; a test says when it is not up to date, and when a licence is none of
those that [deploy/licences.py](../deploy/licences.py) allows. The desk itself is under the
[Apache License 2.0](../LICENSE).

| Package | Version | Licence |
|---|---|---|
"""


def rows() -> list[tuple[str, str, str]]:
    """Name, version and licence of each package that is locked and installed."""
    locked = [
        name for lock in LOCKS for name in re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock.read_text(), re.MULTILINE)
    ]
    tool = Path(sys.executable).with_name("pip-licenses")
    command = [tool, "--format=json", "--from=mixed", "--with-system", "--packages", *locked, *ALSO]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)  # noqa: S603
    listed = [(each["Name"], each["Version"], each["License"]) for each in found]
    return sorted(listed, key=lambda row: row[0].lower())


def refused(licence: str) -> list[str]:
    """The parts of what a package states that are no allowed licence."""
    return [part for part in _SEVERAL.split(licence) if part not in ALLOWED]


_SEVERAL = re.compile(r"\s+(?:AND|OR|and|or)\s+(?!later)|\s*;\s*")


def page(found: list[tuple[str, str, str]]) -> str:
    """The page."""
    return HEAD + "".join(f"| {name} | {version} | {licence} |\n" for name, version, licence in found)


if __name__ == "__main__":
    PAGE.write_text(page(rows()), encoding="utf-8")
