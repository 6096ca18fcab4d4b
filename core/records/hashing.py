"""Names a note in the records, so that the same note can be recognised and its text can't be guessed."""

from hashlib import blake2b
from pathlib import Path

from core.embedding.cache import installation_secret

PERSON = b"triage-note"  # keeps these hashes apart from the cache's, which have the same key


def note_hash(text: str, data_dir: Path) -> str:
    """The keyed BLAKE2b hash of a note's text, 64 hexadecimal digits.

    Args:
        text: the note, as written.
        data_dir: where the installation keeps its secret; another installation gets another hash.
    """
    key = installation_secret(data_dir)
    return blake2b(text.encode("utf-8", "surrogatepass"), key=key, digest_size=32, person=PERSON).hexdigest()
