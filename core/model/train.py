"""`triage train`: labelled tables in, a verified bundle out."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.model_selection import StratifiedGroupKFold
from threadpoolctl import threadpool_limits

from core.embedding.client import Embedder
from core.embedding.space import Vectors, take_fingerprint
from core.errors import TrainingError
from core.model.across import by_left_out_source, score_head
from core.model.bundle import CARD, CARD_JSON, Bundle, Manifest, Reference, library_versions, save_bundle
from core.model.card import model_card
from core.model.card_json import model_card_json
from core.model.familiarity import fit_familiarity
from core.model.features import featurise
from core.model.fit import FittedHead, fit_head, trusted_rows
from core.model.groups import near_duplicate_groups
from core.model.head import Head
from core.model.labelled import LabelledTable, read_labelled
from core.model.recipe import Recipe
from core.model.rows import Indices, LabelledNotes
from core.safety.identifiers import mask
from core.settings import REPOSITORY

Say = Callable[[str], None]
PATIENCE = 7 * 86_400.0  # seconds that embedding the tables may take, outages included
FAMILIAR_NOTES = 15_000  # notes that say what is familiar


def train_bundle(
    tables: Sequence[Path],
    out: Path,
    embedder: Embedder,
    recipe: Recipe,
    *,
    text_column: str | None = None,
    say: Say = lambda line: None,
    on_done: Callable[[int, int], None] | None = None,
) -> Bundle:
    """Train a head a task on the tables, and save the bundle in `out` for the embedder's space.

    Args:
        tables: csv, xlsx or parquet files with a text column and label columns.
        out: the bundle's folder; a bundle that is there is replaced when all is done.
        embedder: what gives the vectors; texts that its cache has are not embedded again.
        recipe: tasks, weights, coverage and the rest.
        text_column: the text column's name; none: guessed.
        say: told in a line what is being done.
        on_done: told (texts embedded, texts in all) on the way.

    Raises:
        TableError, TrainingError, EndpointError, BundleError: as their messages say; `out` is as it was before.
    """
    with threadpool_limits(limits=1, user_api="blas"):  # sums in one order: the same heads on any number of cores
        return _trained(tables, out, embedder, recipe, text_column, say, on_done)


def _trained(
    tables: Sequence[Path],
    out: Path,
    embedder: Embedder,
    recipe: Recipe,
    text_column: str | None,
    say: Say,
    on_done: Callable[[int, int], None] | None,
) -> Bundle:
    table = read_labelled(tables, recipe, text_column=text_column)
    say(f"{len(table.texts)} notes from {len(tables)} tables")
    vectors = _embedded(table, embedder, on_done)
    say("Looking for near-duplicates")
    groups = near_duplicate_groups(table.texts.tolist())
    fitted: dict[str, FittedHead] = {}
    trained: list[Indices] = []
    for task in recipe.tasks:
        say(f"Training {task}")
        rows = np.flatnonzero(table.labels[task] != "")
        fitted[task], kept = _task(task, table, vectors, groups, rows, recipe, say)
        trained.append(kept)
        facts = fitted[task].facts
        say(f"{task}: {facts['chosen']}, top-1 {facts['held_out']['top1']:.3f} on held-out rows")
    say("Learning what is familiar")
    kept = np.unique(np.concatenate(trained))
    known = _evenly(table.sources[kept], FAMILIAR_NOTES, recipe.seed, first=recipe.trusted)
    sample = kept[known]
    familiarity, familiar = fit_familiarity(featurise(vectors[sample], table.texts[sample].tolist()), groups[sample])
    manifest = _manifest(table, fitted, familiar, embedder, recipe)
    heads = {task: found.head for task, found in fitted.items()}
    bundle = Bundle(manifest, heads, _reference(table, vectors, kept, recipe), familiarity)
    facts = card_facts(manifest)
    return save_bundle(out, bundle, {CARD: model_card(facts), CARD_JSON: model_card_json(facts)})


def _embedded(table: LabelledTable, embedder: Embedder, on_done: Callable[[int, int], None] | None) -> Vectors:
    texts: list[str] = table.texts.tolist()
    done = 0

    def count(more: int) -> None:
        nonlocal done
        done += more
        if on_done is not None:
            on_done(done, len(texts))

    embeddings = embedder.embed(texts, timeout=PATIENCE, on_done=count)
    if embeddings.errors:
        raise TrainingError(
            f"The endpoint refused {len(embeddings.errors)} of {len(texts)} notes; no model was made. "
            f"The first is note {min(embeddings.errors) + 1}: {embeddings.errors[min(embeddings.errors)]}"
        )
    return embeddings.vectors


def _task(
    task: str, table: LabelledTable, vectors: Vectors, groups: Indices, rows: Indices, recipe: Recipe, say: Say
) -> tuple[FittedHead, Indices]:
    """One fitted head with its held-out figures, and the rows that it was trained on."""
    labels, sources = table.labels[task][rows], table.sources[rows]
    features = featurise(vectors[rows], table.texts[rows].tolist(), trusted_rows(labels, sources, recipe))
    notes = LabelledNotes(features, labels, groups[rows], sources)
    folds = StratifiedGroupKFold(n_splits=round(1 / recipe.held_out), shuffle=True, random_state=recipe.seed)
    kept, apart = next(iter(folds.split(rows, notes.labels, notes.groups)))
    lost = set(notes.labels) - set(notes.labels[kept])
    if lost:
        raise TrainingError(
            f"All notes of {', '.join(sorted(lost))} ({task}) are near-duplicates of each other; there is nothing to "
            "test them on. Add other notes, or merge the class with --merge-small NAME."
        )
    found = fit_head(task, notes.rows(kept), recipe)
    facts = dict(found.facts) | _held_out(found.head, notes.rows(apart), table.languages[rows][apart])
    if recipe.leave_out:
        facts["left_out"] = by_left_out_source(task, notes, found.model, recipe, say)
    return replace(found, facts=facts), rows[kept]


def _held_out(head: Head, notes: LabelledNotes, languages: np.ndarray[Any, np.dtype[np.str_]]) -> dict[str, Any]:
    """Figures on rows that training never saw: all of them, and by language."""

    def scores(rows: Indices) -> dict[str, Any]:
        return score_head(head, notes.rows(rows))

    return {
        "held_out": scores(np.arange(len(notes))),
        "held_out_by_language": {str(name): scores(np.flatnonzero(languages == name)) for name in np.unique(languages)},
        "held_out_by_source": {str(s): scores(np.flatnonzero(notes.sources == s)) for s in np.unique(notes.sources)},
    }


def _reference(table: LabelledTable, vectors: Vectors, rows: Indices, recipe: Recipe) -> Reference | None:
    """A sample of the training rows, with the texts of sources that may be shown, identifiers masked."""
    if recipe.reference == 0:
        return None
    chosen = rows[_evenly(table.sources[rows], recipe.reference, recipe.seed, first=recipe.shown)]
    labels = {task: column[chosen] for task, column in table.labels.items()}
    labels |= {"source": table.sources[chosen], "language": table.languages[chosen]}
    may_show = np.isin(table.sources[chosen], recipe.shown)
    texts = tuple(mask(text.replace("\0", " ")) for text in np.where(may_show, table.texts[chosen], "").tolist())
    return Reference(vectors[chosen].astype(np.float16), labels, texts if may_show.any() else ())


def _evenly(sources: NDArray[np.str_], count: int, seed: int, *, first: tuple[str, ...] = ()) -> Indices:
    """Positions of at most `count` rows: all of the sources `first`, then as many of each other while it lasts."""
    order = np.random.default_rng(seed).permutation(len(sources))
    rank = np.zeros(len(order), dtype=np.int64)
    for source in np.unique(sources):
        mine = sources[order] == source
        rank[mine] = 0 if source in first else np.arange(mine.sum())
    return np.sort(order[np.argsort(rank, kind="stable")[:count]])


def _manifest(
    table: LabelledTable,
    fitted: Mapping[str, FittedHead],
    familiar: Mapping[str, Any],
    embedder: Embedder,
    recipe: Recipe,
) -> Manifest:
    now = datetime.now(UTC)
    digest = blake2b(digest_size=3)
    for found in fitted.values():
        digest.update(found.head.thresholds.tobytes())
    return Manifest(
        name=recipe.name,
        version=f"{now:%Y%m%d-%H%M%S}-{digest.hexdigest()}",
        space=embedder.space,
        fingerprint=take_fingerprint(embedder),
        tasks={
            task: {"classes": list(found.head.classes), "coverage": recipe.coverage, **found.facts}
            for task, found in fitted.items()
        },
        data={
            "notes": len(table.texts),
            "left_out": dict(table.left_out),
            "sources": _sources(table, recipe),
            "shown": list(recipe.shown),
            "familiarity": dict(familiar),
        },
        libraries=library_versions(),
        commit=_commit(),
        created=now.isoformat(timespec="seconds"),
    )


def _sources(table: LabelledTable, recipe: Recipe) -> dict[str, Any]:
    """Rows, languages, labels and origin of each source."""
    found: dict[str, Any] = {}
    for source in np.unique(table.sources):
        mine = table.sources == source
        found[str(source)] = {
            "rows": int(mine.sum()),
            "languages": sorted({str(name) for name in table.languages[mine]}),
            "labelled": {task: int((column[mine] != "").sum()) for task, column in table.labels.items()},
            "origin": recipe.sources.get(str(source), ""),
        }
    return found


def _commit() -> str:
    """The checkout's commit, or an empty string outside one."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no input
            ["git", "-C", str(REPOSITORY), "rev-parse", "HEAD"],  # noqa: S607 - git is found where the site has it
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def card_facts(manifest: Manifest) -> dict[str, Any]:
    """What the model card tells, as plain data."""
    return manifest.as_json() | {"space_id": manifest.space.id}
