"""What the audit log knows: one code for each kind of act. A code is never renamed or used again."""

from enum import StrEnum


class Act(StrEnum):
    """What somebody did.

    The facts beside each are codes, numbers and labels, never a note's text or a file's name.
    """

    ASSESSMENT = "assessment"  # answer, labels, needs_review, reasons, red_flags, warnings, language, bundle, …
    ACCEPTANCE = "acceptance"  # answer, task, given, decided
    OVERRIDE = "override"  # answer, task, given, decided, reason
    SIGN_IN = "sign_in"  # roles
    SIGN_OUT = "sign_out"  # everywhere: how many sign-ins ended with it
    SESSION_ENDED = "session_ended"  # why: nobody used it, its token expired, …
    PAGE_REFUSED = "page_refused"  # page; none: the person has no role at all
    EXPORT = "export"  # what, format, rows; of a run also its job
    MODEL_PROMOTED = "model_promoted"  # before, now
    MODEL_ROLLED_BACK = "model_rolled_back"  # before, now
    KEY_MADE = "key_made"
    KEY_REVOKED = "key_revoked"
    RUN_STARTED = "run_started"  # job, rows, kept
    RUN_FINISHED = "run_finished"  # job, rows, end, trouble
    RUN_DELETED = "run_deleted"  # job, or how many that nobody used any more
    AUDIT_EXPORTED = "audit_exported"  # since, until, rows, sha256, chain
    TEXTS_EXPORTED = "texts_exported"  # rows
    TAKEN_OVER = "taken_over"  # answers and decisions that are older than the log
