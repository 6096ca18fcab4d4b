import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from app.charts import quality as charts
from app.charts.quality_tables import FIGURES, VERDICTS
from app.text import Voice
from core.model.bundle import read_manifest
from core.model.card import LIMITS
from core.model.held_out import COMPARED, differences, subgroups
from core.model.registry import DEFAULT_BUNDLE, MANIFEST
from core.settings import REPOSITORY

MAIN = str(REPOSITORY / "app" / "main.py")
WHOLE = subgroups(read_manifest(DEFAULT_BUNDLE), "acuity")[0].scores


@pytest.fixture(autouse=True)
def installation(fresh_installation: Path) -> Iterator[Path]:
    yield fresh_installation


def opened(language: str) -> AppTest:
    page = AppTest.from_file(MAIN, default_timeout=60)
    page.session_state["language"] = language
    return page.run().switch_page("app_pages/quality.py").run()


def words(page: AppTest) -> str:
    return " ".join(each.value for each in (*page.subheader, *page.markdown, *page.caption))


def other_version(folder: Path, **acuity: object) -> None:
    """A second bundle in the registry: the shipped one with other figures. It is never loaded."""
    target = folder / "data" / "models" / "other" / "1"
    target.mkdir(parents=True)
    shutil.copy(DEFAULT_BUNDLE / MANIFEST, target)
    facts = json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    facts["name"], facts["version"] = "other", "1"
    facts["tasks"]["acuity"]["held_out"] |= acuity
    (target / MANIFEST).write_text(json.dumps(facts), encoding="utf-8")


def test_it_opens_with_the_figures_of_acuity_in_words() -> None:
    page = opened("en")
    assert not page.exception
    assert not page.error
    found = {metric.label: metric.value for metric in page.metric}
    assert found["Emergencies recognised"] == f"{100 * (WHOLE.figures['emergency_recall'] or 0):.1f} %"
    assert "under-triage" in words(page)
    assert LIMITS[0] in words(page)


@pytest.mark.parametrize("task", ["department", "acuity", "condition"])
def test_every_task_and_group_has_its_figures_in_chinese(task: str) -> None:
    page = opened("zh")
    page.segmented_control(key="quality_task").set_value(task).run()
    groups = page.selectbox(key=f"quality_group_{task}")
    assert groups.options[0].startswith("全部测试文本")
    groups.set_value(len(groups.options) - 1).run()
    assert not page.exception
    assert not page.error
    assert page.metric
    assert not any(metric.label.isascii() for metric in page.metric)


def test_a_small_group_is_said_to_be_small() -> None:
    page = opened("en")
    page.segmented_control(key="quality_task").set_value("department").run()
    groups = page.selectbox(key="quality_group_department")
    place = next(i for i, name in enumerate(groups.options) if "cmtmedqa" in name)
    groups.set_value(place).run()
    assert re.search(r"Only \d\d notes", page.warning[0].value)


def test_with_one_model_there_is_nothing_to_compare_with() -> None:
    assert "quality_other" not in {box.key for box in opened("en").selectbox}


def test_a_second_model_is_compared_in_words(installation: Path) -> None:
    other_version(installation, emergency_recall=0.3, emergency_recall_interval=[0.28, 0.32])
    page = opened("en")
    page.selectbox(key="quality_other").select("other/1").run()
    assert not page.exception
    table = page.table[0].value
    verdict = dict(zip(table["Figure"], table["Difference"], strict=True))
    assert verdict["Emergencies recognised"] == "the one in use is better"
    assert verdict["First answer right"] == "no clear difference"
    assert verdict["Possible answers a note"] == "read together: more answers reach more"
    assert not page.metric


def test_models_measured_on_different_notes_are_said_to_be(installation: Path) -> None:
    other_version(installation, rows=17)
    page = opened("en")
    page.selectbox(key="quality_other").select("other/1").run()
    assert "different notes" in page.warning[0].value


def test_figures_that_can_t_be_read_are_a_calm_sentence(installation: Path) -> None:
    other_version(installation, per_label="damaged")
    page = opened("en")
    page.selectbox(key="quality_other").select("other/1").run()
    assert not page.exception
    assert page.error[0].proto.title == "Quality can't be shown."
    assert "is missing or was changed" in page.error[0].value


def test_a_model_that_is_gone_is_a_calm_sentence(installation: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIAGE_MODEL", str(installation / "gone"))
    page = opened("zh")
    assert not page.exception
    assert page.error[0].value.startswith("无法读取当前使用的模型")


def test_every_figure_and_verdict_has_words_in_both_languages() -> None:
    assert set(COMPARED) == set(FIGURES)
    spoken = [
        *VERDICTS.values(),
        *LIMITS,
        *(part for each in FIGURES.values() for part in (each.plain, each.technical)),
    ]
    assert all(Voice("en")(sentence) == sentence for sentence in spoken)
    assert all(not Voice("zh")(sentence).isascii() for sentence in spoken)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_figures_name_their_axes_in_the_reader_s_language(language: str) -> None:
    say = Voice(language)  # type: ignore[arg-type]
    titles = {name: say(each.plain) for name, each in FIGURES.items()}
    figures = [
        charts.reliability_chart(WHOLE, say),
        charts.confusion_chart(WHOLE, say),
        charts.label_chart(WHOLE, say),
        charts.coverage_chart(WHOLE, 0.9, say),
        charts.set_size_chart(WHOLE, say),
        charts.distance_chart(WHOLE, say),
        charts.comparison_chart(differences(WHOLE, WHOLE), ("one", "two"), titles, say),
    ]
    for figure in figures:
        assert figure is not None
        titles_of_axes = [
            axis.title.text for axis in (*figure.select_xaxes(), *figure.select_yaxes()) if axis.title.text
        ]
        assert len(titles_of_axes) >= 2
        assert all(title.isascii() or "−" in title for title in titles_of_axes) == (language == "en")


def test_many_labels_are_numbered_and_two_labels_of_one_name_are_not_merged() -> None:
    scores = subgroups(read_manifest(DEFAULT_BUNDLE), "department")[0].scores
    chart = charts.confusion_chart(scores, Voice("en"))
    assert list(chart.layout.xaxis.ticktext[:2]) == ["1", "2"]
    assert chart.layout.yaxis.ticktext[0].endswith(" 1")
    assert len(charts.named(scores, Voice("zh")).per_label) == len(scores.per_label)
