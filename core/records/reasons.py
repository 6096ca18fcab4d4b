"""Why a person overrides the desk: the codes that are kept. Their words are the page's."""

REASONS: tuple[str, ...] = (
    "more_urgent_signs",
    "less_urgent_signs",
    "wrong_department",
    "known_patient",
    "local_rule",
    "text_misread",
    "other",
)
