"""Evidently's drift methods without Evidently: the same scores from NumPy arrays, one method, one file.

Each module is named after Evidently's id of the method and holds one function `score(pair)` and, as `METHOD`,
what Evidently registers with it: the kinds of columns it takes, its default threshold, and whether scores
above or below the threshold mean drift. Formulas are those of `evidently.legacy.calculations.stattests` 0.7
and of the SciPy functions that it calls. SciPy is imported only inside the functions whose p-value has no
closed form; each such module says so.
"""
