"""How a person who signs in is called in records, and as the owner of tables."""

from collections.abc import Mapping
from hashlib import sha256

LONGEST = 200  # characters; what the records have room for
LONGEST_NAME = 60
# Ids that mean somebody else: whoever sits here without signing in, the desk itself, programs with a key.
_TAKEN = ("local", "desk")
_TAKEN_BEFORE = ("api:", "key:", "sub:")


def person_id(claims: Mapping[str, object]) -> str | None:
    """The provider's id of a person (`sub`), as the records keep it; none where the provider gives none.

    An id that is too long for the records, or that means somebody else there, becomes its hash.
    """
    sub = claims.get("sub")
    if not isinstance(sub, str) or not sub.strip():
        return None
    if len(sub) > LONGEST or not sub.isprintable() or sub in _TAKEN or sub.startswith(_TAKEN_BEFORE):
        return f"sub:{sha256(sub.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return sub


def displayed_name(claims: Mapping[str, object], id_: str) -> str:
    """What a person is called on screen: a claim that is a text, else the id; cut where it is long."""
    for claim in ("name", "preferred_username", "email"):
        found = claims.get(claim)
        if isinstance(found, str) and found.strip():
            return _cut("".join(sign for sign in found.strip() if sign.isprintable()))
    return _cut(id_)


def _cut(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
