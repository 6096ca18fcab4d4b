"""Names a note in the records, so that the same note can be recognised and its text can't be guessed."""

from hashlib import blake2b
from pathlib import Path

from core.embedding.cache import installation_secret, kept_secret

PERSON = b"triage-note"  # keeps these hashes apart from the cache's, which have the same key
_known: dict[Path, blake2b] = {}


def note_hash(text: str, data_dir: Path) -> str:
    """The keyed BLAKE2b hash of a note's text, 64 hexadecimal digits.

    Args:
        text: the note, as written.
        data_dir: where the installation keeps its secret; another installation gets another hash.
    """
    state = _keyed(data_dir).copy()
    state.update(text.encode("utf-8", "surrogatepass"))
    return state.hexdigest()


def _keyed(data_dir: Path) -> blake2b:
    """A hash with the installation's key, to which a text is added; a key that is kept is read once in a process."""
    if data_dir in _known:
        return _known[data_dir]
    kept = kept_secret(data_dir)
    found = blake2b(key=kept or installation_secret(data_dir), digest_size=32, person=PERSON)
    if kept:
        _known[data_dir] = found
    return found
