"""What the columns of a map and their values are called on screen."""

from app.text import Voice
from core.explore.points import Column


def column_title(column: Column, say: Voice) -> str:
    """A column's name."""
    task = say.wording.task(column.name)
    titles = {
        "label": task,
        "predicted": say("{task}: answer", task=task),
        "probability": say("{task}: probability", task=task),
        "agreement": say("{task}: against the table", task=task),
        "review": say("A person must decide"),
        "language": say("Language of the note"),
        "source": say("Source"),
        "other": column.name,
    }
    return titles[column.role]


def value_name(column: Column, value: str, say: Voice) -> str:
    """A value's name; one that is missing has one too."""
    if value == "":
        return say("Not known")
    if column.role in ("label", "predicted"):
        return say.wording.label(column.name, value)
    return _fixed(say).get((column.role, value), value)


def _fixed(say: Voice) -> dict[tuple[str, str], str]:
    return {
        ("agreement", "same"): say("As in the table"),
        ("agreement", "different"): say("Otherwise than the table"),
        ("agreement", "more_urgent"): say("More urgent than the table"),
        ("agreement", "less_urgent"): say("Less urgent than the table"),
        ("review", "yes"): say("Yes"),
        ("review", "no"): say("No"),
        ("language", "zh"): say("Chinese"),
        ("language", "en"): say("English"),
        ("language", "mixed"): say("Chinese and English"),
        ("language", "other"): say("Another language"),
    }
