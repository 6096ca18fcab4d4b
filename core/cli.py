"""`triage`: the command line, one function a command. Heavy libraries load inside the command that needs them.

Exit codes: 0 done; 1 the data, a file or the endpoint failed; 2 wrong usage.
"""

import math
import os
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from core.cli_backup import backup, restore
from core.cli_keys import keys
from core.cli_models import evaluate, models, train
from core.cli_records import audit, records

if TYPE_CHECKING:
    from core.notes import Note
    from core.triage import TriageDesk
    from core.why import Why
    from core.wording import Speech

TEXT_LIMIT = 8_000_000  # bytes of one note on standard input; far more than is ever read of it


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="triage-desk", message="%(version)s")
def triage() -> None:
    """Department, urgency and condition for a patient's message, in Chinese or English.

    It advises; a person decides.
    """


@triage.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on, of this machine only.")
@click.option("--port", default=8501, show_default=True, type=click.IntRange(1, 65535), help="Port to listen on.")
def serve(host: str, port: int) -> None:
    """Open the desk in a browser."""
    # The server takes this process's place, so that a signal sent to the command reaches it. -P: `app` is the
    # installed one, whatever lies in the folder where the command is given.
    command = [sys.executable, "-P", "-m", "app.server", "--host", host, "--port", str(port)]
    sys.stdout.flush()
    os.execv(command[0], command)  # noqa: S606 - this interpreter, fixed words, no shell


def _age(context: click.Context, option: click.Parameter, years: float | None) -> float | None:
    if years is not None and not (math.isfinite(years) and 0 <= years <= 130):
        raise click.BadParameter(f"{years:g} is not an age in years (0 to 130).")
    return years


@triage.command()
@click.argument("text", required=False)
@click.option("--age", type=float, callback=_age, help="Years.")
@click.option("--sex", type=click.Choice(["female", "male"]))
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of sentences.")
def assess(text: str | None, age: float | None, sex: Any, as_json: bool) -> None:  # noqa: ANN401 - click checked it
    """Assess one note: TEXT, or standard input with - or without TEXT."""
    import json

    from core.cli_output import assessment_text
    from core.errors import BundleError, EndpointError
    from core.notes import Note
    from core.settings import load_settings
    from core.triage import TriageDesk

    note = Note(_words(text), age, sex)
    settings = load_settings()
    try:
        with TriageDesk.open(settings) as desk:
            found = desk.assess(note)
            why = _why(desk, note)
    except (BundleError, EndpointError):
        if not as_json:
            _tell_red_flags(note, settings.language)
        raise
    facts = found.as_dict() | {"why": why and why.as_dict()}
    click.echo(json.dumps(facts, ensure_ascii=False) if as_json else assessment_text(found, settings.language, why=why))


def _why(desk: "TriageDesk", note: "Note") -> "Why | None":
    """What the answer rests on; none where the endpoint fails now: the answer is there already."""
    from core.errors import TriageError

    try:
        return desk.explain(note)
    except TriageError:
        return None


def _tell_red_flags(note: "Note", preferred: "Speech | None") -> None:
    """What the rules say of a note that can't be assessed; they need neither bundle nor endpoint."""
    from core.cli_output import by_hand_text
    from core.language import language_of
    from core.safety.red_flags import red_flags
    from core.wording import speech_of

    click.echo(by_hand_text(red_flags().find(note), preferred or speech_of(language_of(note.text))))


def _words(text: str | None) -> str:
    """The note: the argument as UTF-8 whatever the locale says, or standard input."""
    if text is not None and text != "-":
        return os.fsencode(text).decode("utf-8", "surrogateescape")
    if text is None and sys.stdin.isatty():
        raise click.UsageError("Give the note as TEXT, or - to type it and end with Ctrl+D.")
    from core.errors import NoteError

    found = sys.stdin.buffer.read(TEXT_LIMIT + 1)
    if len(found) > TEXT_LIMIT:
        raise NoteError("Standard input is longer than 8 MB; nothing was assessed. For many notes: triage classify.")
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NoteError(
            "Standard input is not UTF-8; nothing was assessed. "
            "Convert it first, for example: iconv -f gb18030 -t utf-8"
        ) from None


@triage.command()
@click.argument("source", metavar="IN")
@click.argument("target", metavar="OUT")
@click.option("--text-column", help="The column with the notes; found by itself when its name or content is clear.")
@click.option("--engine", type=click.Choice(["local", "ray"]), default="local", show_default=True)
@click.option("--for-excel", is_flag=True, help="Begin a csv with a byte order mark, by which Excel knows UTF-8.")
@click.option("--mask-identifiers", is_flag=True, help="Mask names, numbers, addresses and dates of birth in OUT.")
def classify(
    source: str, target: str, text_column: str | None, engine: str, for_excel: bool, mask_identifiers: bool
) -> None:
    """Assess every row of a table (csv, xlsx, parquet by suffix), or of all tables of a folder or bucket.

    OUT keeps all columns and rows of IN, in order, and adds the answers. Interrupted, the same command goes on.
    """
    from importlib.util import find_spec

    from core.bulk.classify import classify_table
    from core.cli_output import run_text
    from core.errors import SettingsError
    from core.settings import load_settings
    from core.triage import TriageDesk

    settings = load_settings()
    if engine == "ray" and find_spec("ray") is None:
        raise SettingsError("--engine ray needs Ray: pip install 'triage-desk[scale]'")
    cluster = settings if engine == "ray" else None
    more: dict[str, Any] = {
        "text_column": text_column, "signature": for_excel, "masked": mask_identifiers, "cluster": cluster
    }  # fmt: skip
    with TriageDesk.open(settings) as desk:
        if "://" in source or "://" in target or Path(source).is_dir():
            from core.bulk.folder import classify_folder

            report = classify_folder(source, target, desk, **more)
        else:
            report = classify_table(Path(source), Path(target), desk, **more)
    for notice in report.notices:
        click.echo(notice, err=True)
    click.echo(run_text(report, target))


@triage.command("check-endpoint")
@click.option("--url", help="Base URL of the endpoint [default: each that is set, else the embedded one].")
def check_endpoint(url: str | None) -> None:
    """Check that an embedding endpoint keeps the contract."""
    from core.cli_output import check_text
    from core.embedding import contract
    from core.embedding.open import open_embedder
    from core.errors import EndpointError
    from core.settings import load_settings

    settings = load_settings(embedding_url=url) if url else load_settings()
    reports = []
    for each in settings.embedding_urls or (None,):
        one = settings.model_copy(update={"embedding_url": each})
        reports.append(contract.check_endpoint(one, on_check=lambda check: click.echo(check_text(check))))
        if reports[-1].passed:
            click.echo(f"{reports[-1].endpoint} keeps the contract ({reports[-1].model}).")
    if failed := [report.endpoint for report in reports if not report.passed]:
        raise EndpointError(f"{', '.join(failed)} does not keep the contract: see FAIL above.")
    if len(reports) > 1:
        with open_embedder(settings) as embedder:
            embedder.canaries()
        click.echo("All of them serve the same embedding space.")


triage.add_command(keys)
triage.add_command(train)
triage.add_command(evaluate)
triage.add_command(models)
triage.add_command(audit)
triage.add_command(records)
triage.add_command(backup)
triage.add_command(restore)


def run(arguments: list[str]) -> int:
    """Run one command and give its exit code; every failure becomes one line on standard error."""
    from core.errors import TriageError

    try:
        code = triage.main(arguments, prog_name="triage", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        click.echo("Stopped. The same command can be given again.", err=True)
        return 1
    except TriageError as error:
        click.echo(str(error), err=True)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read the output has gone; what Python still wants to write at its end must go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except Exception as error:  # the edge of the command: what nobody expected is told in one line
        _tell_unexpected(error)
        return 1
    return code if isinstance(code, int) else 0


def _tell_unexpected(error: Exception) -> None:
    import secrets
    import traceback

    number = secrets.token_hex(3)
    if os.environ.get("TRIAGE_DEBUG") == "1":
        traceback.print_exception(error)
    # Only the kind of error: its message could hold a note's text.
    click.echo(
        f"Something unexpected happened ({type(error).__name__}, {number}). Files that were there are untouched. "
        "Please report it; TRIAGE_DEBUG=1 shows where.",
        err=True,
    )


def main() -> NoReturn:
    """The console script `triage`."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no dump of a memory that holds notes
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="replace")
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
