"""Watches over a sign-in while its page is open: sees that somebody uses it, and clears the screen when it has ended.

Keys, clicks and touches count as use; the page's own timers do not.
"""

from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.desk import sign_ins
from app.text import Voice
from core.records.database import now

EVERY = timedelta(seconds=5)  # how soon an end is seen, from whichever server it came
WARNING = timedelta(minutes=1)  # before the end
KEPT = ("language", "sign_in")  # of a session's state when its person is gone

_SCRIPT = """
const KINDS = ["keydown", "pointerdown", "wheel", "touchstart"]

export default function ({ data, parentElement, setTriggerValue }) {
  if (data.isOver) {
    // What was typed and not sent (app/answer_focus.py) goes, too.
    if (window.triageDesk) window.triageDesk.draft = ""
    return
  }
  let told = -Infinity
  const used = (event) => {
    if (!event.isTrusted || performance.now() - told < data.pause) return
    told = performance.now()
    setTriggerValue("used", true)
  }
  for (const kind of KINDS) document.addEventListener(kind, used, { capture: true, passive: true })
  return () => {
    for (const kind of KINDS) document.removeEventListener(kind, used, { capture: true })
  }
}
"""
_component = st.components.v2.component("triage_sign_in_watch", js=_SCRIPT)


def keep_watch(say: Voice, session: str) -> None:
    """Look every few seconds whether the sign-in goes on; where it has ended, the page is drawn anew, without it."""
    idle = sign_ins().idle
    every = min(EVERY, idle / 4)

    def used() -> None:
        sign_ins().seen(session)

    @st.fragment(run_every=every)
    def watched() -> None:
        found = sign_ins().find(session)
        if found is None or found.ended:
            st.rerun()
        pause = min(timedelta(seconds=20), idle / 8)
        _component(
            key="sign_in_watch",
            data={"isOver": False, "pause": 1000 * pause.total_seconds()},
            on_used_change=used,
            height=1,
        )
        left = found.left(now(), idle)
        if left <= min(WARNING, idle / 3):
            is_idle = found.last_seen + idle <= found.expires
            st.warning(
                say("Nobody has used this page for a while. Press any key to stay signed in.")
                if is_idle
                else say("Your sign-in expires in a moment. Finish what you are doing, then sign in again."),
                icon=":material/timer:",
            )

    with st.container(key="sign_in_watch_place"):
        watched()


def clear(*, forget: bool) -> None:
    """Forget what this page held: nobody is there to whom it belongs.

    Args:
        forget: somebody was here whose notes the browser may still hold, too.
    """
    state: MutableMapping[Any, Any] = st.session_state
    for key in [key for key in state if key not in KEPT]:
        del state[key]
    context = get_script_run_ctx()
    if context:
        context.uploaded_file_mgr.remove_session_files(context.session_id)
    if forget:
        _component(key="sign_in_watch_end", data={"isOver": True, "pause": 0}, height=1)
