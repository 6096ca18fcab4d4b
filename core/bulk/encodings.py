"""Which encoding a text file is in: found by decoding all of it strictly, never by replacing what does not fit."""

import codecs
import io
from pathlib import Path

from core.errors import TableError

CHUNK_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 16
# Line ends and the characters that part cells: in UTF-16 they stand beside a zero byte, on the right in little endian.
STRUCTURE = b'\n\r\t,;| "'
NAMES = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "gb18030": "GB18030 (GBK)", "utf-16": "UTF-16",
         "utf-16-le": "UTF-16 little endian", "utf-16-be": "UTF-16 big endian"}  # fmt: skip


def detect_encoding(path: Path) -> str:
    """The Python name of the encoding that all of the file decodes in.

    A byte order mark decides. Without one: UTF-16 if zero bytes stand where it puts them, else UTF-8, else GB18030 if
    what it gives is Chinese (Latin-1 text often decodes as rare Chinese characters by accident).

    Raises:
        TableError: none fits; names what was tried and the first byte that did not fit.
    """
    with path.open("rb") as file:
        sample = file.read(SAMPLE_BYTES)
    tried: list[str] = []
    for encoding in _candidates(sample):
        position = first_bad_byte(path, encoding)
        if position is None and (encoding != "gb18030" or _is_chinese(path)):
            return encoding
        where = "gives no readable Chinese" if position is None else f"stops at byte {position:,}"
        tried.append(f"{NAMES[encoding]} {where}")
    raise TableError(
        f"{path.name}: the text encoding is not known ({'; '.join(tried)}). Nothing was read; save it as UTF-8."
    )


def _candidates(sample: bytes) -> tuple[str, ...]:
    if sample.startswith(codecs.BOM_UTF8):
        return ("utf-8-sig",)
    if sample.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return ("utf-16",)
    if not _has_zeros_of_utf16(sample):
        return ("utf-8", "gb18030")
    even = sample[: len(sample) // 2 * 2]
    little = sum(_aligned(even, bytes((byte, 0))) for byte in STRUCTURE)
    big = sum(_aligned(even, bytes((0, byte))) for byte in STRUCTURE)
    wide = ("utf-16-le", "utf-16-be") if little >= big else ("utf-16-be", "utf-16-le")
    return (wide[0], "utf-8", "gb18030") if little or big else ("utf-8", "gb18030")


def _has_zeros_of_utf16(sample: bytes) -> bool:
    """Whether there are zero bytes, and too many for UTF-8 text or among bytes that are not UTF-8."""
    if 0 not in sample:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(sample)
    except UnicodeDecodeError:
        return True
    return sample.count(0) * 4 > len(sample)


def _aligned(sample: bytes, pair: bytes) -> int:
    """How often the pair stands at an even place."""
    return sum(1 for at in range(0, len(sample), 2) if sample[at : at + 2] == pair)


def first_bad_byte(path: Path, encoding: str) -> int | None:
    """Position of the first byte that does not decode; none if all of the file does."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="strict")
    done = 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK_BYTES)
            held = len(decoder.getstate()[0])
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return done - held + error.start
            done += len(chunk)
            if not chunk:
                return None


def _is_chinese(path: Path) -> bool:
    """Whether most characters beyond ASCII at the first such place are of the common set (GB 2312)."""
    with path.open(encoding="gb18030", newline="") as file:
        while chunk := file.read(SAMPLE_BYTES):
            beyond = "".join(character for character in chunk if character > "\x7f")
            if beyond:
                return 2 * len(beyond.encode("gb2312", errors="ignore").decode("gb2312")) > len(beyond)
    return True


def open_text(path: Path, encoding: str, at: int = 0) -> io.TextIOWrapper:
    """The file as text from byte `at` on, line ends as they are, strictly decoded."""
    if not at:
        return path.open(encoding=encoding, errors="strict", newline="")
    file = path.open("rb")
    file.seek(at)
    codec, _ = codec_after_mark(path, encoding)
    return io.TextIOWrapper(file, encoding=codec, errors="strict", newline="")


def codec_after_mark(path: Path, encoding: str) -> tuple[str, int]:
    """The encoding of what follows a byte order mark, and the mark's bytes; the same encoding and 0 without one."""
    if encoding == "utf-8-sig":
        return "utf-8", len(codecs.BOM_UTF8)
    if encoding != "utf-16":
        return encoding, 0
    with path.open("rb") as file:
        little = file.read(2) == codecs.BOM_UTF16_LE
    return ("utf-16-le" if little else "utf-16-be"), len(codecs.BOM_UTF16_LE)
