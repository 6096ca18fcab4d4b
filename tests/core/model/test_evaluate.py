"""Evaluation of a labelled table: what is counted, by whom, in which shape; as JSON, as text, as a page."""

import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from sklearn.metrics import classification_report

from core.errors import EndpointUnavailable, NoteError, TableError, TriageError
from core.model.evaluate import Evaluation, as_text, evaluate
from core.model.evaluation_text import report
from core.model.report import report_html, write_report
from core.notes import Assessment, ModelIdentity, Note, RankedLabel, TaskAnswer

IDENTITY = ModelIdentity("default", "20260101-000000-abcdef", "model-384-00000000")
CLASSES = {"department": ("cardiology", "dermatology"), "acuity": ("1", "2", "3", "4"), "condition": ("skin", "eye")}
SECRET = "胸口压着痛半小时 chest pressure"


class Desk:
    """Answers by what the note says: `department=… acuity=…`; the first class where it says nothing."""

    def __init__(self) -> None:
        heads = {task: SimpleNamespace(classes=classes, coverage=0.9) for task, classes in CLASSES.items()}
        self.bundle = SimpleNamespace(heads=heads, identity=IDENTITY)
        self.notes: list[Note] = []

    def assess_many(self, notes: Sequence[Note], *, timeout: float | None = None) -> list[Assessment | TriageError]:
        self.notes += notes
        return [self.answer(note) for note in notes]

    def answer(self, note: Note) -> Assessment | TriageError:
        if not note.text:
            return NoteError("The note has no words.")
        said = dict(re.findall(r"(\w+)=(\w+)", note.text))
        tasks = {task: self.task(task, said.get(task, classes[0])) for task, classes in CLASSES.items()}
        return Assessment(tasks, (), "unsure" in note.text, (), (), "zh", IDENTITY)

    def task(self, task: str, label: str) -> TaskAnswer:
        others = [name for name in CLASSES[task] if name != label]
        ranked = (RankedLabel(label, 0.7), *(RankedLabel(name, 0.3 / len(others)) for name in others))
        return TaskAnswer(task, label, tuple(each for each in ranked if each.label in CLASSES[task]), (label,))


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "text": [
                f"{SECRET} department=cardiology acuity=2",
                f"{SECRET} department=cardiology acuity=3 unsure",
                "rash department=dermatology acuity=4",
                "rash department=dermatology acuity=4",
                "",
            ],
            "department": ["cardiology", "dermatology", "dermatology", None, "cardiology"],
            "acuity": ["2", "1", "4.0", 3, None],
            "language": ["zh", "zh", "en", "en", None],
            "ward": ["A", "A", "B", "B", "B"],
            "年龄": ["67岁", "3 months", "", None, "x"],
        }
    )


@pytest.fixture
def found(table: pd.DataFrame) -> Evaluation:
    return evaluate(table, Desk(), by=["ward"])


def test_rows_without_a_label_are_left_out_of_that_task_alone(found: Evaluation) -> None:
    assert {task: scores.rows for task, scores in found.whole.tasks.items()} == {
        "department": 3,
        "acuity": 4,
        "condition": 0,
    }


def test_a_task_without_a_labelled_row_is_reported_with_no_rows(found: Evaluation) -> None:
    condition = found.as_dict()["tasks"]["condition"]
    assert condition["rows"] == 0
    assert condition["top1"] is None


def test_a_note_without_an_answer_is_counted_and_must_be_decided_by_a_person(found: Evaluation) -> None:
    assert found.not_assessed == 1
    assert found.whole.review_rate == pytest.approx(2 / 5)


def test_levels_that_a_table_program_made_decimal_are_levels(found: Evaluation) -> None:
    assert found.whole.tasks["acuity"].confusion["4"] == {"4": 1}


def test_the_json_has_the_shape_of_the_design(found: Evaluation) -> None:
    facts = json.loads(json.dumps(found.as_dict(), ensure_ascii=False, allow_nan=False))
    assert set(facts) == {"rows", "not_assessed", "model", "tasks", "review_rate", "by"}
    assert facts["rows"] == 5
    assert facts["model"] == {"bundle": IDENTITY.bundle, "version": IDENTITY.version, "embedding": IDENTITY.embedding}
    assert set(facts["by"]) == {"language", "ward"}
    assert set(facts["by"]["language"]) == {"zh", "en", "(empty)"}
    assert facts["by"]["ward"]["A"]["tasks"]["department"]["top1"] == 0.5
    assert facts["by"]["ward"]["B"]["rows"] == 3


def test_without_a_language_column_the_script_says_the_language(table: pd.DataFrame) -> None:
    groups = evaluate(table.drop(columns="language"), Desk()).by["language"]
    assert {name: group.rows for name, group in groups.items()} == {"mixed": 2, "en": 2, "other": 1}


def test_age_goes_with_the_note(table: pd.DataFrame) -> None:
    desk = Desk()
    evaluate(table, desk)
    assert [note.age for note in desk.notes] == [67, pytest.approx(0.25, abs=0.01), None, None, None]


def test_a_level_that_a_red_flag_demands_is_scored_even_if_the_head_does_not_know_it() -> None:
    desk = Desk()
    desk.bundle.heads["acuity"] = SimpleNamespace(classes=("2", "3", "4"), coverage=0.9)
    flagged = TaskAnswer("acuity", "1", (RankedLabel("2", 0.8), RankedLabel("3", 0.2)), ("1", "2"))
    desk.task = lambda task, label: flagged if task == "acuity" else Desk.task(desk, task, label)
    scores = evaluate(pd.DataFrame({"text": ["x"], "acuity": ["1"]}), desk).whole.tasks["acuity"]
    assert (scores.figures["top1"], scores.figures["coverage"]) == (1, 1)


def test_the_order_of_the_notes_survives_batches(monkeypatch: pytest.MonkeyPatch, table: pd.DataFrame) -> None:
    monkeypatch.setattr("core.model.evaluate.BATCH", 2)
    done = []
    many = pd.concat([table] * 3, ignore_index=True)
    whole = evaluate(many, Desk(), on_done=done.append).whole
    assert done == [2] * 7 + [1]
    assert whole.tasks["acuity"].confusion == {"1": {"3": 3}, "2": {"2": 3}, "3": {"4": 3}, "4": {"4": 3}}


def test_a_table_on_disk_is_read(table: pd.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "labelled.csv"
    table.to_csv(path, index=False, encoding="gb18030")
    assert evaluate(path, Desk()).whole.tasks["department"].figures["top1"] == pytest.approx(2 / 3)


def test_a_table_without_a_label_column_is_refused_with_the_columns_that_it_has(table: pd.DataFrame) -> None:
    with pytest.raises(TableError, match=r"no label column; it has text, language.*department or acuity or condition"):
        evaluate(table[["text", "language"]], Desk())


def test_a_table_without_a_text_column_is_refused_with_the_columns_that_it_has(table: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="it has department, acuity"):
        evaluate(table.drop(columns="text"), Desk())
    with pytest.raises(TableError, match="no column nowhere; it has text, department"):
        evaluate(table, Desk(), text_column="nowhere")


def test_an_unknown_subgroup_column_is_refused_before_anything_is_embedded(table: pd.DataFrame) -> None:
    desk = Desk()
    with pytest.raises(TableError, match="no column clinic to group by; it has text"):
        evaluate(table, desk, by=["clinic"])
    assert not desk.notes


def test_the_notes_themselves_cannot_be_a_subgroup(table: pd.DataFrame) -> None:
    with pytest.raises(TableError, match="can't be grouped by") as refused:
        evaluate(table, Desk(), by=["text"])
    assert SECRET not in str(refused.value)


def test_a_column_with_too_many_values_cannot_be_a_subgroup(table: pd.DataFrame) -> None:
    many = pd.concat([table] * 20, ignore_index=True).assign(number=range(100))
    with pytest.raises(TableError, match="100 different values"):
        evaluate(many, Desk(), by=["number"])


def test_an_endpoint_that_fails_ends_the_evaluation(table: pd.DataFrame) -> None:
    desk = Desk()

    def fails(notes: Sequence[Note], *, timeout: float | None = None) -> list[Assessment | TriageError]:
        raise EndpointUnavailable("Nobody answers.")

    desk.assess_many = fails
    with pytest.raises(EndpointUnavailable):
        evaluate(table, desk)


def test_the_text_is_laid_out_as_scikit_learn_does(found: Evaluation) -> None:
    acuity = found.whole.tasks["acuity"]
    pairs = [(truth, judged) for truth, row in acuity.confusion.items() for judged, n in row.items() for _ in range(n)]
    truth, judged = zip(*pairs, strict=True)
    expected = classification_report(truth, judged, zero_division=0).splitlines()
    # The last column is ours.
    mine = [line[: len(expected[0])].rstrip() for line in report(acuity).splitlines()]
    expected = [line.rstrip() for line in expected]
    # A precision that nothing defines is a dash here and 0.00 there.
    assert [line.replace("   -", "0.00") for line in mine] == expected


def test_chinese_labels_stand_in_columns() -> None:
    labelled = pd.DataFrame({"text": ["a", "b"], "department": ["心内科", "cardiology"]})
    lines = report(evaluate(labelled, Desk()).whole.tasks["department"]).splitlines()
    row = next(line for line in lines if "心内科" in line)
    assert len(row) + len("心内科") == len(lines[0].rstrip())


def test_the_text_ends_with_what_a_person_must_decide(found: Evaluation) -> None:
    lines = as_text(found).splitlines()
    assert lines[-1] == "A person must decide 40.0 % of the notes."
    assert "1 rows got no answer and are in no score." in lines
    assert "condition: no row has a label" in lines


class Page(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags, self.captions, self.links, self._in_caption = [], [], [], False
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]
        self._in_caption = tag == "caption"

    def handle_data(self, text: str) -> None:
        if self._in_caption:
            self.captions.append(text)
            self._in_caption = False


def test_the_page_has_a_table_beside_each_figure_and_fetches_nothing(found: Evaluation, tmp_path: Path) -> None:
    path = write_report(found, tmp_path / "new" / "folder")
    page = Page(path.read_text(encoding="utf-8"))
    assert page.tags.count("figure") == 5 + 6
    assert page.tags.count("table") == 5 + 7 + 2
    assert {"Probability of the likeliest answer", "Labels in the reference or decided"} <= set(page.captions)
    assert {"Wrong decisions, most frequent first", "Right answer in the set; stated: 90 %"} <= set(page.captions)
    assert {"Rows by answers in the set", "Rows by distance from the reference"} <= set(page.captions)
    assert {"Rows by band: reference, judged", "Scores by language, 95 % intervals in brackets"} <= set(page.captions)
    assert all(link.startswith(("#", "data:")) for link in page.links)
    assert page.tags.count("script") == 1 + 5 + 6
    assert [file.name for file in path.parent.iterdir()] == ["report.html"]


def test_no_word_of_a_note_is_on_the_page_or_in_the_figures(found: Evaluation) -> None:
    for text in (report_html(found), as_text(found), json.dumps(found.as_dict(), ensure_ascii=False)):
        assert "胸口" not in text
        assert "chest pressure" not in text


def test_labels_that_look_like_markup_stay_text() -> None:
    labelled = pd.DataFrame({"text": ["a", "b"], "department": ["<img src=x onerror=alert(1)>", "cardiology"]})
    page = report_html(evaluate(labelled, Desk()))
    assert "<img" not in page.replace("\\u003c", "<").split("</script>", 1)[1]


def test_a_folder_that_cannot_be_written_is_said_in_one_line(found: Evaluation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(TableError, match="can't be written into"):
        write_report(found, tmp_path / "file")
