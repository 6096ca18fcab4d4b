"""Notes to try the desk with. Written for it; nobody's."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Example:
    """A note to try.

    Attributes:
        title: what it is about, in the note's language.
        text: the note.
    """

    title: str
    text: str


EXAMPLES = (
    Example("胸痛伴出汗", "胸口压着痛半小时，出冷汗，胸闷气短，以前有冠心病。"),
    Example("孩子发热", "孩子三岁，昨晚开始发烧，最高39度，吃了退烧药能退，精神还可以，有点咳嗽，没有抽搐。"),
    Example("皮疹瘙痒", "胳膊上起了很多小红疹，非常痒，抓破了，擦了药膏没有好。"),
    Example(
        "Sudden weakness", "Woke up and my right arm is weak, my face droops on one side and I struggle to find words."
    ),
    Example(
        "Twisted ankle",
        "Twisted my ankle playing football yesterday. Swollen and bruised, I can limp on it but it hurts.",
    ),
    Example("Repeat prescription", "My blood pressure tablets run out next week. I feel fine and would like a repeat."),
)
