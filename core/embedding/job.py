"""One call of the embedder: which texts it has to embed, and what has come of them."""

from collections.abc import Callable, Sequence

import numpy as np

from core.embedding.member import Row
from core.embedding.space import EmbeddingSpace
from core.embedding.text import clean, cut, estimate_tokens, has_words
from core.errors import EndpointError, NoteError, TriageError

NO_WORDS = (
    "The text holds no words (it is empty, or only blanks, marks or emoji). It was not classified; add the words."
)


class Job:
    """What one call has to do, and what it has."""

    def __init__(self, texts: Sequence[str], space: EmbeddingSpace, on_done: Callable[[int], None] | None) -> None:
        self.vectors = np.full((len(texts), space.dimension), np.nan, np.float32)
        self.errors: dict[int, TriageError] = {}
        self.truncated: set[int] = set()
        self.places: dict[str, list[int]] = {}  # positions of each text that has to be embedded
        self._on_done, self._untold = on_done, 0
        budget = space.max_tokens - (estimate_tokens(space.prefix) if space.prefix else 0)
        for place, raw in enumerate(texts):
            text, was_cut = cut(clean(raw), budget)
            if was_cut:
                self.truncated.add(place)
            if has_words(text):
                self.places.setdefault(text, []).append(place)
            else:
                self.errors[place] = NoteError(NO_WORDS)
                self._untold += 1

    def finish(self, text: str, row: Row | EndpointError) -> None:
        """Note the outcome for every position of `text`."""
        places = self.places[text]
        for place in places:
            if isinstance(row, EndpointError):
                self.errors[place] = row
            else:
                self.vectors[place] = row
        self._untold += len(places)

    def tell(self) -> None:
        """Report what has been finished since the last time."""
        if self._on_done and self._untold:
            self._on_done(self._untold)
        self._untold = 0
