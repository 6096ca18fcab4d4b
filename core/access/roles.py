"""What a person is here, and which pages that opens: one table, and one pure mapping from what the provider claims.

Deny by default: a claim that is missing, of the wrong type or unknown gives no role, and no role opens no page.
"""

from collections.abc import Mapping
from typing import Literal, get_args

Role = Literal["nurse", "lead", "researcher", "administrator"]
ROLES: tuple[Role, ...] = get_args(Role)
Room = Literal["triage", "spreadsheet", "map", "quality", "activity", "administration"]
ROOMS: tuple[Room, ...] = get_args(Room)
OPEN_TO: Mapping[Role, tuple[Room, ...]] = {
    "nurse": ("triage", "quality"),
    "lead": ("triage", "spreadsheet", "quality", "activity"),
    "researcher": ("spreadsheet", "map", "quality"),
    "administrator": ("quality", "activity", "administration"),
}
EVERYTHING: frozenset[Role] = frozenset(ROLES)
OWN_NAMES: Mapping[str, Role] = {role: role for role in ROLES}
EXPECTED = f"expected NAME=ROLE with commas (or semicolons) between, where ROLE is one of {', '.join(ROLES)}"


def roles_of(claims: Mapping[str, object], claim: str, names: Mapping[str, Role]) -> frozenset[Role]:
    """The roles that a person's claims give.

    Args:
        claims: what the provider says of the person.
        claim: the name of the claim that holds names of roles; `realm_access.roles` is looked for within the claim
            `realm_access`, too.
        names: the site's names for our roles.
    """
    return frozenset(names[name] for name in names_in(claims, claim) if name in names)


def names_in(claims: Mapping[str, object], claim: str) -> tuple[str, ...]:
    """The names of roles in a claim: a text, or the texts of a list; of anything else none."""
    found = _value(claims, claim)
    if isinstance(found, str):
        return (found,)
    if not isinstance(found, list | tuple | set | frozenset):
        return ()
    return tuple(name for name in found if isinstance(name, str))


def rooms_of(roles: frozenset[Role]) -> tuple[Room, ...]:
    """The pages that these roles open, in the order of the navigation."""
    return tuple(room for room in ROOMS if any(room in OPEN_TO[role] for role in roles))


def read_names(text: str | None) -> Mapping[str, Role]:
    """A site's names for our roles, from `triage-nurses=nurse,it=administrator`; none given: our own names.

    Semicolons part the entries where names hold commas, as those of directories do: `cn=it,ou=groups=administrator;`.

    Raises:
        ValueError: an entry has no name, or names no role.
    """
    if not (text or "").strip():
        return OWN_NAMES
    found: dict[str, Role] = {}
    for entry in (text or "").split(";" if ";" in (text or "") else ","):
        if not entry.strip():
            continue
        name, _, given = (part.strip() for part in entry.rpartition("="))
        role = next((role for role in ROLES if role == given), None)
        if not name or role is None:
            raise ValueError(EXPECTED)
        found[name] = role
    return found


def _value(claims: Mapping[str, object], claim: str) -> object:
    """A claim by its name, else along its dots."""
    if claim in claims:
        return claims[claim]
    found: object = claims
    for step in claim.split("."):
        if not isinstance(found, Mapping) or step not in found:
            return None
        found = found[step]
    return found
