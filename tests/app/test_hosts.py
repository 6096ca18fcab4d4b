import pytest

from app.hosts import LOOPBACK, allowed_hosts


@pytest.mark.parametrize("url", [None, "", "http://localhost:8501", "https://127.0.0.1"])
def test_without_a_name_only_this_machine_s_names_are_served(url: str | None) -> None:
    assert allowed_hosts(url) == list(LOOPBACK)


def test_the_name_that_people_use_is_served() -> None:
    assert allowed_hosts("https://triage.example.org:8443/") == [*LOOPBACK, "triage.example.org"]
