"""Finds classes of the reference that a model would unlearn, as the current data has none of them. Pure."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from selfheal_jobs.columns.broken_feed import is_no_coincidence
from selfheal_jobs.retrain.class_words import class_words, in_words_of


def vanished_classes(reference: pd.Series, learnt: Iterable[pd.Series], rows: int) -> tuple[str, ...]:
    """Return the classes of the reference that no row has, though chance would hardly leave them out.

    Args:
        reference: The labels of the reference.
        learnt: The labels of all rows that are learnt from, or held out.
        rows: The number of labelled rows of the current data.
    """
    shares = reference.value_counts(normalize=True)
    there = {word for labels in learnt for word in class_words(labels.unique())}
    words = in_words_of(np.array([*there], dtype=object), class_words(shares.index))
    return tuple(
        word
        for word, share in zip(words, shares, strict=True)
        if word not in there and is_no_coincidence(share=1 - share, rows=rows)
    )
