"""Every error that the desk raises on purpose.

::

    TriageError                  exit code 1: the data, a file or the endpoint failed
    ├── SettingsError            exit code 2: a setting is wrong
    ├── NoteError                one note can't be assessed; other notes can
    ├── TableError               a table can't be read or written
    ├── RunStopped               a bulk run ended before its last row; what it did is kept (core.bulk.run)
    ├── RecordsError             what was decided can't be kept or read
    ├── AccessError              a key can't be made, read or accepted
    ├── NotAdmitted              nobody is signed in any more, or not with a role for what was asked
    ├── DeskBusy                 too many notes wait for the desk; nothing was lost
    ├── DeskStopping             the desk is being stopped and takes nothing new
    ├── TrainingError            a model can't be trained on these tables
    ├── BundleError              a bundle can't be used
    │   ├── BundleCorrupt        a file is missing or has changed since it was saved
    │   ├── BundleVersion        made with another version of a library
    │   └── SpaceMismatch        the endpoint's vectors are not those the bundle was trained on
    └── EndpointError            no vectors: nothing was lost, the call can be made again
        ├── EndpointUnavailable  nobody answers, or the circuit breaker is open
        ├── EndpointTimeout      no answer before the deadline
        ├── EndpointBusy         asked to wait (429, 503)
        ├── EndpointRefused      a 4xx answer; asking again gives the same
        └── EndpointBadAnswer    an answer that can't be used (HTML, too few vectors, NaN, …)

A message says what happened, what was kept and what to do next. It never holds a note's text, and never a server's
own words, which can name its files.
"""

from typing import ClassVar


class TriageError(Exception):
    """An error whose message is meant for the person at the desk."""

    exit_code: ClassVar[int] = 1


class SettingsError(TriageError):
    """A setting is missing or has a value that can't be used."""

    exit_code: ClassVar[int] = 2


class NoteError(TriageError):
    """One note can't be assessed."""


class TableError(TriageError):
    """A table can't be read or written."""


class RecordsError(TriageError):
    """The records can't be written or read."""


class AccessError(TriageError):
    """A key can't be made, read or accepted."""


class NotAdmitted(TriageError):
    """Nobody is signed in any more, or not with a role for what was asked. Nothing was changed."""


class DeskBusy(TriageError):
    """Too many notes wait for the desk. Nothing was lost."""


class DeskStopping(TriageError):
    """The desk is being stopped and takes nothing new."""


class TrainingError(TriageError):
    """A model can't be trained on these tables."""


class BundleError(TriageError):
    """A bundle can't be used."""


class BundleCorrupt(BundleError):
    """A file of the bundle is missing or has changed since it was saved."""


class BundleVersion(BundleError):
    """The bundle was made with another version of a library that reads its files."""


class SpaceMismatch(BundleError):
    """The endpoint's vectors are not those that the bundle was trained on."""


class EndpointError(TriageError):
    """The embedding endpoint gave no vectors. Nothing was lost.

    Attributes:
        elsewhere: another endpoint of the same desk can be asked at once.
    """

    elsewhere = False


class EndpointUnavailable(EndpointError):
    """Nobody answers at the endpoint's address, or the circuit breaker is open."""


class EndpointTimeout(EndpointError):
    """The endpoint gave no answer before the deadline."""


class EndpointBusy(EndpointError):
    """The endpoint asked to wait (HTTP 429 or 503).

    Attributes:
        retry_after: seconds that the server asked for, if it said so.
    """

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class EndpointRefused(EndpointError):
    """The endpoint refused the request with a 4xx answer.

    Attributes:
        status: the HTTP status.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


class EndpointBadAnswer(EndpointError):
    """The endpoint's answer can't be used."""
