import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.access.people import LONGEST, displayed_name, person_id
from core.access.roles import OPEN_TO, OWN_NAMES, ROLES, ROOMS, names_in, read_names, roles_of, rooms_of

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@pytest.mark.parametrize("role", ROLES)
def test_a_claim_that_is_a_text_or_a_list_gives_its_role(role: str) -> None:
    assert roles_of({"roles": role}, "roles", OWN_NAMES) == {role}
    assert roles_of({"roles": ["somebody", role, "else"]}, "roles", OWN_NAMES) == {role}


@pytest.mark.parametrize("claim", [None, 3, True, {"nurse": True}, [["nurse"]], [{"nurse": 1}], "", "Nurse", "nurse "])
def test_a_claim_of_the_wrong_type_or_an_unknown_name_gives_none(claim: object) -> None:
    assert roles_of({"roles": claim}, "roles", OWN_NAMES) == frozenset()


def test_a_claim_that_is_not_there_gives_none() -> None:
    assert roles_of({"role": "nurse"}, "roles", OWN_NAMES) == frozenset()


@given(ANYTHING)
def test_whatever_a_claim_holds_gives_known_roles_or_none(claim: object) -> None:
    assert roles_of({"roles": claim}, "roles", OWN_NAMES) <= set(ROLES)


def test_a_claim_can_stand_within_another() -> None:
    claims = {"realm_access": {"roles": ["lead"]}}
    assert roles_of(claims, "realm_access.roles", OWN_NAMES) == {"lead"}
    assert roles_of({"realm_access": "lead"}, "realm_access.roles", OWN_NAMES) == frozenset()
    assert roles_of({"https://x.org/roles": "lead"}, "https://x.org/roles", OWN_NAMES) == {"lead"}


def test_a_site_s_own_names_take_the_place_of_ours() -> None:
    names = read_names(" triage-nurses = nurse, it=administrator ,")
    assert roles_of({"roles": ["triage-nurses", "it"]}, "roles", names) == {"nurse", "administrator"}
    assert roles_of({"roles": "administrator"}, "roles", names) == frozenset()


def test_names_of_a_directory_may_hold_commas_and_signs_of_equality() -> None:
    assert read_names("cn=it,ou=groups=administrator;cn=er=nurse") == {
        "cn=it,ou=groups": "administrator",
        "cn=er": "nurse",
    }


@pytest.mark.parametrize("text", ["nurses", "nurses=boss", "=nurse", "a=nurse,b"])
def test_a_mapping_that_can_t_be_read_says_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected NAME=ROLE"):
        read_names(text)


def test_no_role_opens_no_page_and_several_roles_open_the_pages_of_each() -> None:
    assert rooms_of(frozenset()) == ()
    assert rooms_of(frozenset({"nurse", "researcher"})) == ("triage", "spreadsheet", "map", "quality")
    assert rooms_of(frozenset(ROLES)) == ROOMS


def test_only_the_administrator_may_change_the_model_and_only_nurse_and_lead_triage() -> None:
    assert [role for role in ROLES if "administration" in OPEN_TO[role]] == ["administrator"]
    assert [role for role in ROLES if "triage" in OPEN_TO[role]] == ["nurse", "lead"]


def test_names_are_read_in_order() -> None:
    assert names_in({"roles": ("b", "a", 3)}, "roles") == ("b", "a")


@pytest.mark.parametrize("sub", ["nurse1", "a" * LONGEST, "6f1c-77", "张护士"])
def test_a_person_is_called_as_the_provider_calls_them(sub: str) -> None:
    assert person_id({"sub": sub}) == sub


@pytest.mark.parametrize("sub", ["a" * (LONGEST + 1), "local", "desk", "api:lab", "sub:x", "a\nb", "\ud800"])
def test_an_id_that_is_too_long_or_means_somebody_else_becomes_its_hash(sub: str) -> None:
    found = person_id({"sub": sub})
    assert found is not None
    assert found.startswith("sub:")
    assert len(found) == 68
    assert found != sub


@pytest.mark.parametrize("claims", [{}, {"sub": ""}, {"sub": " "}, {"sub": 7}, {"sub": ["nurse1"]}])
def test_who_has_no_id_is_nobody(claims: dict[str, object]) -> None:
    assert person_id(claims) is None


def test_the_name_on_screen_is_short_and_has_no_signs_that_don_t_print() -> None:
    assert displayed_name({"name": "Nurse\u202eOne"}, "n1") == "NurseOne"
    assert displayed_name({"name": 3, "email": "nurse@example.org"}, "n1") == "nurse@example.org"
    assert len(displayed_name({"name": "x" * 500}, "n1")) == 60
