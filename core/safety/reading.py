"""One note as the rules see it: which findings count, and which rules that meets."""

from collections.abc import Iterator, Sequence

from core.notes import Evidence, Note, RedFlagHit
from core.safety.cues import Kind
from core.safety.demographics import Patient
from core.safety.normalise import Normalised
from core.safety.rule_words import RuleWords, WordsFound
from core.safety.rules import Occurrence, Rule, meeting
from core.safety.scopes import Scopes
from core.safety.terms import MOST_PLACES, Span

Place = tuple[Span, frozenset[Kind]]


class Reading:
    """A note whose words were found.

    Args:
        note: as entered.
        normal: its normal form.
        words: the words of all rules.

    Attributes:
        found: the words of findings, cues and breakers in the note.
    """

    def __init__(self, note: Note, normal: Normalised, words: RuleWords) -> None:
        self._note, self._normal, self._ignored = note, normal, words.ignored
        self.found: WordsFound = words.find(normal.text)
        self._scopes = Scopes(normal.text, words.scopes, self.found)
        self._patient = Patient(note, normal.text)
        self._findings = self.found.findings
        self._sorted: dict[str, list[Place]] = {}
        self._counts: dict[Place, bool] = {}
        self._first: dict[tuple[str, Span | None], Span | None] = {}

    def hit(self, rule: Rule) -> RedFlagHit | None:
        """The rule's hit, if the note meets it."""
        met = meeting(rule, self)
        if met is None or not self._applies(rule, met):
            return None
        return RedFlagHit(rule.id, rule.acuity, self._evidence(met), f"{rule.source}, {rule.section}")

    def first(self, finding: str, within: Span | None = None) -> Span | None:
        """The first place where the finding counts (of those that begin in a stretch)."""
        if (finding, within) not in self._first:
            self._first[finding, within] = next(self._counting(finding, within), None)
        return self._first[finding, within]

    def sentences_with(self, finding: str) -> Iterator[Span]:
        """Start and end of each sentence in which the finding counts, in order."""
        done = 0
        for start, _ in self._counting(finding):
            if start >= done:
                sentence = self._scopes.sentence(start)
                done = sentence[1]
                yield sentence

    def _counting(self, finding: str, within: Span | None = None) -> Iterator[Span]:
        """Where the finding stands outside of every scope, in order; of very many places the last ones count."""
        if finding not in self._sorted:
            self._sorted[finding] = self.found.of(finding) if finding in self._findings else []
        for number, place in enumerate(self._sorted[finding]):
            (start, end), ignored = place
            if within is not None and not within[0] <= start < within[1]:
                continue
            if place not in self._counts:
                held = number < MOST_PLACES and self._scopes.around(start, end, ignored) is not None
                self._counts[place] = not held
            if self._counts[place]:
                yield start, end

    def _applies(self, rule: Rule, met: Sequence[Occurrence]) -> bool:
        """Whether age, sex and other findings leave the rule in place.

        Only what is written up to the end of the last finding's sentence can keep a rule out, so that nothing
        written afterwards does.
        """
        upto = max(self._scopes.sentence(found.start)[1] for found in met)
        if any(self.first(name, (0, upto)) is not None for name in rule.not_):
            return False
        if rule.sex is not None and not self._patient.has_sex(rule.sex, upto):
            return False
        return rule.age is None or self._patient.has_age(rule.age.hold, upto, needed=rule.needs_age)

    def _evidence(self, met: Sequence[Occurrence]) -> tuple[Evidence, ...]:
        spans = dict.fromkeys(self._normal.written(found.start, found.end) for found in met)
        return tuple(Evidence(start, end, self._note.text[start:end]) for start, end in spans)
