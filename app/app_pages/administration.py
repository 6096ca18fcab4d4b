"""Administration: does everything work, which model answers, which settings are in force, which levels and labels."""

from collections.abc import Callable, Mapping
from datetime import datetime

import pandas as pd
import streamlit as st

from app.administration_versions import show_versions
from app.administration_words import CHECKS, SETTINGS, STILL_WORKS, UNSET, advice
from app.desk import open_desk, records
from app.edge import calm, plain
from app.sign_in.admission import admit
from app.text import voice
from core.embedding.contract import Check, ContractReport, check_endpoint
from core.health import (
    EndpointHealth,
    StoreHealth,
    Trouble,
    check_cache,
    check_embedding,
    check_records,
    settings_in_force,
)
from core.model.catalogue import known_bundles, label_names
from core.model.scheme import LEVELS, scheme_in_use
from core.settings import load_settings

admit("administration")

say = voice()
settings = load_settings()
DASH = "–"
# Kept in the session: what was found.
HEALTH, CONTRACT = "administration_health", "administration_contract"


def show_health() -> None:
    """The parts that the desk stands on, checked when the button is pressed."""
    st.write(say("A check sends a test note to the endpoint, puts a vector into the cache and reads the records."))
    if st.button(say("Check now"), type="primary", icon=":material/health_and_safety:", key="check_now"):
        with st.spinner(say("Checking …")):
            st.session_state[HEALTH] = (
                datetime.now().astimezone(),
                check_embedding(lambda: open_desk().embedder, timeout=settings.embedding_timeout),
                check_cache(settings),
                check_records(settings, records),
            )
    if HEALTH in st.session_state:
        when, endpoint, cache, kept = st.session_state[HEALTH]
        st.caption(say("Checked at {time}", time=f"{when:%H:%M:%S}"))
        with st.grid(3, min_column_width=280):
            _show_part(say("Endpoint"), "endpoint", endpoint.trouble, _endpoint_facts(endpoint))
            _show_part(say("Cache"), "cache", cache.trouble, _store_facts(cache))
            _show_part(say("Records"), "records", kept.trouble, _store_facts(kept))
    _show_contract()


def _show_part(title: str, part: str, trouble: Trouble | None, facts: Mapping[str, str]) -> None:
    with st.container(border=True, height="stretch"):
        st.subheader(title)
        if trouble is None:
            st.success(say("Works"), icon=":material/check_circle:")
        else:
            words = advice(part, trouble.kind)
            st.error(
                "\n\n".join(plain(say(each)) for each in (words.happened, STILL_WORKS[part], words.do)),
                title=say("Does not work"),
                icon=":material/error:",
            )
        rows = {plain(name): plain(value) for name, value in facts.items() if value}
        st.table(rows, border="horizontal", alt=title)
        if trouble and trouble.message:
            with st.expander(say("In the desk's own words (English)")):
                st.write(plain(trouble.message))


def _endpoint_facts(found: EndpointHealth) -> dict[str, str]:
    space = found.space
    return {
        say("Address"): _address(found.address),
        say("Embedding model"): space.model if space else "",
        say("Numbers in a vector"): str(space.dimension) if space else "",
        say("Time for a test note"): _milliseconds(found.seconds) or DASH,
    }


def _store_facts(found: StoreHealth) -> dict[str, str]:
    kinds = {"sqlite": say("a file (SQLite)"), "redis": "Redis", "postgresql": "PostgreSQL",
             "none": say("switched off: nothing is kept")}  # fmt: skip
    return {
        say("Kept in"): kinds.get(found.kind, found.kind),
        say("Address"): found.address,
        say("Time"): _milliseconds(found.seconds) or DASH,
    }


def _address(name: str) -> str:
    return say("comes with the desk, on this machine") if name == "the embedded endpoint" else name


def _milliseconds(seconds: float | None) -> str:
    return "" if seconds is None else f"{1000 * seconds:,.0f} ms"


def _show_contract() -> None:
    st.subheader(say("Contract check"))
    st.write(
        say("Asks the endpoint everything that the desk relies on, with texts of its own. It takes up to a minute and "
            "slows the endpoint down meanwhile.")
    )  # fmt: skip
    if st.button(say("Run the contract check"), icon=":material/fact_check:", key="check_contract"):
        with st.status(say("Checking …"), expanded=True) as status, calm(say, say("The check could not be run.")):
            st.session_state[CONTRACT] = check_endpoint(settings, on_check=lambda check: st.write(_check_line(check)))
            status.update(label=say("Checked"), state="complete", expanded=False)
    report: ContractReport | None = st.session_state.get(CONTRACT)
    if report is None:
        return
    failed = sum(not check.passed for check in report.checks)
    if failed:
        st.error(
            say("{count} checks failed. Notes can get wrong answers or none; mend the endpoint first.", count=failed)
        )
    else:
        st.success(say("The endpoint keeps the contract."), icon=":material/check_circle:")
    table = pd.DataFrame({
        say("Check"): [say(CHECKS.get(check.name, check.name)) for check in report.checks],
        say("Result"): [_passed(check) for check in report.checks],
        say("Seen (English)"): [check.detail for check in report.checks],
    })  # fmt: skip
    st.dataframe(table, hide_index=True, height="content", alt=say("Contract check"))


def _passed(check: Check) -> str:
    return say("kept") if check.passed else say("broken")


def _check_line(check: Check) -> str:
    icon = ":material/check:" if check.passed else ":material/close:"
    return f"{icon} {plain(say(CHECKS.get(check.name, check.name)))}: {_passed(check)}"


def show_settings() -> None:
    """The settings in force, without secrets."""
    st.write(say("Set where the desk is started, as environment variables or in a .env file; changes need a restart."))
    found = settings_in_force(settings)
    table = pd.DataFrame({
        say("Setting"): [each.variable for each in found],
        say("What it is"): [say(SETTINGS[each.variable]) if each.variable in SETTINGS else DASH for each in found],
        say("Value"): [
            say("set, hidden") if each.secret and each.value
            else each.value or (say(UNSET[each.variable]) if each.variable in UNSET else DASH)
            for each in found
        ],
        say("From"): [say("set here") if each.origin == "set" else say("default") for each in found],
    })  # fmt: skip
    st.dataframe(table, hide_index=True, height="content", alt=say("Settings in force"))


def _minutes(minutes: int | None) -> str:
    if minutes is None:
        return say("no time set by the scheme")
    return say("{minutes} minutes", minutes=minutes) if minutes else say("at once")


def show_labels() -> None:
    """The acuity scheme, and the labels that the model in use can answer."""
    scheme = scheme_in_use()
    st.subheader(say("Levels of urgency ({scheme})", scheme=plain(scheme.name)))
    levels = {
        say("Level"): [level.code for level in scheme.levels],
        "中文": list(scheme.names["zh"]),
        "English": list(scheme.names["en"]),
        say("To be seen within"): [_minutes(level.seen_within) for level in scheme.levels],
    }
    st.dataframe(levels, hide_index=True, alt=say("Levels of urgency"))
    with st.expander(say("What a wrong level costs")):
        st.write(say("Line: right level. Column: level given. The level with the least expected cost is given; "
                     "not urgent enough costs more than too urgent."))  # fmt: skip
        costs = pd.DataFrame(scheme.costs, columns=[str(level) for level in LEVELS])
        costs.insert(0, say("Right level"), list(LEVELS))
        st.dataframe(costs, hide_index=True, alt=say("What a wrong level costs"))
    st.subheader(say("Labels"))
    manifest = next((bundle.manifest for bundle in known_bundles(settings) if bundle.in_use), None)
    found = label_names(manifest)
    table = pd.DataFrame({
        say("Question"): [say.wording.task(each.task) for each in found],
        "中文": [each.zh for each in found],
        "English": [each.en for each in found],
        say("Written in tables as"): [each.label for each in found],
        say("The model in use answers it"): [say("yes") if each.answered else say("no") for each in found],
    })  # fmt: skip
    st.dataframe(table, hide_index=True, height="content", alt=say("Labels"))


SECTIONS: tuple[tuple[str, Callable[[], None]], ...] = (
    (say("State"), show_health),
    (say("Versions"), lambda: show_versions(settings, say)),
    (say("Settings"), show_settings),
    (say("Levels and labels"), show_labels),
)
for tab, (title, show) in zip(st.tabs([title for title, _ in SECTIONS]), SECTIONS, strict=True):
    with tab, calm(say, say("{section} can't be shown.", section=title)):
        show()
