import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from core.model.features import CentredVectors, TextColumns, WeightedPCA, featurise
from core.model.ngrams import NGRAM_COLUMNS

RANDOM = np.random.default_rng(0)


def test_features_hold_vector_language_and_text() -> None:
    vectors = RANDOM.normal(size=(2, 8)).astype(np.float32)
    features = featurise(vectors, ["胸口疼", "chest pain"])
    assert features.shape == (2, 8 + 1 + NGRAM_COLUMNS)
    assert np.array_equal(features.vectors, vectors)
    assert features.chinese.tolist() == [1.0, 0.0]
    assert TextColumns().fit(features).transform(features).shape == (2, NGRAM_COLUMNS)


@given(st.lists(st.text(max_size=20), max_size=6))
def test_rows_of_ngrams_have_length_1_or_nothing(texts: list[str]) -> None:
    found = featurise(np.zeros((len(texts), 2), np.float32), texts).ngrams
    for row, text in enumerate(texts):
        assert np.isclose(found[[row]].power(2).sum(), 1.0 if text.split() else 0.0)


def test_the_same_rows_are_taken_of_everything() -> None:
    vectors = RANDOM.normal(size=(3, 8)).astype(np.float32)
    texts = ["头疼", "chest pain", "rash"]
    features, chosen = featurise(vectors, texts), np.array([2, 0])
    alone = featurise(vectors[chosen], [texts[place] for place in chosen])
    assert np.array_equal(features[chosen].vectors, alone.vectors)
    assert np.array_equal(features[chosen].chinese, alone.chinese)
    assert (features[chosen].ngrams != alone.ngrams).nnz == 0


def test_each_language_is_centred_on_its_own_mean() -> None:
    meaning = RANDOM.normal(size=(100, 8))
    chinese, english = meaning[:50] + 3, meaning[50:] - 3
    texts = ["头疼"] * 50 + ["headache"] * 50
    features = featurise(np.vstack([chinese, english]).astype(np.float32), texts)
    centred = CentredVectors().fit(features).transform(features)
    assert np.allclose(centred[:50].mean(axis=0), 0, atol=1e-5)
    assert np.allclose(centred[50:].mean(axis=0), 0, atol=1e-5)
    assert np.isclose(np.sqrt(np.mean(centred**2)), 1.0)


def test_a_language_hardly_seen_takes_the_mean_of_all() -> None:
    vectors = RANDOM.normal(size=(60, 8)).astype(np.float32)
    features = featurise(vectors, ["headache"] * 58 + ["头疼"] * 2)
    fitted = CentredVectors().fit(features)
    assert np.allclose(fitted.means_[1], vectors.mean(axis=0), atol=1e-6)


def test_weights_count_like_copies_in_pca() -> None:
    rows = RANDOM.normal(size=(50, 6)) @ np.diag([3, 2, 1, 1, 0.5, 0.1])
    copies = RANDOM.integers(1, 4, 50)
    weighted = WeightedPCA(n_components=0.95, svd_solver="covariance_eigh").fit(rows, None, copies.astype(float))
    plain = PCA(n_components=0.95, svd_solver="covariance_eigh").fit(np.repeat(rows, copies, axis=0))
    assert np.allclose(weighted.mean_, plain.mean_)
    assert weighted.n_components_ == plain.n_components_
    assert np.allclose(weighted.explained_variance_ratio_, plain.explained_variance_ratio_)
    assert np.allclose(np.abs(weighted.components_), np.abs(plain.components_), atol=1e-6)
