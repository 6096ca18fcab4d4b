"""The part of the Administration page about versions: which model answers, and what can be done with the others."""

import pandas as pd
import streamlit as st

from app.desk import note, open_desk
from app.edge import calm, plain, said_of_error
from app.sign_in.admission import still_admit
from app.text import Voice
from core.errors import TriageError
from core.model.bundle import verify_bundle
from core.model.catalogue import KnownBundle, known_bundles
from core.model.registry import Registry
from core.records.acts import Act
from core.settings import Settings

DASH = "–"
# Kept in the session: what a person is asked to confirm, what was done, and that the audit log does not have it.
ASKED, DONE, UNNOTED = "administration_asked", "administration_done", "administration_unnoted"


def show_versions(settings: Settings, say: Voice) -> None:
    """The bundle in use, all others, and what can be done with them."""
    if DONE in st.session_state:
        st.success(st.session_state.pop(DONE), icon=":material/check_circle:")
    if st.session_state.pop(UNNOTED, False):
        st.warning(
            say("The change is made, but it could not be written into the audit log."), icon=":material/cloud_off:"
        )
    bundles = known_bundles(settings)
    in_use = next((bundle for bundle in bundles if bundle.in_use), None)
    if in_use is None:
        st.error(
            say("The model in use is gone. Notes get no answer until another one is used: choose it below."),
            icon=":material/error:",
        )
    else:
        _show_answering(in_use, say)
    manifests = [bundle.manifest for bundle in bundles]
    table = pd.DataFrame({
        say("Version"): [_name(bundle, say) for bundle in bundles],
        say("State"): [_state(bundle, say) for bundle in bundles],
        say("Made"): [each.created[:10] if each else DASH for each in manifests],
        say("Embedding model"): [each.space.model if each else DASH for each in manifests],
        say("Numbers in a vector"): [each.space.dimension if each else None for each in manifests],
    })  # fmt: skip
    st.dataframe(table, hide_index=True, alt=say("Versions"))
    if bundles:
        _show_actions(bundles, settings, say)


def _show_answering(in_use: KnownBundle, say: Voice) -> None:
    """What answers now, where that is another bundle than the one in use: it was changed on the command line."""
    try:
        identity = open_desk().bundle.identity
    except TriageError as error:
        why = plain(said_of_error(error, say))
        st.error(why, title=say("The model in use can't be loaded."), icon=":material/error:")
        return
    answering = f"{identity.bundle}/{identity.version}"
    manifest = in_use.manifest
    st.write(say("Answers now: {version}", version=f"**{plain(answering)}**"))
    if manifest and answering != f"{manifest.name}/{manifest.version}":
        st.warning(say("Another version was put in use since this server was started."), icon=":material/update:")
        if st.button(say("Load it now"), key="load_now"):
            with calm(say, say("Nothing was changed.")):
                _load(say("{version} answers from now on.", version=plain(in_use.reference)), say)


def _state(bundle: KnownBundle, say: Voice) -> str:
    words = [say("in use")] if bundle.in_use else []
    words += [say("came with the desk")] if bundle.shipped else []
    words += [say("can't be read")] if bundle.trouble else []
    return ", ".join(words) or say("in the registry")


def _name(bundle: KnownBundle, say: Voice) -> str:
    if bundle.registered or bundle.shipped:
        return bundle.reference
    return say("{version} (named by TRIAGE_MODEL)", version=bundle.reference)


def _show_actions(bundles: tuple[KnownBundle, ...], settings: Settings, say: Voice) -> None:
    fixed = settings.model is not None
    if fixed:
        st.info(
            say("TRIAGE_MODEL names the model to use, so versions can't be changed here. Remove that setting first."),
            icon=":material/lock:",
        )
    by_name = {_name(bundle, say): bundle for bundle in bundles}
    chosen = by_name[st.selectbox(say("Version"), list(by_name), key="administration_version", on_change=_forget)]
    registry = Registry(settings.data_dir)
    line = registry.pointer().line
    with st.container(horizontal=True):
        if st.button(say("Check its files"), icon=":material/verified_user:", key="verify"):
            _verify(chosen, say)
        if st.button(
            say("Use this version …"), icon=":material/publish:", key="promote",
            disabled=fixed or chosen.in_use or not chosen.registered or chosen.manifest is None,
        ):  # fmt: skip
            st.session_state[ASKED] = ("promote", chosen.reference)
        if st.button(say("Back to the version before …"), icon=":material/undo:", key="rollback",
                     disabled=fixed or not line):  # fmt: skip
            st.session_state[ASKED] = (
                "rollback", line[-2] if len(line) > 1 else say("the one that came with the desk")
            )  # fmt: skip
    if ASKED in st.session_state and not fixed:
        action, reference = st.session_state[ASKED]
        _confirm(action, reference, registry, say)
    if not any(bundle.registered for bundle in bundles):
        st.caption(say("Versions come here with: triage models promote FOLDER"))


def _verify(chosen: KnownBundle, say: Voice) -> None:
    with calm(say, say("This version can't be used.")), st.spinner(say("Checking …")):
        count = len(verify_bundle(chosen.folder).files)
        st.session_state[DONE] = say(
            "{version} is whole: all {count} files are as they were saved.",
            version=plain(chosen.reference),
            count=count,
        )
        st.rerun()


def _confirm(action: str, reference: str, registry: Registry, say: Voice) -> None:
    """Ask once more before everybody gets another model."""
    with st.container(border=True):
        st.write(say("{version} will answer for everybody from now on.", version=f"**{plain(reference)}**"))
        st.write(
            say("A note being assessed at this moment has to be sent again. Wait until no spreadsheet is running.")
        )
        with st.container(horizontal=True):
            agreed = st.button(say("Yes, change it"), type="primary", key="change_yes")
            if st.button(say("No, leave it"), key="change_no"):
                del st.session_state[ASKED]
                st.rerun()
    if agreed:
        del st.session_state[ASKED]  # first, so that a second click finds nothing to do
        with calm(say, say("Nothing was changed.")):
            still_admit("administration")
            before = registry.pointer().current
            if action == "promote":
                registry.promote(reference, verify_bundle)
            else:
                registry.rollback(verify_bundle)
            kind = Act.MODEL_PROMOTED if action == "promote" else Act.MODEL_ROLLED_BACK
            st.session_state[UNNOTED] = not note(kind, {"before": before, "now": registry.pointer().current})
            _load(say("{version} answers from now on.", version=plain(reference)), say)


def _load(done: str, say: Voice) -> None:
    """Open the desk anew, so that the version in use answers at once; say `done`, or what kept it from that."""
    still_admit("administration")
    open_desk.clear()
    try:
        with st.spinner(say("Loading the model …")):
            open_desk()
        st.session_state[DONE] = done
    except TriageError:
        pass  # the page says so by itself when it is drawn again
    st.rerun()


def _forget() -> None:
    """Another version was chosen: what was asked about the one before is no longer meant."""
    st.session_state.pop(ASKED, None)
