"""The words that take a finding out of the here and now: no, family, past, if, resolved; read from `scopes.toml`.

After NegEx (Chapman et al. 2001) and ConText (Harkema et al. 2009): a cue reaches forward or back from where it
stands, up to a word that ends it; pseudo-cues look like cues and are none.
"""

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from core.safety.terms import Tongue

Kind = Literal["negation", "family", "past", "hypothetical", "resolution"]
Words = tuple[str, ...]


class CueEntry(BaseModel):
    """One group of cues in the file.

    Attributes:
        kind: what it says of a finding.
        language: whose words they are.
        side: where the cue stands: before the finding, after it, or either.
        reach: how far: to the end of the clause, of the sentence, or (`previous`) into the clause before its own.
        limit: words (English) or characters (Chinese) between cue and finding at most; none: no limit of its own.
        items: whether it goes on through commas: never, in a list that `or` closes, or in any list of short items.
        needs: words one of which the same sentence must hold, behind the cue, and not with something new between
            them and the finding.
        unless: words none of which the same sentence may hold.
        words: the cues, written as the words of findings are.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind
    language: Tongue
    side: Literal["before", "after", "both"]
    reach: Literal["clause", "sentence", "previous"] = "clause"
    limit: int | None = Field(default=None, ge=0)
    items: Literal["none", "closed", "any"] = "none"
    needs: Words = ()
    unless: Words = ()
    words: Words = Field(min_length=1)


class ScopeFile(BaseModel):
    """The file as it is written.

    Attributes:
        cues: groups of cues.
        pseudo: by language, words that look like cues and are none.
        breakers: by language, words that end the reach of every cue.
        openers: by language, words that open something new: they end every reach but that of a whole sentence.
        subjects: by language, words that begin a clause of their own: they end a negation's reach.
        list_ends: by language, words that no item of a mere list holds.
        closers: by language, words that close a list (`or`).
        abbreviations: words whose point ends no sentence.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    cues: tuple[CueEntry, ...]
    pseudo: Mapping[Tongue, Words]
    breakers: Mapping[Tongue, Words]
    openers: Mapping[Tongue, Words]
    subjects: Mapping[Tongue, Words]
    list_ends: Mapping[Tongue, Words]
    closers: Mapping[Tongue, Words]
    abbreviations: Words = ()


CueAt = tuple[int, int, int]  # where a cue stands in a text (end exclusive), and the number of its group
