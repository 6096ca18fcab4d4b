"""The classifiers that training chooses from: plain scikit-learn pipelines over `core.model.features.NoteFeatures`.

Each takes row weights through metadata routing, which training switches on.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import VotingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from core.model.experts import Experts
from core.model.features import CentredVectors, TextColumns, WeightedPCA

STRENGTHS = (0.001, 0.003, 0.01, 0.03)
PCA_STRENGTHS = (0.003, 0.01)
NEIGHBOURS = 25
TEXT_SHARES = (0.15, 0.3, 0.5)


@dataclass(frozen=True, slots=True)
class Blend:
    """A mean of two candidates' probabilities: `share` of `text`, the rest of `vector`."""

    vector: str
    text: str
    share: float


def single_candidates(pca: float, *, pca_only: bool) -> dict[str, ClassifierMixin]:
    """Candidates that are one pipeline, by name, unfitted.

    Args:
        pca: share of the variance that the PCA candidates keep (0 to 1).
        pca_only: whether a PCA candidate must be chosen; otherwise one of them is there to compare.
    """
    found: dict[str, ClassifierMixin] = {}
    for strength in STRENGTHS:
        found[f"logistic C={strength:g}"] = make_pipeline(CentredVectors(), _logistic(strength))
        if strength in PCA_STRENGTHS or pca_only:
            found[f"pca logistic C={strength:g}"] = make_pipeline(CentredVectors(), _reduced(pca), _logistic(strength))
    found["linear svm"] = make_pipeline(CentredVectors(), _support_vectors())
    found["neighbours"] = make_pipeline(
        CentredVectors(), KNeighborsClassifier(n_neighbors=NEIGHBOURS, weights="distance", metric="cosine")
    )
    found["text"] = make_pipeline(TextColumns(), _descended())
    return found


def blends(log_losses: Mapping[str, float], *, pca_only: bool) -> dict[str, Blend]:
    """Blends of the text candidate with the best vector candidate of those scored, by name."""
    kind = "pca logistic" if pca_only else "logistic"
    vector = min((name for name in log_losses if name.startswith(kind)), key=lambda name: log_losses[name])
    return {f"{vector} + text {share:g}": Blend(vector, "text", share) for share in TEXT_SHARES}


def blended(blend: Blend, singles: Mapping[str, ClassifierMixin]) -> VotingClassifier:
    """The blend as one estimator, unfitted."""
    return VotingClassifier(
        [("vector", singles[blend.vector]), ("text", singles[blend.text])],
        voting="soft",
        weights=[1 - blend.share, blend.share],
    )


def pca_of(model: ClassifierMixin) -> PCA | None:
    """The fitted PCA inside a candidate, if it has one."""
    if isinstance(model, Experts):
        return pca_of(model.general_)
    if isinstance(model, VotingClassifier):
        return next((found for part in model.estimators_ if (found := pca_of(part)) is not None), None)
    steps = [step for _, step in model.steps] if isinstance(model, Pipeline) else []
    return next((step for step in steps if isinstance(step, PCA)), None)


def _reduced(variance: float) -> WeightedPCA:
    reduced = WeightedPCA(n_components=variance, svd_solver="covariance_eigh")
    reduced.set_fit_request(sample_weight=True)
    return reduced


def _logistic(strength: float) -> LogisticRegression:
    return LogisticRegression(C=strength, max_iter=120).set_fit_request(sample_weight=True)


def _descended() -> SGDClassifier:
    """Logistic regression by stochastic descent, one against the rest: minutes less than a solver on n-grams."""
    descent = SGDClassifier(loss="log_loss", alpha=1e-5, max_iter=20, tol=None, average=True, random_state=0)
    return descent.set_fit_request(sample_weight=True)


def _support_vectors() -> CalibratedClassifierCV:
    machine = SGDClassifier(loss="hinge", alpha=1e-3, random_state=0).set_fit_request(sample_weight=True)
    return CalibratedClassifierCV(machine, method="sigmoid", cv=3).set_fit_request(sample_weight=True)
