"""The secret that signs cookies: the site's, else one that is made once and kept in the data folder."""

import secrets
from pathlib import Path

from core.errors import AccessError
from core.files import put_once

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
            put_once(path, secrets.token_hex(32).encode())
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        raise AccessError(CANNOT_KEEP) from None
    if len(secret) < 32:
        raise AccessError(CANNOT_KEEP)
    return secret
