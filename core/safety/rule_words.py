"""The words of a rule book in one lexicon: findings, cues, breakers, pseudo-cues; and where a text has them."""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from core.safety.cues import CueAt, Kind
from core.safety.enumerations import Enumerations
from core.safety.lexicon import Lexicon, Terms
from core.safety.normalise import Normaliser
from core.safety.patterns import BadPattern, PatternSet
from core.safety.rule_files import TONGUES, FindingWords, RuleBook, refused
from core.safety.scopes import ScopeWords
from core.safety.terms import MOST_PLACES, Places, Span, Tongue, parse_terms

Entry = tuple[int, Sequence[str], tuple[str, str]]  # a target, its words, and the entry and field that hold them


class WordsFound:
    """What a normalised text holds, whatever its scope.

    Args:
        terms: where terms stand, by target.
        matches: where patterns match, by target.
        words: whose targets they are.
    """

    def __init__(self, terms: Terms, matches: Places, words: "RuleWords") -> None:
        self._terms, self._words = terms, words
        self._places: Places = dict(terms.alone)
        for places in (terms.chained, matches):
            for target, spans in places.items():
                self._places[target] = [*self._places.get(target, ()), *spans]

    @property
    def findings(self) -> set[str]:
        """Which findings are in the text."""
        return {self._words.names[target] for target in self._places if target < len(self._words.names)}

    def of(self, finding: str) -> list[tuple[Span, frozenset[Kind]]]:
        """Where a finding stands, in order, and which kinds of cues don't matter there; of very many the first."""
        ignored = self._words.ignored
        targets = [target for target in self._words.targets[finding] if target in self._places]
        return sorted(
            (span, ignored[target]) for target in targets for span in sorted(self._places[target])[: MOST_PLACES + 1]
        )

    @cached_property
    def cues(self) -> list[CueAt]:
        """Where cues stand, with the number of their group among `RuleWords.cues`."""
        first, last = len(self._words.names), self._words.breaker
        return [
            (start, end, target - first)
            for target, spans in self._places.items()
            if first <= target < last
            for start, end in spans
        ]

    @cached_property
    def breakers(self) -> list[Span]:
        """Where words stand that end the reach of every cue, in order."""
        return sorted(self._places.get(self._words.breaker, ()))

    @cached_property
    def openers(self) -> list[Span]:
        """Where words stand that open something new, in order."""
        return sorted(self._places.get(self._words.opener, ()))

    @cached_property
    def subjects(self) -> list[Span]:
        """Where words stand that begin a clause of their own, in order."""
        return sorted(self._places.get(self._words.subject, ()))

    @cached_property
    def covers(self) -> list[Span]:
        """Stretches of findings' own words, in order: a cue within them is none."""
        findings = len(self._words.names)
        return sorted(
            span
            for places in (self._terms.alone, self._terms.openings)
            for target, spans in places.items()
            if target < findings
            for span in spans
        )

    @cached_property
    def pseudo(self) -> list[Span]:
        """Where words stand that look like cues and are none, in order."""
        return sorted(self._places.get(self._words.pseudo, ()))


class RuleWords:
    """Finds the words of the rules; targets are findings by language first, then groups of cues, then the rest.

    Args:
        book: the rules.
        normaliser: brings the words into the form of the texts.

    Attributes:
        names: the finding of each target, one for each language that has words for it.
        ignored: for each of these, kinds of cues that don't matter.
        targets: by finding, its targets.
        cues: groups of cues; their targets follow those of the findings.
        breaker: the target of words that end the reach of every cue.
        opener: the target of words that open something new.
        subject: the target of words that begin a clause of their own.
        pseudo: the target of words that look like cues and are none.
        scopes: what scopes need beside these.

    Raises:
        SettingsError: a term can't be used; the message names file, entry and field.
    """

    def __init__(self, book: RuleBook, normaliser: Normaliser) -> None:
        wanted = {finding for rule in book.rules for finding in rule.findings}
        said = [
            (tongue, name, words)
            for tongue in TONGUES
            for name, words in book.findings[tongue].items()
            if name in wanted
        ]
        self._normaliser, self._lexicon = normaliser, Lexicon()
        self.names = [name for _, name, _ in said]
        self.ignored = [_ignored(words) for _, _, words in said]
        self.targets: dict[str, list[int]] = {}
        for target, name in enumerate(self.names):
            self.targets.setdefault(name, []).append(target)
        self.cues = book.scopes.cues
        self.breaker = len(said) + len(self.cues)
        self.opener, self.subject, self.pseudo = self.breaker + 1, self.breaker + 2, self.breaker + 3
        for tongue in TONGUES:
            entries = [
                (number, words.words, (f"finding {name}", "words"))
                for number, (spoken, name, words) in enumerate(said)
                if spoken == tongue
            ]
            self._add(tongue, entries, f"{tongue}.toml")
        self._patterns = self._pattern_set(said)
        self.scopes = self._scope_words(book)
        self._lexicon.ready()

    def find(self, text: str) -> WordsFound:
        """Where the words are in a normalised text."""
        return WordsFound(self._lexicon.find(text), self._patterns.find(text), self)

    def _scope_words(self, book: RuleBook) -> ScopeWords:
        scopes = book.scopes
        for number, entry in enumerate(self.cues, start=len(self.names)):
            self._add(entry.language, [(number, entry.words, (f"cues of {entry.kind}", "words"))], "scopes.toml")
        for tongue in TONGUES:
            breakers = (self.breaker, scopes.breakers.get(tongue, ()), ("breakers", tongue))
            openers = (self.opener, scopes.openers.get(tongue, ()), ("openers", tongue))
            subjects = (self.subject, scopes.subjects.get(tongue, ()), ("subjects", tongue))
            pseudo = (self.pseudo, scopes.pseudo.get(tongue, ()), ("pseudo", tongue))
            self._add(tongue, [breakers, openers, subjects, pseudo], "scopes.toml")
        return ScopeWords(
            self.cues,
            [(self._if_any(entry.needs), self._if_any(entry.unless)) for entry in self.cues],
            Enumerations(self._any_of(scopes.list_ends), self._any_of(scopes.closers)),
            frozenset(self._normaliser.words(scopes.abbreviations)),
        )

    def _add(self, tongue: Tongue, entries: Sequence[Entry], file: str) -> None:
        """Register the words of each entry."""
        written = [word for _, words, _ in entries for word in words]
        try:
            terms = iter(parse_terms(written, self._normaliser))
        except ValueError as error:
            wrong = str(error).partition("“")[2].partition("”")[0]
            where = next(where for _, words, where in entries if wrong in words)
            raise refused(file, *where, str(error)) from None
        for target, words, _ in entries:
            self._lexicon.add(target, tongue, [next(terms) for _ in words])

    def _pattern_set(self, said: Sequence[tuple[Tongue, str, FindingWords]]) -> PatternSet:
        patterns = [(target, pattern) for target, (_, _, words) in enumerate(said) for pattern in words.patterns]
        try:
            return PatternSet(patterns)
        except BadPattern as error:
            target, pattern = patterns[error.place]
            tongue, name, _ = said[target]
            raise refused(f"{tongue}.toml", f"finding {name}", "patterns", f"“{pattern}” {error}") from None

    def _if_any(self, words: Sequence[str]) -> re.Pattern[str] | None:
        return self._any_of({"": words}) if words else None

    def _any_of(self, words: Mapping[Any, Sequence[str]]) -> re.Pattern[str]:
        """Any of the words of all languages, whole where they are Latin."""
        forms = self._normaliser.words([word for listed in words.values() for word in listed])
        return re.compile("|".join(_whole(form) for form in sorted(forms, key=len, reverse=True)) or "(?!)")


def _ignored(words: FindingWords) -> frozenset[Kind]:
    kinds: dict[Kind, bool] = {"negation": not words.negatable, "resolution": not words.resolvable}
    return frozenset(kind for kind, ignored in kinds.items() if ignored)


def _whole(form: str) -> str:
    before = r"(?<![a-z0-9])" if form[:1].isascii() and form[:1].isalnum() else ""
    after = r"(?![a-z0-9])" if form[-1:].isascii() and form[-1:].isalnum() else ""
    return before + re.escape(form) + after
