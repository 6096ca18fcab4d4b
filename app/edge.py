"""The edge of a page: what goes wrong inside becomes a calm sentence, and core's words stay what they are."""

import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.text import Voice
from core.errors import TriageError

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|<>~$:])")
log = logging.getLogger(__name__)


def plain(text: str) -> str:
    """Text that Markdown shows as it is: a site's label or a folder's name is no heading and no link."""
    return _MARKDOWN.sub(r"\\\1", text)


@contextmanager
def calm(say: Voice, title: str) -> Iterator[None]:
    """Show an error as a sentence under `title`, and go on after the block.

    The message of an error of the desk's own is shown. Of any other only a short id is, which the log has too, with the
    error's type and nothing else: its text could hold a note.
    """
    try:
        yield
    except TriageError as error:
        st.error(plain(str(error)), title=title, icon=":material/error:")
    except Exception as error:
        number = secrets.token_hex(3)
        log.error("page error %s: %s", number, type(error).__name__)
        st.error(
            say("Something unexpected happened. Nothing was changed. Tell who runs this desk the number {number}.",
                number=number),
            title=title,
            icon=":material/error:",
        )  # fmt: skip
