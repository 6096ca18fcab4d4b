import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.access.keys import KeyStore
from core.access.principal import Principal
from core.errors import AccessError

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)


def test_a_key_stands_for_its_name_and_scopes(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    token, key = store.create("ward-7", ["jobs", "assess"])
    assert store.principal_of(token) == Principal("ward-7", frozenset(), frozenset({"assess", "jobs"}))
    assert key.scopes == ("assess", "jobs")
    assert KeyStore(tmp_path).principal_of(token) is not None


def test_the_file_holds_a_hash_and_not_the_key(tmp_path: Path) -> None:
    token, _ = KeyStore(tmp_path).create("a", ["assess"])
    file = tmp_path / "access.sqlite"
    assert token.rpartition("_")[2].encode() not in file.read_bytes()
    assert token.encode() not in file.read_bytes()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(token.split("_", 2)[2]) == 43  # 256 bits


def test_no_two_keys_are_alike(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    assert len({store.create(f"k{number}", ["assess"])[0] for number in range(20)}) == 20


@pytest.mark.parametrize("name", ["", "local", "a b", "-a", "a" * 65, "名", "a/b", "a\n"])
def test_a_name_that_is_none_makes_no_key(tmp_path: Path, name: str) -> None:
    with pytest.raises(AccessError):
        KeyStore(tmp_path).create(name, ["assess"])
    assert KeyStore(tmp_path).is_empty


@pytest.mark.parametrize(("scopes", "days"), [([], 90), (["admin"], 90), (["assess"], 0), (["assess"], 4000)])
def test_unknown_scopes_and_strange_days_make_no_key(tmp_path: Path, scopes: list[str], days: int) -> None:
    with pytest.raises(AccessError):
        KeyStore(tmp_path).create("a", scopes, days)


def test_a_name_is_free_again_once_its_key_is_revoked(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    _, key = store.create("a", ["assess"])
    with pytest.raises(AccessError, match="already"):
        store.create("a", ["assess"])
    store.revoke(key.id)
    store.create("a", ["assess"])
    assert [each.state(datetime.now(UTC)) for each in store.all()] == ["valid", "revoked"]


def test_a_key_that_another_process_revokes_is_refused_at_once(tmp_path: Path) -> None:
    served, other = KeyStore(tmp_path), KeyStore(tmp_path)
    token, key = other.create("a", ["assess"])
    assert served.principal_of(token)
    other.revoke(key.id)
    assert served.principal_of(token) is None
    with pytest.raises(AccessError, match="no key"):
        other.revoke("0" * 12)


def test_a_key_ends_on_its_day(tmp_path: Path) -> None:
    now = [NOON]
    store = KeyStore(tmp_path, lambda: now[0])
    token, _ = store.create("a", ["assess"], days=2)
    now[0] = NOON + timedelta(days=2, seconds=-1)
    assert store.principal_of(token)
    now[0] = NOON + timedelta(days=2)
    assert store.principal_of(token) is None
    assert not store.is_empty


def test_the_day_of_its_last_use_is_kept(tmp_path: Path) -> None:
    now = [NOON]
    store = KeyStore(tmp_path, lambda: now[0])
    token, _ = store.create("a", ["assess"])
    assert store.all()[0].last_used is None
    for day in (0, 0, 3):
        now[0] = NOON + timedelta(days=day)
        store.principal_of(token)
        assert store.all()[0].last_used == now[0].date()


def test_looking_for_a_key_makes_no_file(tmp_path: Path) -> None:
    store = KeyStore(tmp_path)
    assert store.is_empty
    assert store.principal_of("triage_000000000000_" + "a" * 43) is None
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_lets_nobody_in(tmp_path: Path) -> None:
    token, _ = KeyStore(tmp_path).create("a", ["assess"])
    (tmp_path / "access.sqlite").write_bytes(b"x" * 5000)
    store = KeyStore(tmp_path)
    for ask in (lambda: store.principal_of(token), lambda: store.is_empty, store.all):
        with pytest.raises(AccessError):
            ask()
