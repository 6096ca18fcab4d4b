"""Puts the cursor where the next key press belongs, and keeps what is typed over a change of page.

What is typed reaches the server only when the box loses the focus, and a page change can overtake it. So the page's own
memory keeps it (a variable of the open tab, never the browser's storage) and puts it back.
"""

import streamlit as st

from app.answer_sitting import Place

_SCRIPT = """
const BOX = ".st-key-text textarea"
const desk = (window.triageDesk ??= { draft: "", sent: "", turn: 0, listens: false })

function listen() {
  if (desk.listens) return
  desk.listens = true
  document.addEventListener("input", (event) => {
    if (event.target.matches?.(BOX)) desk.draft = event.target.value
  }, true)
  const send = () => { desk.sent = document.querySelector(BOX)?.value ?? "" }
  document.addEventListener("click", (event) => event.target.closest?.(".st-key-assess") && send(), true)
  document.addEventListener("keydown", (event) => event.ctrlKey && event.key === "Enter" && send(), true)
  // Going back far enough, or reloading, leaves the desk: the browser asks first where a note was not sent.
  window.addEventListener("beforeunload", (event) => {
    if (desk.draft.trim() && document.querySelector(BOX)?.value === desk.draft) event.preventDefault()
  })
}

function putBack(box, then) {
  if (!desk.draft || box.value === desk.draft) return then()
  box.focus({ preventScroll: true })
  Object.getOwnPropertyDescriptor(HTMLTextAreaElement.prototype, "value").set.call(box, desk.draft)
  box.dispatchEvent(new Event("input", { bubbles: true }))
  // Leaving the box tells the server, so that a button can't send the text of before.
  setTimeout(() => { box.blur(); then() }, 100)
}

function whenThere(selector, then, tries = 120) {
  const found = document.querySelector(selector)
  if (found) then(found)
  else if (tries > 0) requestAnimationFrame(() => whenThere(selector, then, tries - 1))
}

function toAnswer(answer) {
  answer.tabIndex = -1
  answer.style.outline = "none"
  answer.focus({ preventScroll: true })
  // On a narrow screen the answer stands below the box.
  if (answer.getBoundingClientRect().top > window.innerHeight * 0.7) answer.scrollIntoView({ block: "start" })
}

export default function ({ data, parentElement }) {
  listen()
  // A note that was answered or put away need not be kept here; one that was typed since, or has no answer, must.
  const isDone = data.place === "box" ? !data.holdsNote : desk.draft === desk.sent
  if (desk.turn !== data.turn && isDone) desk.draft = ""
  desk.turn = data.turn
  const isBack = parentElement.triageTurn === undefined
  if (!isBack && parentElement.triageTurn === data.turn) return
  parentElement.triageTurn = data.turn
  const move = () => data.place === "box"
    ? whenThere(BOX, (box) => box.focus({ preventScroll: true }))
    : whenThere(".st-key-answer", toAnswer)
  if (isBack) whenThere(BOX, (box) => putBack(box, move))
  else move()
}
"""
_component = st.components.v2.component("triage_focus", js=_SCRIPT)


def move_cursor(place: Place, turn: int, *, holds_note: bool) -> None:
    """Put the cursor in `place`, once for each `turn`; `holds_note`: whether the box holds a note."""
    _component(key="focus", data={"place": place, "turn": turn, "holdsNote": holds_note}, height=1)
