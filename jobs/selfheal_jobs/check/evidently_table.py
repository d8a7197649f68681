"""Evidently's table of columns, whose figures become JSON as soon as they are drawn.

The table holds placeholders, which are replaced in the page. Otherwise Evidently would keep all figures as
objects, copy their values one by one, and encode them twice, since they are in the page twice.
"""

import json
import re
from typing import Any, Final

from evidently.legacy.metrics.data_drift.data_drift_table import DataDriftTableRenderer
from evidently.legacy.renderers.html_widgets import RichTableDataRow
from evidently.legacy.utils import NumpyEncoder

_PLACEHOLDER: Final = re.compile('"selfheal-figure-([-0-9a-f]{36})"')


class TableRenderer(DataDriftTableRenderer):  # type: ignore[misc]  # Evidently's types are not read
    """Renders one table."""

    def __init__(self) -> None:
        """Start without figures."""
        super().__init__()
        self._figures: dict[str, str] = {}

    def _generate_column_params(self, *column: Any) -> RichTableDataRow | None:
        row = super()._generate_column_params(*column)
        for part in row.details.parts if row is not None else ():
            self._figures[part.info.id] = json.dumps(part.info.params, cls=NumpyEncoder)
            part.info.params = f"selfheal-figure-{part.info.id}"
        return row

    def with_figures(self, page: str) -> str:
        """Return the page with the figures in place of their placeholders."""
        return _PLACEHOLDER.sub(lambda found: self._figures.get(found[1], found[0]), page)
