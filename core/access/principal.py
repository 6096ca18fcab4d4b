"""Who asks, whichever way they proved it: by a key today, by signing in later."""

from dataclasses import dataclass
from typing import Literal, get_args

Scope = Literal["assess", "jobs", "metrics", "fhir"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody, or a program, that was recognised.

    Attributes:
        name: the person's id, or the key's name; it stands in the records.
        roles: what a person is here; a key has none.
        scopes: what may be asked for.
    """

    name: str
    roles: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()

    def may(self, scope: Scope) -> bool:
        """Whether this scope is among those given."""
        return scope in self.scopes


# Who asks on the desk's own machine while no key was ever made: a developer's first try.
LOCAL = Principal("local", scopes=frozenset(SCOPES))
