from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from app import map_panels
from app.charts.map import MOST_POINTS, map_figure, mix_figure, synthetic_map
from app.charts.map_colours import MOST_VALUES, colouring_by
from app.text import Voice
from core.errors import EndpointUnavailable
from core.explore.points import Column, MapData
from core.explore.selection import mix_of
from core.model.bundle import Bundle
from core.records.acts import Act
from core.settings import REPOSITORY
from core.triage import TriageDesk

NOTE = "胸口压着痛半小时，出冷汗"

pytestmark = pytest.mark.usefixtures("small_desk")
EN, ZH = Voice("en"), Voice("zh")
CSV = "text,department,ward\n" + "".join(
    f"{text} {row},{label},=A{row}\n"
    for row in range(6)
    for text, label in ((NOTE, "cardiology"), ("itchy rash on both arms", "dermatology"))
)


@pytest.fixture
def page() -> AppTest:
    opened = AppTest.from_file(str(REPOSITORY / "app" / "main.py"), default_timeout=90)
    opened.switch_page("app_pages/map.py").run()
    assert not opened.exception
    return opened


def words(page: AppTest) -> str:
    return " ".join(each.value for each in (*page.markdown, *page.caption, *page.subheader, *page.info, *page.text))


def charts(page: AppTest) -> list[str]:
    return [chart.proto.alt for chart in page.get("plotly_chart")]


def select(page: AppTest, *ids: int) -> AppTest:
    """As when a reader draws around the points with these ids."""
    key = next(key for key in page.session_state.to_dict() if str(key).startswith("map:"))
    page.session_state[key] = {"selection": {"points": [{"customdata": each} for each in ids], "box": [], "lasso": []}}
    return page.run()


def test_the_reference_of_the_model_is_the_first_map(page: AppTest) -> None:
    assert not page.error
    assert charts(page)[0].startswith("Map of ")
    assert charts(page)[0].endswith("coloured by: Department")
    assert "of how the notes differ" in words(page)


def test_the_page_speaks_chinese(page: AppTest) -> None:
    page.segmented_control(key="language").set_value("zh").run()
    assert not page.exception
    assert charts(page)[0].endswith("着色依据：科室")
    assert page.selectbox(key="map_colour_reference").label == "着色依据"


def test_the_map_is_drawn_without_the_language(page: AppTest) -> None:
    with_it = words(page)
    page.toggle(key="map_without_language").set_value(True).run()
    assert not page.exception
    assert charts(page)[0].startswith("Map of ")
    assert words(page) != with_it  # the axes show less of how the notes differ


def test_a_selection_gives_its_notes_and_their_mix(page: AppTest) -> None:
    select(page, 1, 2, 3)
    assert "**3 of " in words(page)
    assert list(page.dataframe[-1].value["Note"]) == [1, 2, 3]
    assert "Department: shares among the selected notes and among all others" in charts(page)
    assert {"Selected", "Share of all others", "Times as frequent"} <= set(page.dataframe[0].value.columns)


def test_a_selection_stays_when_the_colour_changes_and_goes_when_cleared(page: AppTest) -> None:
    select(page, 1, 2, 3)
    page.selectbox(key="map_colour_reference").select("language:").run()
    assert "**3 of " in words(page)
    assert charts(page)[0].endswith("coloured by: Language of the note")
    page.button(key="map_clear").click().run()
    assert "Draw around points" in words(page)


def test_one_clicked_note_shows_the_notes_most_like_it(page: AppTest) -> None:
    select(page, 7)
    assert "Most like note 7" in words(page)
    neighbours = page.dataframe[0].value
    assert len(neighbours) == 10
    assert 7 not in list(neighbours["Note"])


def test_a_pasted_note_gets_its_neighbours_and_stays(page: AppTest) -> None:
    page.text_area(key="map_note").set_value(NOTE)
    page.button(key="FormSubmitter:map_paste-Find the nearest notes").click().run()
    assert not page.error
    neighbours = page.dataframe[0].value
    assert list(neighbours["Similarity"]) == sorted(neighbours["Similarity"], reverse=True)
    assert "Cardiology" in list(neighbours["Department"])
    assert page.text_area(key="map_note").value == NOTE


def test_a_pasted_note_without_words_is_a_calm_sentence(page: AppTest) -> None:
    page.text_area(key="map_note").set_value("🙂🙂")
    page.button(key="FormSubmitter:map_paste-Find the nearest notes").click().run()
    assert not page.exception
    assert page.error[0].proto.title == "No neighbours were found. Your note is kept; try again."
    assert page.text_area(key="map_note").value == "🙂🙂"


def test_three_dimensions_are_drawn_and_say_where_to_select(page: AppTest) -> None:
    page.segmented_control(key="map_dimensions").set_value(3).run()
    assert not page.exception
    assert "Notes are selected in 2-D" in words(page)


def uploaded(page: AppTest, content: bytes = CSV.encode("gb18030"), name: str = "notes.csv") -> AppTest:
    page.segmented_control(key="map_shown").set_value("table").run()
    page.file_uploader(key="map_file_0").upload(name, content, "text/csv").run()
    return page


def test_notes_of_a_table_come_onto_the_map_with_answers_and_agreement(page: AppTest) -> None:
    uploaded(page)
    page.button(key="map_start").click().run()
    assert not page.exception
    assert not page.error
    assert "notes.csv: 12 notes on the map." in words(page)
    assert charts(page)[0] == "Map of 12 notes, coloured by: Department: answer"
    options = page.selectbox(key="map_colour_table0").options
    assert {"Department: probability", "Department: against the table", "Acuity: answer"} <= set(options)
    select(page, 2, 4)
    assert list(page.dataframe[-1].value["Text"]) == [f"{NOTE} 0", f"{NOTE} 1"]
    page.segmented_control(key="map_axes").set_value("table").run()
    assert not page.exception
    page.button(key="map_forget").click().run()
    assert page.file_uploader


def test_identifiers_are_hidden_in_lists_until_the_reader_wants_them(page: AppTest) -> None:
    rows = "".join(f"Mr. Brown, tel 07700 90012{row}, chest pain,Ann Cole\n" for row in range(5))
    uploaded(page, f"text;name\n{rows.replace(',Ann', ';Ann')}".encode())
    page.multiselect[0].select("name").run()
    page.button(key="map_start").click().run()
    select(page, 2, 3)
    listed = page.dataframe[-1].value
    assert list(listed["Text"]) == ["Mr. [name], tel [phone], chest pain"] * 2
    assert list(listed["name"]) == ["[name]"] * 2
    select(page, 2)
    assert "Brown" not in words(page)
    page.toggle(key="map_hide").set_value(False).run()
    assert "Mr. Brown, tel 07700 900120, chest pain" in words(page)
    assert list(page.dataframe[-1].value["name"]) == ["Ann Cole"]


def test_what_was_embedded_is_kept_when_the_endpoint_fails(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise EndpointUnavailable("Nobody answers.")

    uploaded(page)
    with monkeypatch.context() as broken:
        broken.setattr("core.embedding.client.Embedder.embed", fail)
        page.button(key="map_start").click().run()
    assert page.error[0].proto.title == "Stopped after 0 notes; they are kept."
    page.button(key="map_again").click().run()
    assert "notes.csv: 12 notes on the map." in words(page)


def test_a_table_that_is_too_long_is_refused_with_the_number(page: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.explore.upload.MOST_ROWS", 5)
    uploaded(page)
    assert "has 12 rows; the map embeds at most 5" in page.error[0].value


def test_a_picture_called_csv_is_refused(page: AppTest) -> None:
    uploaded(page, b"\x89PNG\r\n\x1a\n0000")
    assert "is a picture" in page.error[0].value
    assert not page.exception


def test_a_model_without_reference_says_how_to_get_one(
    small_bundle: tuple[Path, Bundle], monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = TriageDesk.open
    monkeypatch.setattr(
        TriageDesk,
        "open",
        lambda: (found := opened()) and replace(found, bundle=replace(found.bundle, reference=None)),
    )
    page = AppTest.from_file(str(REPOSITORY / "app" / "main.py"), default_timeout=90)
    page.switch_page("app_pages/map.py").run()
    assert not page.exception
    assert page.info[0].proto.title == "The model in use has no reference notes"
    assert "--no-reference" in page.info[0].value
    assert page.file_uploader(key="map_file_0")


def test_a_desk_that_can_not_be_opened_is_said_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise EndpointUnavailable("Nobody answers.")

    page = AppTest.from_file(str(REPOSITORY / "app" / "main.py"), default_timeout=90)
    with monkeypatch.context() as broken:
        broken.setattr(TriageDesk, "open", fail)
        page.switch_page("app_pages/map.py").run()
    assert page.error[0].proto.title == "The map can't be shown now."
    next(button for button in page.button if button.label == "Try again").click().run()
    assert charts(page)


def test_every_value_has_a_colour_and_symbol_of_its_own() -> None:
    values = np.array([f"ward {number}" for number in range(MOST_VALUES + 3)] * 2 + [""])
    groups = colouring_by(Column("other", "ward", values), EN).groups
    assert groups[0].name == "Not known"
    assert groups[-1].name == "3 rarer values"
    own = groups[1:-1]
    assert len({(group.colour, group.symbol) for group in own}) == len(own) == MOST_VALUES
    assert len({group.colour for group in own[:8]}) == len({group.symbol for group in own[:8]}) == 8
    assert sum(len(group.places) for group in groups) == len(values)


def test_levels_keep_their_order_and_colour() -> None:
    groups = colouring_by(Column("predicted", "acuity", np.array(["3", "3", "2", "5"])), ZH).groups
    assert [group.name[0] for group in groups] == ["2", "3", "5"]


@pytest.mark.parametrize("dimensions", [2, 3])
def test_the_map_names_its_axes_with_what_they_show_and_its_points_with_ids(dimensions: int) -> None:
    placed = np.zeros((4, dimensions), np.float32)
    column = Column("probability", "department", np.array([0.1, 0.5, 0.9, 1.0]))
    data = MapData(np.arange(2, 6), placed, (column,), (0.5, 0.25, 0.1)[:dimensions])
    figure = map_figure(data, colouring_by(column, EN), EN, backdrop=placed, mark=placed[0])
    titles = figure.layout.xaxis if dimensions == 2 else figure.layout.scene.xaxis
    assert titles.title.text == "Axis 1 (50.0% of the spread)"
    assert [trace.name for trace in figure.data] == [
        "Reference notes of the model", "Department: probability", "Your note",
    ]  # fmt: skip
    assert list(figure.data[1].customdata) == [2, 3, 4, 5]
    assert figure.data[0].customdata is None


def test_a_hundred_thousand_made_up_points_are_drawn_by_webgl() -> None:
    data, colouring = synthetic_map()
    figure = map_figure(data, colouring, EN)
    assert {trace.type for trace in figure.data} == {"scattergl"}
    assert sum(len(trace.x) for trace in figure.data) == MOST_POINTS


def test_the_mix_has_labelled_axes() -> None:
    mix = mix_of(Column("label", "department", np.array(["a", "b", "a", ""])), np.array([0]))
    figure = mix_figure(mix.rows, ["A", "B"], "Department", EN)
    assert figure.layout.xaxis.title.text == "Share of notes"
    assert figure.layout.yaxis.title.text == "Department"


def test_a_downloaded_selection_is_in_the_audit_log_and_comes_also_without(monkeypatch: pytest.MonkeyPatch) -> None:
    noted: list[object] = []
    monkeypatch.setattr(map_panels, "person", lambda: "researcher")
    monkeypatch.setattr(map_panels, "note_of", lambda *given: noted.append(given))
    asked_for = map_panels._noted_csv({"Note": [1, 2], "Text": ["胸痛", "牙疼"]}, has_texts=True)
    assert noted == []
    assert "胸痛" in asked_for().decode("utf-8-sig")
    facts = {"what": "map", "format": "csv", "rows": 2, "texts": True, "masked": True}
    assert noted == [("researcher", Act.EXPORT, facts)]
