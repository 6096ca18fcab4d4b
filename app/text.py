"""Every sentence on screen in the reader's language: gettext catalogues in `app/locale`, one a page.

The English sentence is the key: `say("Next note")`, `say("{rows} rows", rows=12)`. Names of labels and reasons for
review come from `core.wording`.
"""

from dataclasses import dataclass
from functools import cache
from gettext import NullTranslations
from pathlib import Path

import streamlit as st
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from core.wording import Speech, Wording

LOCALE = Path(__file__).with_name("locale")
FOLDERS: dict[Speech, str] = {"zh": "zh_CN", "en": "en"}
LANGUAGES: dict[Speech, str] = {"zh": "中文", "en": "English"}


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks one language.

    Attributes:
        language: `zh` or `en`.
    """

    language: Speech

    def __call__(self, message: str, /, **values: object) -> str:
        """The sentence in this language, with `{name}` replaced by values; a sentence without translation stays."""
        translated = _catalogue(self.language).gettext(message)
        return translated.format(**values) if values else translated

    @property
    def wording(self) -> Wording:
        """Names of tasks and labels, reasons and warnings in this language."""
        return Wording(self.language)


def voice() -> Voice:
    """The voice of this reader's session."""
    return Voice(st.session_state["language"])


def language_of_reader(preferred: Speech | None, browser: str | None) -> Speech:
    """The language to start in: the site's setting, else the browser's."""
    return preferred or ("zh" if (browser or "").lower().startswith("zh") else "en")


@cache
def _catalogue(language: Speech) -> NullTranslations:
    """All catalogues of a language as one."""
    from gettext import GNUTranslations
    from io import BytesIO

    found = NullTranslations()
    for path in sorted((LOCALE / FOLDERS[language] / "LC_MESSAGES").glob("*.po")):
        compiled = BytesIO()
        with path.open("rb") as file:
            write_mo(compiled, read_po(file, locale=FOLDERS[language]))
        compiled.seek(0)
        catalogue = GNUTranslations(compiled)
        catalogue.add_fallback(found)
        found = catalogue
    return found
