"""Watches over a sign-in while its page is open: sees that somebody uses it, and clears the screen when it has ended.

Keys, clicks and touches count as use; the page's own timers do not. The browser tells of use past Streamlit
(`app.sign_in.door`): a widget of a fragment would be sent in one message with what is clicked in the same moment, and
then only the fragment runs; a note that was just sent would get no answer.
"""

from collections.abc import MutableMapping
from datetime import timedelta
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from app.desk import sign_ins
from app.sign_in.door import USED
from app.text import Voice
from core.records.database import now

EVERY = timedelta(seconds=5)  # how soon an end is seen, from whichever server it came
WARNING = timedelta(minutes=1)  # before the end
KEPT = ("language", "sign_in")  # of a session's state when its person is gone

_SCRIPT = """
const KINDS = ["keydown", "pointerdown", "wheel", "touchstart"]
const GRACE = 3000

function cover(words) {
  if (document.getElementById("triage-cover")) return
  const sheet = document.createElement("div")
  sheet.id = "triage-cover"
  sheet.setAttribute("role", "alert")
  sheet.textContent = words
  const background = getComputedStyle(document.querySelector("[data-testid=stApp]")).backgroundColor
  Object.assign(sheet.style, { position: "fixed", inset: 0, zIndex: 2147483647, padding: "4rem", fontSize: "1.2rem",
    background, color: getComputedStyle(document.querySelector("h1") ?? document.body).color })
  document.body.append(sheet)
}

const uncover = () => document.getElementById("triage-cover")?.remove()

export default function ({ data }) {
  const desk = (window.triageDesk ??= { draft: "", sent: "", turn: 0, listens: false })
  if (data.isOver) {
    desk.draft = ""  // what was typed and not sent (app/answer_focus.py)
    uncover()
    return
  }
  desk.lives = Date.now() + data.left  // as the server said last
  desk.used ??= Date.now()
  uncover()
  const used = (event) => {
    if (!event.isTrusted) return
    desk.used = Date.now()
    if (Date.now() - (desk.told ?? 0) < data.pause) return
    desk.told = Date.now()
    fetch(data.address, { method: "POST", keepalive: true }).catch(() => { desk.told = 0 })
  }
  for (const kind of KINDS) document.addEventListener(kind, used, { capture: true, passive: true })
  // A server that is busy or out of reach clears nothing: then the screen is covered here.
  const watch = setInterval(() => {
    if (Date.now() > desk.lives + GRACE && Date.now() > desk.used + data.idle + GRACE) cover(data.words)
  }, 1000)
  return () => {
    clearInterval(watch)
    for (const kind of KINDS) document.removeEventListener(kind, used, { capture: true })
  }
}
"""
_component = st.components.v2.component("triage_sign_in_watch", js=_SCRIPT)


def keep_watch(say: Voice, session: str) -> None:
    """Look every few seconds whether the sign-in goes on; where it has ended, the page is drawn anew, without it."""
    idle = sign_ins().idle
    every = min(EVERY, idle / 4)

    @st.fragment(run_every=every)
    def watched() -> None:
        found = sign_ins().find(session)
        if found is None or found.ended:
            st.rerun()
        left = found.left(now(), idle)
        data = {
            "isOver": False,
            "address": USED,
            "pause": _milliseconds(min(timedelta(seconds=20), idle / 8)),
            "idle": _milliseconds(idle),
            "left": _milliseconds(left),
            "words": say("Nobody has used this page for a while, and the desk does not answer. Load the page again."),
        }
        _component(key="sign_in_watch", data=data, height=1)
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
        _component(key="sign_in_watch_end", data={"isOver": True}, height=1)


def _milliseconds(span: timedelta) -> float:
    return 1000 * span.total_seconds()
