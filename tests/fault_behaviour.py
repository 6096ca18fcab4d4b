"""What the fault server can be told to do, and the vectors that it gives."""

import base64
import dataclasses
import zlib

import numpy as np

ROWS = 1024  # each half of a vector comes from a table of this many: about a million different vectors


@dataclasses.dataclass(frozen=True, slots=True)
class Behaviour:
    """How a request is answered; the default is a correct answer.

    Attributes:
        delay: seconds before answering; None: the server's own.
        status: HTTP status; anything but 200 answers an error.
        retry_after: value of a `Retry-After` header on an error.
        flat: errors in SGLang's flat form, with a server's path in the message; else OpenAI's nested form.
        html: answer a page of HTML instead of JSON.
        change: answer so many vectors more (or, negative, fewer) than asked.
        shuffle: vectors out of order, each with its right `index`.
        index: `missing`, `duplicate` or `huge`: spoils the `index` fields.
        value: replaces the first component of the last vector (`nan`, `inf`), or is `zero`: an all-zero vector.
        dimension: answer with vectors of this dimension.
        floats: answer lists of floats though base64 was asked for, as older servers do.
        scale: factor on every vector, so that answers are not of length 1.
        hang: `before` any byte, or in the `middle` of the body: nothing more comes.
        reset: cut the connection instead of answering.
        dribble: send the body one byte at a time with this many seconds between.
        refuse_text: 400 for every list in which a text holds this.
        refuse_longer: 400 for every list in which a text has more characters.
        refuse_blank: 400 for every list with a blank text, as SGLang does.
        refuse_lists_over: 503 for lists of more texts, as SGLang's `--max-queued-requests` does.
    """

    delay: float | None = None
    status: int = 200
    retry_after: str | None = None
    flat: bool = False
    html: bool = False
    change: int = 0
    shuffle: bool = False
    index: str = ""
    value: str = ""
    dimension: int | None = None
    floats: bool = False
    scale: float = 1.0
    hang: str = ""
    reset: bool = False
    dribble: float = 0.0
    refuse_text: str = ""
    refuse_longer: int = 0
    refuse_blank: bool = False
    refuse_lists_over: int = 0

    @property
    def plain(self) -> bool:
        """Whether the answer can be put together from bytes made beforehand."""
        spoiled = (self.change, self.shuffle, self.index, self.value, self.dimension, self.floats, self.scale != 1.0)
        return not any(spoiled)


PLAIN = Behaviour()
# Failures of every kind that end by themselves, as a server in trouble mixes them.
TROUBLES = (
    Behaviour(status=429),
    Behaviour(status=429, retry_after="0.1"),
    Behaviour(status=503, flat=True),
    Behaviour(status=503, retry_after="0.1"),
    Behaviour(status=500, html=True),
    Behaviour(reset=True),
    Behaviour(value="nan"),
    Behaviour(change=-1),
    Behaviour(change=1),
    Behaviour(index="missing"),
    Behaviour(html=True),
)


class VectorTable:
    """Unit vectors by text, as arrays and as base64 made beforehand."""

    def __init__(self, model: str, dimension: int) -> None:
        self.dimension = dimension
        self._salt = zlib.crc32(model.encode())
        numbers = np.random.default_rng([self._salt, dimension])
        head = max(3 * (dimension // 6), 0)  # 4 bytes x a multiple of 3: base64 of the halves can be put end to end
        sizes = (head, dimension - head)
        self._halves = [self._half(numbers.standard_normal((ROWS, size)), size) for size in sizes]
        self._coded = [[base64.b64encode(row.tobytes()) for row in half] for half in self._halves]

    def _half(self, rows: np.ndarray, size: int) -> np.ndarray:
        lengths = np.linalg.norm(rows, axis=1, keepdims=True) if size else 1.0
        return (rows / lengths * np.sqrt(size / self.dimension)).astype("<f4")

    def _places(self, text: str) -> tuple[int, int]:
        number = zlib.crc32(text.encode("utf-8", "surrogatepass"), self._salt)
        return number % ROWS, number // ROWS % ROWS

    def coded(self, text: str) -> bytes:
        """The text's vector as base64 of little-endian float32."""
        first, second = self._places(text)
        return self._coded[0][first] + self._coded[1][second]

    def vector(self, text: str) -> np.ndarray:
        """The text's vector, float32 of length 1."""
        first, second = self._places(text)
        return np.concatenate([self._halves[0][first], self._halves[1][second]])
