"""Triage of notes without a screen: `with TriageDesk.open() as desk: desk.assess("…")`.

`TriageDesk`, `Note` and `load_settings` can be imported from here; they are loaded when first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.notes import Note
    from core.settings import load_settings
    from core.triage import TriageDesk

__all__ = ["Note", "TriageDesk", "load_settings"]

_HOMES = {"Note": "core.notes", "TriageDesk": "core.triage", "load_settings": "core.settings"}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module attribute can be anything
    """The name from the module that it lives in, imported only now."""
    if name not in _HOMES:
        raise AttributeError(f"module 'core' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
