"""These run the real Evidently: its page is what people see in MLflow."""

import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from evidently.legacy.metrics.data_drift.data_drift_table import DataDriftTableRenderer
from msgspec.structs import replace
from plotly.graph_objs import Figure, Layout

from selfheal_jobs.check.evidently_report import MOST_ROWS, page
from selfheal_jobs.check.evidently_table import TableRenderer
from selfheal_jobs.columns.scan import TablePair
from selfheal_jobs.drift.compare import Comparison, compare
from selfheal_jobs.tables.table import ArrowTable
from selfheal_operator.api.v1alpha1.drift import Drift
from support.builders.arrow_tables import arrow_table
from support.builders.column_pairs import column_pairs


def tables(rows: int) -> tuple[ArrowTable, ArrowTable]:
    """Return a reference and current data with a column that has moved, and one that is all but empty."""
    random = np.random.default_rng(1)

    def table(shift: float) -> ArrowTable:
        frame = pd.DataFrame(
            {
                "moved": random.normal(shift, 1, rows),
                "flag": random.random(rows) < 0.5,
                "code": random.integers(0, 4, rows),
                "rare": [1.5, *[None] * (rows - 1)],
                "calm": np.where(random.random(rows) < 0.1, np.inf, random.normal(size=rows)),
            }
        )
        return arrow_table(frame)

    return table(0), table(1)


def compared(reference: ArrowTable, current: ArrowTable) -> Comparison:
    """Return the comparison of two tables."""
    pairs, rows = column_pairs(reference, current), TablePair(reference, current)
    return compare(pairs, Drift(rule="Evidently"), 0.3, rows)


def without_ids(html: str) -> str:
    """Return a page without the ids of its widgets, which are others each time."""
    return re.sub("[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}", "", html)


def test_the_report_is_one_html_page_that_says_whose_scores_it_shows() -> None:
    """It is kept as an artifact and must open without anything beside it."""
    reference, current = tables(60)

    html = page(compared(reference, current), reference, current, threshold=0.3, seed=1)

    assert html.lstrip().lower().startswith("<!doctype html>")
    assert len(html) > 1_000_000
    assert "computed from all rows" in html
    assert "drawn from" not in html


def test_of_many_rows_some_are_drawn_and_the_page_says_so() -> None:
    """And the score is that of all rows, to the digits that Evidently shows."""
    reference, current = tables(MOST_ROWS + 1)
    comparison = compared(reference, current)

    html = page(comparison, reference, current, threshold=0.3, seed=1)

    assert (
        f"drawn from 5,000 of {MOST_ROWS + 1:,} reference rows and 5,000 of {MOST_ROWS + 1:,} current" in html
    )
    moved = next(each for each in comparison.columns if each.name == "moved")
    assert moved.method == "wasserstein"
    assert f"{moved.score:.6f}" in html
    assert "Wasserstein distance (normed)" in html
    assert page(comparison, reference, current, threshold=0.3, seed=2) != html


def test_a_method_that_evidently_lacks_is_shown_by_its_id() -> None:
    """Evidently draws the column all the same."""
    reference, current = tables(60)
    comparison = compared(reference, current)
    ours = replace(
        comparison, columns=tuple(replace(each, method="not-evidentlys") for each in comparison.columns)
    )

    html = page(ours, reference, current, threshold=0.3, seed=1)

    assert "not-evidentlys" in html


def test_the_figures_are_to_the_byte_as_evidently_encodes_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """They are encoded one by one, with placeholders in the page until its end."""
    reference, current = tables(60)
    comparison = compared(reference, current)
    html = page(comparison, reference, current, threshold=0.3, seed=1)
    monkeypatch.delattr(TableRenderer, "_generate_column_params")
    monkeypatch.setattr(TableRenderer, "with_figures", lambda _, page: page)

    assert TableRenderer._generate_column_params is DataDriftTableRenderer._generate_column_params
    assert without_ids(html) == without_ids(page(comparison, reference, current, threshold=0.3, seed=1))


def test_a_layout_is_updated_as_plotly_does() -> None:
    """A page's figures are updated only by layouts that are not empty, and by keywords."""
    present = Layout(xaxis={"title": {"text": "x"}, "anchor": "y"}, template="none")

    ours = Figure(layout={"xaxis": {"domain": [0, 1]}}).update_layout(present, yaxis_title="y")

    plotlys = Figure(layout={"xaxis": {"domain": [0, 1]}})
    plotlys.layout.update(present, yaxis_title="y")
    assert ours.to_json() == plotlys.to_json()
    assert Figure().update_layout(Layout()).to_json() == Figure().to_json()
    assert (
        Figure().update_layout(present, True).layout == Figure().update_layout(present, overwrite=True).layout
    )


def test_the_page_holds_a_category_that_looks_like_a_placeholder() -> None:
    """No figure has its id."""
    name = f"selfheal-figure-{'0' * 36}"
    table = arrow_table(pd.DataFrame({"c": [name, "b"] * 30}))

    assert name in page(compared(table, table), table, table, threshold=0.3, seed=1)


@pytest.mark.parametrize("rows", [1, 2])
def test_a_report_can_be_made_of_next_to_nothing(rows: int) -> None:
    """Evidently has no least number of rows."""
    reference, current = tables(rows)

    assert page(compared(reference, current), reference, current, threshold=0.3, seed=1)


@pytest.mark.parametrize(
    ("threshold", "said"),
    [(0.19, "Dataset Drift is detected."), (0.2, "Dataset Drift is NOT detected.")],
    ids=["a share that is greater", "a share that equals it"],
)
def test_the_page_comes_to_the_verdict_of_the_monitors_threshold(threshold: float, said: str) -> None:
    """Not of Evidently's own 0.5; and a share that equals the threshold is no drift, as in the status."""
    reference, current = tables(60)
    comparison = compared(reference, current)
    assert comparison.share == 0.2

    html = page(comparison, reference, current, threshold=threshold, seed=1)

    assert f"{said} Dataset drift detection threshold is {threshold}" in html


class Scripts(HTMLParser):
    """Collects what a browser would run: elements of a page with their attributes, without values."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.found.append((tag, *(name for name, _ in attrs)))


def named(name: str, category: str) -> str:
    """Return the page of data with a name and a category."""
    reference, current = (
        arrow_table(pd.DataFrame({name: [1.0, 2.0, 3.0] * 20, "c": [one, "b"] * 30}))
        for one in ("a", category)
    )
    return page(compared(reference, current), reference, current, threshold=0.3, seed=1)


def test_a_name_or_category_of_the_data_puts_no_element_into_the_page() -> None:
    """Whoever may write to the data would otherwise run a script in the browser of who opens the report."""
    evil = named("x</script><script>alert(document.domain)</script>", "</script><svg onload=alert(3)>")

    assert Scripts(evil).found == Scripts(named("x", "y")).found
    assert "x\u2039/script>" in evil.replace("\\u2039", "\u2039")


def test_names_that_look_alike_on_the_page_are_two_columns() -> None:
    """One has the sign that stands for a less-than sign on the page."""
    frame = pd.DataFrame({"a<": [1.0, 2.0, 3.0] * 20, "a\u2039": [1.0, 2.0, 3.0] * 20})
    table = arrow_table(frame)

    assert page(compared(table, table), table, table, threshold=0.3, seed=1)
