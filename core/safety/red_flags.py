"""The red flags of notes: rules met by what the text says, with the words that met them."""

import gc
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Self

from core.notes import Note, RedFlagHit
from core.safety.normalise import Normaliser
from core.safety.reading import Reading
from core.safety.rule_files import RuleBook, read_rules
from core.safety.rule_words import RuleWords
from core.safety.rules import Rule, RuleIndex
from core.settings import REPOSITORY

RULES = REPOSITORY / "models" / "red_flags"


class RedFlags:
    """Finds the rules that notes meet. It keeps nothing of a note; threads may share it.

    Example::

        RedFlags.load().find("crushing chest pain, sweating")

    Args:
        book: the rules, as `core.safety.rule_files.read_rules` gives them.

    Attributes:
        rules: every rule by its id.

    Raises:
        SettingsError: a term of a rule can't be used.
    """

    def __init__(self, book: RuleBook) -> None:
        self.rules: Mapping[str, Rule] = {rule.id: rule for rule in book.rules}
        self._index = RuleIndex(book.rules)
        self._normaliser = Normaliser(book.spelling)
        self._words = RuleWords(book, self._normaliser)

    @classmethod
    def load(cls, folder: Path = RULES) -> Self:
        """The rules of a folder.

        Raises:
            SettingsError: a rule can't be used; the message names file, rule and field.
        """
        with _without_collecting():
            return cls(read_rules(folder))

    def find(self, note: Note | str) -> tuple[RedFlagHit, ...]:
        """The rules that the note meets, the most urgent first; evidence is in code points of the note as written."""
        note = Note(note) if isinstance(note, str) else note
        reading = Reading(note, self._normaliser.normalise(note.text), self._words)
        possible = self._index.possible(reading.found.findings)
        hits = [hit for rule in possible if (hit := reading.hit(rule)) is not None]
        return tuple(sorted(hits, key=lambda hit: hit.acuity))

    def find_many(self, notes: Iterable[Note | str]) -> list[tuple[RedFlagHit, ...]]:
        """As `find`, for each note."""
        return [self.find(note) for note in notes]


@contextmanager
def _without_collecting() -> Iterator[None]:
    """No garbage is collected meanwhile: among so many new small objects, which all stay, it would take a third."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@cache
def red_flags(folder: Path = RULES) -> RedFlags:
    """The rules of a folder, read once for the whole process.

    Raises:
        SettingsError: as `RedFlags.load`.
    """
    return RedFlags.load(folder)
