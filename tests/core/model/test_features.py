import numpy as np

from core.model.features import TEXT_COLUMNS, CentredVectors, TextColumns, featurise

RANDOM = np.random.default_rng(0)


def test_a_feature_row_holds_vector_language_and_text() -> None:
    vectors = RANDOM.normal(size=(2, 8)).astype(np.float32)
    features = featurise(vectors, ["胸口疼", "chest pain"])
    assert features.shape == (2, 8 + 1 + TEXT_COLUMNS)
    assert np.allclose(features[:, :8].toarray(), vectors)
    assert features[:, 8:9].toarray().ravel().tolist() == [1.0, 0.0]
    assert TextColumns(8).fit(features).transform(features).shape == (2, TEXT_COLUMNS)


def test_each_language_is_centred_on_its_own_mean() -> None:
    meaning = RANDOM.normal(size=(100, 8))
    chinese, english = meaning[:50] + 3, meaning[50:] - 3
    texts = ["头疼"] * 50 + ["headache"] * 50
    features = featurise(np.vstack([chinese, english]).astype(np.float32), texts)
    centred = CentredVectors(8).fit(features).transform(features)
    assert np.allclose(centred[:50].mean(axis=0), 0, atol=1e-6)
    assert np.allclose(centred[50:].mean(axis=0), 0, atol=1e-6)
    assert np.isclose(np.sqrt(np.mean(centred**2)), 1.0)


def test_a_language_hardly_seen_takes_the_mean_of_all() -> None:
    vectors = RANDOM.normal(size=(60, 8)).astype(np.float32)
    features = featurise(vectors, ["headache"] * 58 + ["头疼"] * 2)
    fitted = CentredVectors(8).fit(features)
    assert np.allclose(fitted.means_[1], vectors.mean(axis=0), atol=1e-6)
