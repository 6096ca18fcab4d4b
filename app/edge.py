"""The edge of a page: what goes wrong inside becomes a calm sentence, and core's words stay what they are."""

import logging
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from app.sentences import said_of_trouble
from app.text import Voice
from core.errors import NoteError, TableError, TriageError

_MARKDOWN = re.compile(r"[\\`*_{}\[\]()#+!|<>~$:]|^-|(?<=^\d)\.|(?<=^\d\d)\.", re.MULTILINE)
log = logging.getLogger(__name__)


def plain(text: str) -> str:
    """Text that Markdown shows as it is: `>99%` is no quotation, a site's label no heading, a folder's name no link."""
    return _MARKDOWN.sub(r"\\\g<0>", text)


def numbered(error: Exception) -> str:
    """A number for whoever runs the desk, under which the log has the error.

    Of the desk's own errors the log has the message, of any other only the type: its text could hold a note.
    """
    number = secrets.token_hex(3)
    message = f": {error}" if isinstance(error, TriageError) else ""
    log.error("page error %s: %s%s", number, type(error).__name__, message)
    return number


def said_of_error(error: Exception, say: Voice) -> str:
    """What the reader is told of an error: a sentence, and a number unless it is about the reader's own table."""
    if isinstance(error, TableError | NoteError):
        return said_of_trouble(type(error).__name__, str(error), say)
    number = numbered(error)
    if not isinstance(error, TriageError):
        return said_of_trouble("unexpected", number, say)
    sentence = said_of_trouble(type(error).__name__, str(error), say)
    return f"{sentence} {say('Number for whoever runs the desk: {id}', id=number)}"


@contextmanager
def calm(say: Voice, title: str) -> Iterator[None]:
    """Show an error as a sentence under `title`, and go on after the block."""
    try:
        yield
    except Exception as error:
        st.error(plain(said_of_error(error, say)), title=title, icon=":material/error:")
