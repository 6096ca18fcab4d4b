"""MODEL_CARD.md: what a bundle is, was trained on, can do and can't. A pure function of the manifest's facts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.model.acuity_metrics import BANDS

Facts = Mapping[str, Any]

DASH = "–"
# Column of the table, key of the held-out figures, decimals, whether it is a share.
RESULTS = (
    ("top-1", "top1", True),
    ("top-3", "top3", True),
    ("macro F1", "macro_f1", False),
    ("coverage", "coverage", True),
    ("answers per set", "mean_set_size", False),
)
LEFT_OUT = (
    ("top-1", "top1", True),
    ("top-3", "top3", True),
    ("emergencies judged 1-2", "emergency_recall", True),
    ("right band", "band_accuracy", True),
    ("coverage", "coverage", True),
    ("answers per set", "mean_set_size", False),
)
BASELINE = ("top1", "top3", "emergency_recall", "band_accuracy")
CALIBRATION = (
    ("ECE", "ece", False),
    ("classwise ECE", "classwise_ece", False),
    ("Brier score", "brier", False),
    ("log loss (nats)", "log_loss", False),
)
ACUITY = (
    ("emergencies (1-2) judged 1-2", "emergency_recall", True),
    ("under-triage", "under_triage", True),
    ("over-triage", "over_triage", True),
    ("right band (1-2, 3, 4-5)", "band_accuracy", True),
    ("quadratic weighted kappa", "kappa_quadratic", False),
)
INTENDED = """\
To advise a triage nurse, a department lead or a researcher on a patient's message or a clinical note in Chinese,
English or both: likely departments, acuity and conditions, each with its probability, and whether a person must
decide. A person decides. It is not a diagnosis, not for use without a person, and never a reason to lower an urgency
that a rule or a person has raised."""
LIMITS = (
    "The figures hold for notes like those it was held out on. Another hospital, another kind of text or another "
    "language is worse, and by how much is not known until it is measured there: `triage evaluate`.",
    "Labels are what the sources say: where a patient posted, what a nurse chose, the first diagnosis that was coded. "
    "They are not an adjudicated truth.",
    "Coverage is promised on average over notes like those it was calibrated on, not for each note and not for a "
    "group that is rare there.",
    "A class that is not in the list below can't be answered; a note that belongs to none of them still gets one.",
    "It reads text alone: no vital signs, no picture, no history that the note does not tell.",
)


def model_card(facts: Facts) -> str:
    """The model card as Markdown. A figure that `facts` does not hold is left out, never filled in.

    Args:
        facts: the manifest as JSON types (`Manifest.as_json`), with the embedding space's short name as `space_id`.
    """
    tasks: Facts = facts.get("tasks", {})
    sections = [
        _head(facts),
        f"## Intended use\n\n{INTENDED}",
        _data(facts.get("data", {})),
        _results(tasks),
        _across(tasks),
        _calibration(tasks),
        _acuity(tasks.get("acuity", {})),
        *(_per_label(task, found) for task, found in tasks.items()),
        _training(tasks),
        _pca(tasks),
        _section("Known limits", [f"- {limit}" for limit in LIMITS]),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _head(facts: Facts) -> str:
    space: Facts = facts.get("space", {})
    libraries = ", ".join(f"{name} {version}" for name, version in facts.get("libraries", {}).items())
    lines = {
        "Version": facts.get("version"),
        "Made": facts.get("created"),
        "Code": f"commit {facts['commit']}" if facts.get("commit") else None,
        "Libraries": libraries,
        "Embedding space": facts.get("space_id"),
        "Embedding model": space.get("model"),
        "Dimension": space.get("dimension"),
        "Instruction": space.get("instruction"),
        "Texts cut to": f"{space['max_tokens']} estimated tokens" if "max_tokens" in space else None,
    }
    table = _table(("", ""), [(name, _cell(value)) for name, value in lines.items() if value])
    return f"# Model card: {facts.get('name', 'bundle')}\n\n{table}\n\nIt answers only in that embedding space."


def _data(data: Facts) -> str:
    sources: Facts = data.get("sources", {})
    tasks = sorted({task for source in sources.values() for task in source.get("labelled", {})})
    rows = [
        (
            _cell(name),
            _count(source.get("rows")),
            _cell(", ".join(source.get("languages", []))),
            *(_count(source.get("labelled", {}).get(task)) for task in tasks),
            _cell(source.get("origin")),
        )
        for name, source in sources.items()
    ]
    lines = []
    if "notes" in data:
        lines.append(f"{data['notes']:,} notes. Near-duplicates never stand on both sides of a split.\n")
    if rows:
        labels = (f"labels: {task}" for task in tasks)
        lines.append(_table(("source", "notes", "languages", *labels, "licence and origin"), rows) + "\n")
    lines += [f"- Left out: {count:,} rows ({why})." for why, count in data.get("left_out", {}).items()]
    if lines:
        shown = ", ".join(map(_cell, data.get("shown", ())))
        kept = f"holds the texts of {shown}, to be shown as examples, and no other text" if shown else "holds no text"
        lines.append(f"\nThe bundle {kept} of these notes.")
    return _section("Data", lines)


def _results(tasks: Facts) -> str:
    rows = [
        (
            _cell(task),
            _cell(group),
            _count(scores.get("rows")),
            *(_value(scores, key, share) for _, key, share in RESULTS),
        )
        for task, found in tasks.items()
        for group, scores in _groups(found)
    ]
    if not rows:
        return ""
    stated = [f"{task} {100 * found['coverage']:g} %" for task, found in tasks.items() if "coverage" in found]
    lines = ["On rows that training never saw; in brackets 95 % bootstrap intervals (1,000 resamples).", ""]
    lines.append(_table(("task", "rows of", "rows", *(name for name, _, _ in RESULTS)), rows))
    if stated:
        lines += ["", f"Stated coverage: {', '.join(stated)}."]
    return _section("Results on held-out rows", lines)


def _across(tasks: Facts) -> str:
    """Each source left out of training, and the same for a TF-IDF baseline."""
    rows = []
    for task, found in tasks.items():
        for source, scores in found.get("left_out", {}).items():
            baseline: Facts = scores.get("baseline", {})
            shown = (_value(scores, key, share) for _, key, share in LEFT_OUT)
            beside = (_value(baseline, key, share) for _, key, share in LEFT_OUT if key in BASELINE)
            rows.append((_cell(task), _cell(source), _count(scores.get("rows")), *shown, *beside))
    if not rows:
        return ""
    names = (*(name for name, _, _ in LEFT_OUT), *(f"{name}, TF-IDF" for name, key, _ in LEFT_OUT if key in BASELINE))
    lines = [
        "The same classifiers trained on all sources but one, asked about all notes of that one. A label that no other "
        "source has counts as wrong. TF-IDF: character n-grams with a balanced linear support vector machine.",
        "",
        _table(("task", "left out", "rows", *names), rows),
    ]
    return _section("Results on sources left out of training", lines)


def _calibration(tasks: Facts) -> str:
    rows = [
        (_cell(task), _cell(group), *(_value(scores, key, share) for _, key, share in CALIBRATION))
        for task, found in tasks.items()
        for group, scores in _groups(found)
        if any(scores.get(key) is not None for _, key, _ in CALIBRATION)
    ]
    if not rows:
        return ""
    lines = [
        "ECE: top-label, 15 bins (Guo et al. 2017); classwise ECE: Kull et al. 2019; Brier score: 0 to 2.",
        "",
        _table(("task", "rows of", *(name for name, _, _ in CALIBRATION)), rows),
    ]
    return _section("Calibration on held-out rows", lines)


def _acuity(found: Facts) -> str:
    groups = [
        (group, scores) for group, scores in _groups(found) if any(scores.get(key) is not None for _, key, _ in ACUITY)
    ]
    if not groups:
        return ""
    rows = [(_cell(group), *(_value(scores, key, share) for _, key, share in ACUITY)) for group, scores in groups]
    lines = [
        "Before red flags, which can only raise the urgency. Shares are of all rows, those of emergencies of the rows "
        "with reference 1 or 2.",
        "",
        _table(("rows of", *(name for name, _, _ in ACUITY)), rows),
    ]
    whole: Facts = found.get("held_out", {})
    under, over = whole.get("under_by_distance"), whole.get("over_by_distance")
    if under and over:
        counts = [(words, *(_count(by.get(str(k))) for k in range(1, 5))) for words, by in (
            ("judged less urgent", under), ("judged more urgent", over)
        )]  # fmt: skip
        lines += ["", _table(("rows", *(f"by {k}" for k in range(1, 5))), counts)]
    if bands := whole.get("band_confusion"):
        counts = [(truth, *(_count(bands.get(truth, {}).get(judged, 0)) for judged in BANDS)) for truth in BANDS]
        lines += ["", _table(("reference", *(f"judged {band}" for band in BANDS)), counts)]
    return _section("Acuity: under-triage and over-triage", lines)


def _per_label(task: str, found: Facts) -> str:
    labels: Facts = found.get("held_out", {}).get("per_label", {})
    rows = [
        (
            _cell(label),
            *(_value(scores, name) for name in ("precision", "recall", "f1")),
            _count(scores.get("support")),
            _value(scores, "coverage", True),
        )
        for label, scores in labels.items()
    ]
    lines = [_table(("label", "precision", "recall", "F1", "rows", "coverage"), rows)] if rows else []
    unseen = [name for name in found.get("classes", []) if name not in labels]
    if unseen:
        lines += ["", f"Also answers: {', '.join(map(_cell, unseen))} (no held-out row, never decided)."]
    return _section(f"Labels of {_cell(task)}", lines)


def _training(tasks: Facts) -> str:
    lines: list[str] = []
    for task, found in tasks.items():
        if "chosen" not in found:
            continue
        facts = [f"**{_cell(task)}**: {_cell(found['chosen'])}"]
        if "trained_on" in found:
            facts.append(f"trained on {found['trained_on']:,} rows")
        if "calibration" in found:
            facts.append(f"{_cell(found['calibration'])} calibration")
        lines += [", ".join(facts) + ".", "", *_trusted(found)]
        if losses := found.get("log_losses"):
            rows = [
                (_cell(name), f"{loss:.4f}", "chosen" if name == found["chosen"] else "")
                for name, loss in losses.items()
            ]
            among = f" over {found['selection_rows']:,} rows" if "selection_rows" in found else ""
            lines += [_table(("candidate", f"cross-validated log loss{among} (nats)", ""), rows), ""]
    return _section("How it was trained", lines[:-1])


def _trusted(found: Facts) -> list[str]:
    """The second expert, where there is one."""
    expert = found.get("trusted")
    if not expert:
        return []
    least, most = expert["share"]
    return [
        f"Beside it an expert for the notes of trusted sources alone: {_cell(expert['chosen'])}, {expert['notes']:,} "
        f"rows. A gate gives it {least:.0%} of the say where a note is written like the other sources, {most:.0%} "
        "where like these.",
        "",
    ]


def _pca(tasks: Facts) -> str:
    rows = []
    for task, found in tasks.items():
        pca = found.get("pca") or {}
        if {"components", "dimension", "vector_bytes", "vector_bytes_without"} <= set(pca):
            saved = pca["vector_bytes_without"] - pca["vector_bytes"]
            rows.append((
                _cell(task),
                f"{100 * pca['variance']:g} %" if "variance" in pca else DASH,
                f"{pca['components']} of {pca['dimension']}",
                _value(pca, "macro_f1"),
                _value(pca, "macro_f1_without"),
                f"{saved:,} of {pca['vector_bytes_without']:,} ({100 * saved / pca['vector_bytes_without']:.0f} %)",
            ))  # fmt: skip
    if not rows:
        return ""
    header = ("task", "variance kept", "components", "macro F1 with PCA", "without", "bytes saved a vector")
    return _section(
        "What PCA would save",
        ["Best logistic regression with and without it, cross-validated.", "", _table(header, rows)],
    )


def _groups(found: Facts) -> Iterable[tuple[str, Facts]]:
    """Held-out scores with rows: all of them, then by language and by source."""
    groups = [("all", found.get("held_out", {}))]
    groups += [(str(name), scores) for name, scores in found.get("held_out_by_language", {}).items()]
    groups += [(str(name), scores) for name, scores in found.get("held_out_by_source", {}).items()]
    return [(name, scores) for name, scores in groups if scores.get("rows")]


def _value(scores: Facts, key: str, share: bool = False) -> str:
    """A figure with its interval, if there is one."""
    value, interval = scores.get(key), scores.get(f"{key}_interval")
    if value is None:
        return DASH
    shown = f"{100 * value:.1f} %" if share else f"{value:.3f}"
    if interval is None:
        return shown
    low, high = (f"{100 * end:.1f}" if share else f"{end:.3f}" for end in interval)
    return f"{shown} [{low}, {high}]"


def _count(value: int | None) -> str:
    return DASH if value is None else f"{value:,}"


def _cell(value: object) -> str:
    """Text that can't break the table that it stands in."""
    text = " ".join(str(value or DASH).split())
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _section(title: str, lines: Sequence[str]) -> str:
    return f"## {title}\n\n" + "\n".join(lines).strip() if lines else ""
