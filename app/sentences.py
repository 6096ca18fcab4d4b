"""What pages say of tables, rows, runs and troubles: core's sentences in the reader's language.

Core writes for the command line, in English. What it says of a file is known here by its form; a sentence that is not
is shown as it is.
"""

import re
from collections.abc import Callable, Mapping

from app.text import Voice

Said = Callable[[Voice, Mapping[str, str]], str]

_FILES: tuple[tuple[str, Said], ...] = (
    (
        r"(?P<name>.+) is empty\. .*",
        lambda say, m: say("{name} is empty. Choose a table with column names and rows.", **m),
    ),
    (
        r"(?P<name>.+) has column names but no rows\. .*",
        lambda say, m: say("{name} has column names but no rows. Choose a table with rows.", **m),
    ),
    (
        r"(?P<name>.+?) is (?:a|an) picture .*",
        lambda say, m: say("{name} is a picture, whatever its name says. Choose a table.", **m),
    ),
    (
        r"(?P<name>.+?) is an? .+, not a text table\. .*",
        lambda say, m: say("{name} is another kind of file than its ending says. Choose a table.", **m),
    ),
    (
        r"(?P<name>.+?): .+ is no kind of table that can be read\. .* use one of (?P<kinds>.+)\.",
        lambda say, m: say("{name} is no table that can be read here. Choose one of these kinds: {kinds}.", **m),
    ),
    (
        r"(?P<name>.+) is larger than (?P<limit>\d+) MB\. .*",
        lambda say, m: say("{name} is larger than {limit} MB. Nothing was kept. Upload it in parts.", **m),
    ),
    (
        r"(?P<name>.+?): the text encoding is not known .*",
        lambda say, m: say("The encoding of {name} is not known. Save it as UTF-8, or as an Excel workbook.", **m),
    ),
    (
        r"(?P<name>.+?): a quotation mark that opens a cell before line (?P<line>[\d,]+) never closes.*",
        lambda say, m: say(
            "{name}: a quotation mark before line {line} never closes, or a cell is far too long. Mend it and upload "
            "again.",
            **m,
        ),
    ),
    (
        r"(?P<name>.+), line (?P<line>[\d,]+): a quoted cell goes on .*",
        lambda say, m: say(
            "{name}, line {line}: a cell goes on after its closing quotation mark. Double the marks inside the cell.",
            **m,
        ),
    ),
    (
        r"(?P<name>.+?): no delimiter was found.*",
        lambda say, m: say("{name}: the columns can't be told apart. Part them with commas or tabs.", **m),
    ),
    (
        r"(?P<name>.+) can't be read as an Excel workbook.*",
        lambda say, m: say("{name} can't be read as an Excel workbook. Save it again as .xlsx or .csv.", **m),
    ),
    (
        r"(?P<name>.+) is protected by a password\. .*",
        lambda say, m: say(
            "{name} is protected by a password. Open it in Excel, remove the password, save it and upload again.", **m
        ),
    ),
    (
        r"(?P<name>.+?): the first row is one merged cell.*",
        lambda say, m: say(
            "{name}: the first row is one merged cell, a title. Delete the rows above the column names.", **m
        ),
    ),
    (
        r"(?P<name>.+) unpacks to more than .*",
        lambda say, m: say("{name} is too large once unpacked. Save it as .csv, or in parts.", **m),
    ),
    (
        r"(?P<name>.+) can't be read as parquet.*",
        lambda say, m: say("{name} can't be read as parquet. Choose an undamaged copy.", **m),
    ),
    (
        r"The first row looks like a note.*",
        lambda say, m: say("The first row looks like a note. Add a row with the names of the columns above it."),
    ),
    (
        r"(?P<name>.+) can't be kept: the disk .*",
        lambda say, m: say("{name} can't be kept: this desk has no room left. Tell who runs it.", **m),
    ),
    (
        r"This table is no longer here\. .*",
        lambda say, m: say("This table is no longer here. Upload it again."),
    ),
    (
        r"(?P<count>\d+) of your tables are being classified now.*",
        lambda say, m: say(
            "{count} of your tables are being classified now, more have to wait. This one is kept; "
            "start it when one is done.", **m
        ),
    ),
    (
        r"(?P<count>\d+) tables are being classified now.*",
        lambda say, m: say(
            "{count} tables are being classified now, no more fit in. Yours is kept; start it when one is done.", **m
        ),
    ),
    (
        r"The run can't be started now\. .*",
        lambda say, m: say("The run can't be started now. The table is kept; try again."),
    ),
)  # fmt: skip

_NOTICES: tuple[tuple[str, Said], ...] = (
    (
        r"Column (?P<place>\d+) has the same name as another .+; it is called (?P<name>.+) here\.",
        lambda say, m: say("Column {place} has the name of another one; it is called {name} here.", **m),
    ),
    (
        r"Column (?P<place>\d+) has no name; it is called (?P<name>.+) here\.",
        lambda say, m: say("Column {place} has no name; it is called {name} here.", **m),
    ),
    (
        r"(?P<rows>[\d,]+) rows do not have the (?P<cells>\d+) cells that the header has\..*",
        lambda say, m: say(
            "{rows} rows do not have the {cells} cells of the first row. They stay in the table and are marked as "
            "errors.",
            **m,
        ),
    ),
    (
        r"Rows that repeat the column names, .*: (?P<rows>[\d,]+)\. .*",
        lambda say, m: say(
            "Rows that repeat the column names: {rows}. They stay in the table and are marked as errors.", **m
        ),
    ),
    (
        r"(?P<areas>[\d,]+) areas of merged cells: .*",
        lambda say, m: say(
            "{areas} areas of merged cells: the first cell of each has its value here, the others are empty.", **m
        ),
    ),
    (
        r"The table has columns named like the answers; .* beside them: (?P<names>.+)\.",
        lambda say, m: say("Columns named like the answers stay; the answers are beside them: {names}.", **m),
    ),
)  # fmt: skip

_ROWS: tuple[tuple[str, Said], ...] = (
    (
        r"The text holds no words .*",
        lambda say, m: say("The note is empty or holds no words. Assess it by hand."),
    ),
    (
        r"row \d+ of the file has (?P<cells>\d+) cells, the header has (?P<wanted>\d+).*",
        lambda say, m: say("The row has {cells} cells, the first row has {wanted}. Assess it by hand.", **m),
    ),
    (
        r"row \d+ of the file repeats the column names.*",
        lambda say, m: say("The row repeats the column names."),
    ),
)  # fmt: skip

_TROUBLES = {
    "EndpointUnavailable": "The server that reads the notes does not answer. Go on when it is back.",
    "BreakerOpen": "The server that reads the notes does not answer. Go on when it is back.",
    "EndpointTimeout": "The server that reads the notes does not answer. Go on when it is back.",
    "EndpointBusy": "The server that reads the notes is busy. Try again in a minute.",
    "EndpointRefused": "The server that reads the notes refuses this desk, perhaps for its key. Tell who runs it.",
    "EndpointBadAnswer": "The server that reads the notes answers wrongly. Tell who runs this desk.",
    "EndpointError": "The server that reads the notes answers wrongly. Tell who runs this desk.",
    "BundleCorrupt": "A file of the model is missing or was changed. Tell who runs this desk.",
    "BundleVersion": "The model was made with other versions of its libraries. Tell who runs this desk.",
    "SpaceMismatch": "The server that reads the notes has another model than this one needs. Tell who runs this desk.",
    "BundleError": "The model can't be used now. Tell who runs this desk.",
    "SettingsError": "A setting of this desk is wrong. Tell who runs it.",
    "TrainingError": "A model can't be trained on these tables.",
    "AccessError": "A key can't be made, read or accepted now.",
    "NotAdmitted": "You are not signed in any more, or your role does not allow this. Nothing was changed.",
    "DeskBusy": "Too many notes are waiting. Try again in a moment.",
    "DeskStopping": "The desk is being stopped. Try again in a moment.",
    "RunStopped": "The run has stopped. What it did is kept.",
}


def said_of_file(message: str, say: Voice) -> str:
    """Why a file can't be taken, or a run can't be started."""
    return _said(message, _FILES, say)


def said_of_table(notice: str, say: Voice) -> str:
    """What the reader of a table did that its owner should know."""
    return _said(notice, _NOTICES, say)


def said_of_row(error: str, say: Voice) -> str:
    """Why a row has no answer."""
    return _said(error, _ROWS, say)


def said_of_trouble(trouble: str, message: str, say: Voice) -> str:
    """Why something could not be done: by the name of the error's class, never with core's own words.

    Args:
        trouble: the class of `core.errors`, or `unexpected`.
        message: what core says; of a table it is known by its form, of something unexpected it is a number in the log.
        say: the reader's language.
    """
    if trouble == "RecordsError":
        return say(message)  # one of few fixed sentences, each of which the catalogue has
    if trouble == "unexpected":
        return say("Something unexpected happened. Tell who runs this desk the number {number}.", number=message)
    return say(_TROUBLES[trouble]) if trouble in _TROUBLES else said_of_file(message, say)


def said_of_rows_kept(kept: int, total: int, say: Voice) -> str:
    """What is kept of a run that is not at its end."""
    if not kept:
        return say("Your table is kept.")
    return say("Your table is kept, and {kept} of its {total} rows are finished.", kept=f"{kept:,}", total=f"{total:,}")


def said_of_time(seconds: float | None, say: Voice) -> str:
    """Time left, in round words that are short enough for a phone."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return say("< 1 min")
    minutes = round(seconds / 60)
    return say("{minutes} min", minutes=minutes) if minutes < 90 else say("{hours} h", hours=f"{seconds / 3600:.1f}")


def _said(message: str, known: tuple[tuple[str, Said], ...], say: Voice) -> str:
    for form, sentence in known:
        if found := re.fullmatch(form, message, re.DOTALL):
            return sentence(say, found.groupdict())
    return message
