"""The secret that signs cookies: the site's, else one that is made once and kept in the data folder."""

import os
import secrets
from pathlib import Path

from core.errors import AccessError

FILE = "cookie-signing-secret"
CANNOT_KEEP = (
    "The secret of the sign-in cookies can't be kept in TRIAGE_DATA_DIR. Make that folder writable, or set "
    "TRIAGE_COOKIE_SECRET."
)


def kept_cookie_secret(data_dir: Path) -> str:
    """The secret in the data folder (file mode 0600), made at the first call; processes that start at once share it.

    Raises:
        AccessError: it can't be kept, so everybody would be signed out at each start.
    """
    path = data_dir / FILE
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            _make(path)
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        raise AccessError(CANNOT_KEEP) from None
    if len(secret) < 32:
        raise AccessError(CANNOT_KEEP)
    return secret


def _make(path: Path) -> None:
    """Write the file whole, then give it its name; whoever is second keeps the first one's."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(draft, path)
        except FileExistsError:
            return
    finally:
        draft.unlink()
