"""CDS Hooks 2.0: what the desk offers to a record system, the note in what that sends, and the card that it shows.

Source: https://cds-hooks.hl7.org/2.0/.
"""

from collections.abc import Mapping
from typing import Any, Literal
from uuid import uuid4

from core.interop.fhir import ResourceError, note_of, notes_of
from core.notes import Assessment, Note
from core.wording import FIRST, Wording, percent, shown_labels, tasks_in_order

SERVICE = "triage-desk"
HOOK = "patient-view"
SUMMARY = 140  # characters that a card's summary may have
CRITICAL, WARNING = 2, 3  # the least urgent levels with these indicators
PREFETCH: Mapping[str, str] = {
    "communication": "Communication?subject=Patient/{{context.patientId}}&_sort=-sent&_count=1",
    "questionnaireResponse": "QuestionnaireResponse?subject=Patient/{{context.patientId}}&_sort=-authored&_count=1",
    "patient": "Patient/{{context.patientId}}",
}
Indicator = Literal["critical", "warning", "info"]


def services() -> dict[str, Any]:
    """The answer to `GET /cds-services`."""
    service = {
        "hook": HOOK,
        "id": SERVICE,
        "title": "Triage desk",
        "description": "Department, urgency and condition, from the patient's last message. A person decides.",
        "prefetch": dict(PREFETCH),
    }
    return {"services": [service]}


def note_in(prefetch: Mapping[str, Any]) -> Note | None:
    """The latest message or questionnaire in what was prefetched; none where there is none with text."""
    patient = _first(prefetch.get("patient"), "Patient")
    for name, kind in (("communication", "Communication"), ("questionnaireResponse", "QuestionnaireResponse")):
        resource = _first(prefetch.get(name), kind)
        if resource is None:
            continue
        try:
            return note_of({**resource, "contained": [patient]} if patient else resource)
        except ResourceError:
            continue
    return None


def cards(found: Assessment) -> dict[str, Any]:
    """The answer to the hook: one card."""
    words = Wording("en")
    labels = {answer.task: words.label(answer.task, answer.label) for answer in tasks_in_order(found)}
    parts = [labels[task] for task in FIRST if task in labels]
    summary = " · ".join(parts) or "A person must decide"
    card = {
        "uuid": str(uuid4()),
        "summary": summary if len(summary) <= SUMMARY else summary[: SUMMARY - 1] + "…",
        "indicator": indicator(found),
        "source": {"label": "Triage desk"},
        "detail": detail(found),
    }
    return {"cards": [card]}


def indicator(found: Assessment) -> Indicator:
    """How loud the card is: by the level decided; at least a warning where a person must decide."""
    acuity = found.tasks.get("acuity")
    level = int(acuity.label) if acuity and acuity.label.isdecimal() else WARNING
    if level <= CRITICAL or any(hit.acuity <= CRITICAL for hit in found.red_flags):
        return "critical"
    return "warning" if level <= WARNING or found.needs_review else "info"


def detail(found: Assessment) -> str:
    """The card's text in Markdown: what is advised, what must not be missed, and what a person decides."""
    words = Wording("en")
    lines = []
    for answer in tasks_in_order(found):
        shown = ", ".join(
            f"{words.label(answer.task, label)} ({percent(share)})" for label, share in shown_labels(answer)
        )
        lines.append(f"- {words.task(answer.task)}: {shown}")
    lines += [f"- {note}" for note in notes_of(found) if not note.startswith("Acuity: ")]
    lines.append("")
    lines.append("This is advice from the patient's own words. A person decides on urgency and department.")
    return "\n".join(lines)


def _first(found: object, kind: str) -> Mapping[str, Any] | None:
    """The resource itself, or the first of its kind in a bundle."""
    if not isinstance(found, dict):
        return None
    if found.get("resourceType") == kind:
        return found
    entries = found.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict) and resource.get("resourceType") == kind:
            return resource
    return None
