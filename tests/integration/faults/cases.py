"""Small inputs that show faults of drift checks and retrainings: one function for each fault.

A function writes its files into a folder and returns a `Case`: what to run, what came out before the fault
was mended, and what is right. All values are drawn by seeded generators; none comes from a real data set.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

Spec = dict[str, Any]
"""A fragment of a ModelMonitor's spec."""


@dataclass(frozen=True, kw_only=True)
class Learnt:
    """A champion that an earlier retraining of the same monitor registers."""

    spec: Spec
    """The spec of that retraining."""
    artifacts_away: bool = False
    """Its files are moved out of the artifact store while the case runs, and back afterwards."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A champion that is a function, registered as a pyfunc model of MLflow."""

    predict: Callable[[pd.DataFrame], Any]
    """Takes the rows, returns the answers."""
    example: pd.DataFrame | None = None
    """Rows whose types become the model's signature; None: the model has no signature."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One fault: what to run, what came out before it was mended, and what is right."""

    purpose: Literal["Check", "Retrain"]
    spec: Spec
    was: str
    right: str
    champion: Learnt | Rule | None = None
    """The version that is registered before the case runs; None: there is none."""
    task: Literal["Classification", "Regression"] | None = None
    """The task that an earlier check has left in the status; None: the run infers it."""
    later: tuple[Spec, ...] = ()
    """Further retrainings of the same monitor, one after the other, each against what is registered then."""
    fresh: Path | None = None
    """Rows that arrive afterwards: to ask the registered version, and to see which one is really better."""


LINEAR: Final[Spec] = {
    "name": "linear",
    "estimator": "sklearn.linear_model.LogisticRegression",
    "params": {"max_iter": "1000"},
}
FOREST: Final[Spec] = {
    "name": "forest",
    "estimator": "sklearn.ensemble.RandomForestClassifier",
    "params": {"n_estimators": "30"},
}
TREES: Final[Spec] = {
    "name": "trees",
    "estimator": "sklearn.ensemble.RandomForestRegressor",
    "params": {"n_estimators": "50"},
}
COIN: Final[Spec] = {
    "name": "coin",
    "estimator": "sklearn.dummy.DummyClassifier",
    "params": {"strategy": "uniform"},
}


def _spec(reference: str, current: str, *candidates: Spec, target: str = "label", **dataset: Any) -> Spec:
    """Return a spec; the keywords are further fields of its dataset."""
    tables = {"reference": {"uri": reference}, "current": {"uri": current}}
    chosen = {"retraining": {"candidates": list(candidates)}} if candidates else {}
    return {"dataset": tables | dataset, "target": target, "threshold": 0.3} | chosen


def _saved(folder: Path, name: str, table: pd.DataFrame | pa.Table, **to_csv: Any) -> str:
    """Write a table in the format that the name ends in, and return its path."""
    path = folder.absolute() / name
    if isinstance(table, pa.Table):
        pq.write_table(table, path)
    elif path.suffix == ".csv":
        table.to_csv(path, **({"index": False} | to_csv))
    else:
        table.to_parquet(path, index=False)
    return str(path)


def _pair(
    folder: Path, draw: Callable[[], pd.DataFrame], ending: str = "parquet", **to_csv: Any
) -> tuple[str, str]:
    """Write two tables that are drawn alike, as the reference and as the current data."""
    reference = _saved(folder, f"reference.{ending}", draw(), **to_csv)
    return reference, _saved(folder, f"current.{ending}", draw(), **to_csv)


def _two_classes(rng: np.random.Generator, rows: int, words: tuple[Any, Any] = (0, 1)) -> pd.DataFrame:
    """Return rows whose x tells the label but for some noise, and whose z tells nothing."""
    x = rng.normal(size=rows)
    positive = x + rng.normal(0, 0.5, rows) > 0
    label = np.where(positive, words[1], words[0])
    return pd.DataFrame({"x": x, "z": rng.normal(size=rows), "label": label})


def _coin_flips(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return rows whose label cannot be told from anything."""
    features = pd.DataFrame(rng.normal(size=(rows, 3)), columns=["a", "b", "c"])
    return features.assign(label=rng.integers(0, 2, rows))


# --- The same rows, or their neighbours, on both sides of the split -------------------------------


def growing_table_contains_the_reference(folder: Path) -> Case:
    """Rows that the reference and the current data share are learnt and held out."""
    rng = np.random.default_rng(501)
    reference = _coin_flips(rng, 400)
    current = pd.concat([reference, _coin_flips(rng, 40)])
    spec = _spec(_saved(folder, "reference.parquet", reference), _saved(folder, "current.parquet", current))
    return Case(
        purpose="Retrain",
        spec=spec | {"retraining": {"candidates": [FOREST], "trainingData": "ReferenceAndCurrent"}},
        fresh=Path(_saved(folder, "fresh.parquet", _coin_flips(rng, 1000))),
        was="Registered with f1_macro 0.95, though the labels are coin flips; 0.53 on fresh rows.",
        right="Equal rows stay on one side of the split, and the message counts them; f1_macro is near 0.5.",
    )


def rows_delivered_four_times(folder: Path) -> Case:
    """Copies of one row are learnt and held out."""
    rng = np.random.default_rng(502)
    current = pd.concat([_coin_flips(rng, 150)] * 4)
    reference = _saved(folder, "reference.parquet", _coin_flips(rng, 400))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, _saved(folder, "current.parquet", current), FOREST),
        fresh=Path(_saved(folder, "fresh.parquet", _coin_flips(rng, 1000))),
        was="Registered with f1_macro 1.00, though the labels are coin flips; 0.50 on fresh rows.",
        right="Equal rows stay on one side of the split, and the message counts them; f1_macro is near 0.5.",
    )


def random_split_of_ordered_rows(folder: Path) -> Case:
    """Held-out rows lie between rows that were learnt, so the error of a time series is told too small."""
    rng = np.random.default_rng(601)
    hour = np.arange(1400)
    table = pd.DataFrame(
        {
            "hour": hour,
            "noise": rng.normal(size=1400),
            "taken": pd.Timestamp("2026-01-01") + pd.to_timedelta(hour, unit="h"),
            "label": np.cumsum(rng.normal(size=1400)),
        }
    )
    reference, current = (
        _saved(folder, f"{name}.parquet", table[first : first + 600])
        for name, first in (("reference", 0), ("current", 600))
    )
    window = {"timestampColumn": "taken", "lookbackSeconds": 315_360_000}
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, TREES, window=window),
        fresh=Path(_saved(folder, "fresh.parquet", table[1200:])),
        was="Registered with rmse 0.95; on the 200 rows that follow it is 6.2.",
        right="Where spec.dataset.window names the time the newest rows are held out; their error is 5.2.",
    )


def growing_window_examines_champion_on_what_it_learnt(folder: Path) -> Case:
    """In a window that grows, the champion is scored on rows that it has learnt, and cannot be beaten."""
    return _overlapping_windows(
        folder,
        champion_from=1,
        challenger_from=1,
        was="NotImproved, rmse 21.4 against 18.5; on the two months that follow version 1 has 55, and the "
        "refused model 35.",
    )


def sliding_window_examines_champion_on_what_it_learnt(folder: Path) -> Case:
    """In a window that is longer than the time between retrainings it is the same."""
    return _overlapping_windows(
        folder,
        champion_from=9,
        challenger_from=11,
        was="NotImproved, rmse 22.2 against 19.6; on the two months that follow version 1 has 58, and the "
        "refused model 34.",
    )


def _overlapping_windows(folder: Path, *, champion_from: int, challenger_from: int, was: str) -> Case:
    rng = np.random.default_rng(202)
    month = np.repeat(np.arange(1, 21), 40)
    size, weight = rng.normal(size=(2, month.size))
    label = 1000 - 13 * month + 20 * size + rng.normal(0, 20, month.size)
    taken = pd.Timestamp("2025-01-01") + pd.to_timedelta(30 * (month - 1), unit="D")
    table = pd.DataFrame({"month": month, "size": size, "weight": weight, "taken": taken, "label": label})

    def months(first: int, last: int) -> str:
        return _saved(folder, f"months-{first}-{last}.parquet", table[(month >= first) & (month <= last)])

    window = {"timestampColumn": "taken", "lookbackSeconds": 315_360_000}
    before, now = months(champion_from, 16), months(challenger_from, 18)
    return Case(
        purpose="Retrain",
        spec=_spec(before, now, TREES, window=window),
        champion=Learnt(spec=_spec(before, before, TREES, window=window)),
        fresh=Path(months(19, 20)),
        was=was,
        right="Both are scored on rows that neither has learnt, here some of months 17 and 18: Registered.",
    )


# --- The champion cannot be scored, or is scored wrongly ------------------------------------------


def champion_artifacts_away(folder: Path) -> Case:
    """A champion whose files cannot be had for a moment counts as none."""
    rng = np.random.default_rng(1401)
    reference, current = _pair(folder, lambda: _two_classes(rng, 500))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, COIN),
        champion=Learnt(spec=_spec(reference, current, LINEAR), artifacts_away=True),
        was="Registered: a coin replaces version 1, which 'could not be scored (MlflowException: …)'.",
        right="Tried again, as where MLflow is away; then Failed: version 1 could not be scored.",
    )


def champion_signature_refuses_gaps(folder: Path) -> Case:
    """A champion whose signature knows integers refuses rows with gaps, and counts as none."""
    rng = np.random.default_rng(1402)

    def table(gaps: int) -> pa.Table:
        visits = rng.integers(0, 50, 500)
        kept = pa.array(visits, mask=np.arange(500) < gaps)
        return pa.table({"visits": kept, "z": rng.normal(size=500), "label": (visits > 25).astype(int)})

    def rule(rows: pd.DataFrame) -> Any:
        return (rows["visits"].fillna(25) > 25).astype(int).to_numpy()

    reference, current = (
        _saved(folder, f"{name}.parquet", table(gaps)) for name, gaps in (("reference", 0), ("current", 20))
    )
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, COIN),
        champion=Rule(predict=rule, example=pd.read_parquet(reference).drop(columns="label").head()),
        was="Registered: a coin replaces a perfect version 1: 'Failed to enforce schema of data …'.",
        right="Failed: version 1 could not be scored; nothing is registered.",
    )


def words_true_and_false_become_true(folder: Path) -> Case:
    """The champion answers the words True and False, the labels are booleans: every answer becomes True."""
    rng = np.random.default_rng(701)
    reference, text = (
        _saved(folder, f"{name}.parquet", _two_classes(rng, 400, ("False", "True")))
        for name in ("reference", "text")
    )
    current = _saved(folder, "current.parquet", _two_classes(rng, 400, (False, True)))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, LINEAR),
        champion=Learnt(spec=_spec(reference, text, LINEAR)),
        was="Registered: version 1 is told as f1_macro 0.32, and has 0.86 on the same rows.",
        right="'True' and True are one class: version 1 has 0.86, and the candidate's 0.85 is NotImproved.",
    )


def class_nobody_has_costs_a_third(folder: Path) -> Case:
    """The champion is marked down by a whole class for a few answers of a class that no row has."""
    rng = np.random.default_rng(301)

    def table(rows: int) -> pd.DataFrame:
        x = rng.normal(size=rows)
        seen = {"weak": x + rng.normal(0, 0.45, rows), "noise": rng.normal(size=rows)}
        odd = rng.permutation(rows) < rows // 50
        return pd.DataFrame(seen | {"x": x, "odd": odd, "label": np.where(x > 0, "b", "a")})

    def rule(rows: pd.DataFrame) -> Any:
        return np.where(rows["odd"], "c", np.where(rows["x"] > 0, "b", "a"))

    reference = _saved(folder, "reference.parquet", table(700).drop(columns=["x", "odd"]))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, _saved(folder, "current.parquet", table(700)), LINEAR),
        champion=Rule(predict=rule),
        was="Registered: accuracy 0.89 replaces 0.98, since f1_macro is averaged over three classes.",
        right="f1_macro is the mean over the classes that the held-out rows have, for both: NotImproved.",
    )


def one_prediction_of_a_class_nobody_has(folder: Path) -> Case:
    """One prediction of a class that no label has costs the signal f1 a third."""
    rng = np.random.default_rng(302)
    label = rng.integers(0, 2, 400)
    prediction = np.where(np.arange(400) == 7, 2, label)
    table = pd.DataFrame({"x": rng.normal(size=400), "prediction": prediction, "label": label})
    path = _saved(folder, "both.parquet", table)
    signal = {"name": "f1", "type": "Performance", "performance": {"metric": "f1_macro", "minValue": 0.8}}
    return Case(
        purpose="Check",
        spec=_spec(path, path, columns={"prediction": "prediction"}) | {"signals": [signal]},
        was="The signal f1 is Breached with 0.666, though 399 of 400 predictions are right.",
        right="f1 is the mean over the classes that the labels have: 0.998, WithinLimits.",
    )


def one_answer_of_a_vanished_class(folder: Path) -> Case:
    """A class is gone from the current data; the champion names it once, and loses by it."""
    rng = np.random.default_rng(535)
    middles = rng.normal(0, 0.75, (6, 16))
    columns = [f"f{number}" for number in range(16)]

    def table(rows: int, classes: int) -> pd.DataFrame:
        chosen = rng.integers(0, classes, rows)
        features = pd.DataFrame(middles[chosen] + rng.normal(size=(rows, 16)), columns=columns)
        return features.assign(label=np.array(list("abcdef"))[chosen])

    reference = _saved(folder, "reference.parquet", table(800, 6))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, _saved(folder, "current.parquet", table(250, 5)), LINEAR),
        champion=Learnt(spec=_spec(reference, reference, LINEAR)),
        fresh=Path(_saved(folder, "fresh.parquet", table(2000, 5))),
        was="Registered, 0.92 over 0.79: one answer 'f' costs version 1 a sixth of its f1_macro. Over the "
        "five classes that there are it has 0.95, and on fresh rows 0.88 against 0.85.",
        right="f1_macro is the mean over the classes that the held-out rows have, for both: NotImproved.",
    )


def one_label_unknown(folder: Path) -> Case:
    """One word among the labels turns them into text: the champion cannot be scored, and is replaced."""
    rng = np.random.default_rng(401)
    reference = _saved(folder, "reference.csv", _two_classes(rng, 400))
    current = _two_classes(rng, 400).astype({"label": object})
    current.loc[7, "label"] = "unknown"
    return Case(
        purpose="Retrain",
        spec=_spec(reference, _saved(folder, "current.csv", current), LINEAR),
        champion=Learnt(spec=_spec(reference, reference, LINEAR)),
        task="Classification",
        was="Registered: version 1 'could not be scored'; version 2 answers '0', '1' or 'unknown'.",
        right="Failed, ColumnTypeChanged: the target holds numbers in the reference, text in current.",
    )


def yes_and_no_become_one_and_zero(folder: Path) -> Case:
    """The labels are written in other words than the champion's: it is never right, and is replaced."""
    rng = np.random.default_rng(402)
    reference = _saved(folder, "reference.csv", _two_classes(rng, 400, ("no", "yes")))
    current = _saved(folder, "current.csv", _two_classes(rng, 400))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, LINEAR),
        champion=Learnt(spec=_spec(reference, reference, LINEAR)),
        task="Classification",
        was="Registered: version 1 is told as 0.0000; version 2 answers '0' or '1', as text.",
        right="Failed: the labels share no class with the reference and version 1; nothing is registered.",
    )


# --- Better by chance, by a leak, or for a while --------------------------------------------------


def _noisy(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    features = pd.DataFrame(rng.normal(size=(rows, 4)), columns=list("abcd"))
    tendency = features["a"] + 0.5 * features["b"] + rng.normal(size=rows)
    return features.assign(label=(tendency > 0).astype(int))


def registered_by_chance(folder: Path) -> Case:
    """The population stays as it is, and versions are registered all the same, the worse ones among them."""
    rng = np.random.default_rng(1701)
    reference = _saved(folder, "reference.parquet", _noisy(rng, 400))
    samples = [_saved(folder, f"current-{number:02}.parquet", _noisy(rng, 400)) for number in range(12)]
    first, *others = (_spec(reference, sample, LINEAR) for sample in samples)
    return Case(
        purpose="Retrain",
        spec=first,
        champion=Learnt(spec=_spec(reference, reference, LINEAR)),
        later=tuple(others),
        fresh=Path(_saved(folder, "fresh.parquet", _noisy(rng, 4000))),
        was="8 of 12 retrainings register a version, and 4 of these are worse on fresh rows.",
        right="NotImproved, 'within chance', unless a paired test on the held-out rows says otherwise.",
    )


def better_on_one_split(folder: Path, seed: int = 0) -> Case:
    """Whether a model from 150 rows beats one from 500 rows of the same population is a coin."""
    rng = np.random.default_rng([1001, seed])
    reference = _saved(folder, "reference.parquet", _noisy(rng, 500))
    current = _saved(folder, "current.parquet", _noisy(rng, 150))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current),
        champion=Learnt(spec=_spec(reference, reference)),
        fresh=Path(_saved(folder, "fresh.parquet", _noisy(rng, 4000))),
        was="Of the seeds 0 to 19, 11 end as Registered, and 6 of these versions are worse on fresh rows.",
        right="Registered only where the held-out rows are evidence; over the seeds hardly a worse one is.",
    )


def twenty_rows(folder: Path) -> Case:
    """Twenty rows are enough to register a version on four held-out ones."""
    rng = np.random.default_rng(2109)
    reference = _saved(folder, "reference.parquet", _two_classes(rng, 400))
    current = _saved(folder, "current.parquet", _two_classes(rng, 20))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, LINEAR),
        was="Registered with f1_macro 0.7333 on 4 held-out rows.",
        right="Failed, TooFewRows, or registered with the interval that four rows allow in the message.",
    )


def column_gives_the_class_away(folder: Path) -> Case:
    """A column that is only filled in once the outcome is known makes a perfect model, without a word."""
    rng = np.random.default_rng(801)

    def table(rows: int) -> pd.DataFrame:
        made = _two_classes(rng, rows)
        reason = rng.choice(["price", "service", "moved"], rows)
        return made.assign(closed_because=pd.Series(reason).where(made["label"] == 1))

    reference, current = _pair(folder, lambda: table(400), "csv")
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current),
        was="Registered with f1_macro 1.0000, 0.81 without 'closed_because', and nothing is said of it.",
        right="The message names the column that alone tells the target; nothing is promoted unattended.",
    )


def column_gives_the_number_away(folder: Path) -> Case:
    """A column is the target in another unit: the error is near zero, without a word."""
    rng = np.random.default_rng(802)

    def table(rows: int) -> pd.DataFrame:
        area = rng.normal(70, 15, rows)
        rent = 200 + 8 * area + rng.gamma(4, 60, rows)
        yearly = (12 * rent).round(-2)
        return pd.DataFrame(
            {"area": area, "floor": rng.integers(0, 9, rows), "yearly": yearly, "label": rent}
        )

    reference, current = _pair(folder, lambda: table(500))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current),
        was="Registered with rmse 2.4, 126 without 'yearly', and nothing is said of it.",
        right="The message names the column that alone tells the target; nothing is promoted unattended.",
    )


def running_model_is_better(folder: Path) -> Case:
    """The first version is registered without a look at the running model, whose answers are in the data."""
    rng = np.random.default_rng(901)

    def table(rows: int) -> pd.DataFrame:
        made = _two_classes(rng, rows)
        wrong = rng.random(rows) < 0.04
        return made.assign(said=np.where(wrong, 1 - made["label"], made["label"]))

    reference, current = _pair(folder, lambda: table(500))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, columns={"prediction": "said"}),
        was="Registered with f1_macro 0.90; the column 'said' has 0.98 on the same held-out rows.",
        right="The prediction column is scored on the same rows: NotImproved, or the message names both.",
    )


def summer_replaces_winter(folder: Path) -> Case:
    """A model that has seen one season replaces the one that knows the other, which will return."""
    rng = np.random.default_rng(1201)

    def season(rows: int, *, warm: bool) -> pd.DataFrame:
        night = rng.normal(14 if warm else 0, 3, rows)
        wind = rng.gamma(3, 1, rows)
        day = (12 if warm else 4) + 0.85 * night - 0.5 * wind + rng.normal(0, 2, rows)
        return pd.DataFrame({"night": night, "wind": wind, "label": day})

    winter = _saved(folder, "winter.parquet", season(300, warm=False))
    summer = _saved(folder, "summer.parquet", season(300, warm=True))
    return Case(
        purpose="Retrain",
        spec=_spec(winter, summer),
        champion=Learnt(spec=_spec(winter, winter)),
        fresh=Path(_saved(folder, "next-winter.parquet", season(300, warm=False))),
        was="Registered, rmse 2.1 against 8.0; in the next winter version 2 has 9.2, and version 1 2.0.",
        right="Both are scored on rows of the reference as well, and the message tells what is forgotten.",
    )


# --- A broken feed --------------------------------------------------------------------------------

_MEASURED: Final = ["length", "width", "height", "weight"]


def _parcels(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    """Return rows whose price is told by four measures of one size, and by little else."""
    size = rng.gamma(4, 1, rows)
    measures = {name: size * rng.normal(1, 0.05, rows) for name in _MEASURED}
    words = {
        name: rng.choice(list(letters), rows) for name, letters in (("grade", "abcd"), ("colour", "defgh"))
    }
    others = {name: rng.normal(size=rows) for name in ("depth", "gloss", "angle")}
    price = 900 * size + 150 * (words["grade"] == "a") + rng.normal(0, 150, rows)
    return pd.DataFrame(measures | words | others | {"label": price})


def _fed(folder: Path, broken: pd.DataFrame, rng: np.random.Generator) -> tuple[Spec, Learnt, Path]:
    reference = _saved(folder, "reference.parquet", _parcels(rng, 900))
    spec = _spec(reference, _saved(folder, "broken.parquet", broken))
    repaired = Path(_saved(folder, "repaired.parquet", _parcels(rng, 600)))
    return spec, Learnt(spec=_spec(reference, reference)), repaired


def _zeros(rng: np.random.Generator) -> pd.DataFrame:
    return _parcels(rng, 600).assign(**dict.fromkeys(_MEASURED, 0.0))


def _mostly_null(rng: np.random.Generator) -> pd.DataFrame:
    made = _parcels(rng, 2000)
    kept = rng.random((2000, len(_MEASURED))) < 0.1
    return made.assign(**made[_MEASURED].where(kept))


def feed_of_zeros_leads_to_a_retraining(folder: Path) -> Case:
    """Four columns have turned into zeros: the check knows it, and calls for a retraining all the same."""
    rng = np.random.default_rng(311)
    spec, _, repaired = _fed(folder, _zeros(rng), rng)
    return Case(
        purpose="Check",
        spec=spec,
        fresh=repaired,
        was="Drift, 4 of 9 columns, with all four in constantColumns; in mode Auto a retraining follows.",
        right="The message tells which columns have turned constant, and no retraining follows from them.",
    )


def feed_of_zeros_is_learnt(folder: Path) -> Case:
    """What is learnt from four columns of zeros replaces a good version."""
    rng = np.random.default_rng(311)
    spec, champion, repaired = _fed(folder, _zeros(rng), rng)
    return Case(
        purpose="Retrain",
        spec=spec,
        champion=champion,
        fresh=repaired,
        was="Registered with r2 0.01, where version 1 once had 0.99; once repaired rmse 1,843 against 186.",
        right="NotImproved or Failed: compared columns have turned constant, or the winner is far below what "
        "version 1 had when it was promoted.",
    )


def feed_of_nulls_is_not_seen(folder: Path) -> Case:
    """Nine tenths of four columns are missing: the check compares what is left, and says nothing."""
    rng = np.random.default_rng(312)
    spec, _, repaired = _fed(folder, _mostly_null(rng), rng)
    return Case(
        purpose="Check",
        spec=spec,
        fresh=repaired,
        was="NoDrift, 0 of 9 columns, not a word of the gaps.",
        right="The share of gaps is compared too: the four columns are named, as drift or as broken.",
    )


def feed_of_nulls_is_learnt(folder: Path) -> Case:
    """What is learnt from four columns without values replaces a good version."""
    rng = np.random.default_rng(312)
    spec, champion, repaired = _fed(folder, _mostly_null(rng), rng)
    return Case(
        purpose="Retrain",
        spec=spec,
        champion=champion,
        fresh=repaired,
        was="Registered with r2 0.23, where version 1 once had 0.99; once repaired rmse 3,763 against 183.",
        right="NotImproved or Failed: compared columns are nearly empty, or the winner is far below what "
        "version 1 had when it was promoted.",
    )


# --- What the registered version does where it is served ------------------------------------------


def integer_columns_refuse_gaps(folder: Path) -> Case:
    """Integers without gaps in training make a signature that refuses gaps, and integers of another width."""
    rng = np.random.default_rng(101)

    def table(width: str, *, gap: bool) -> pa.Table:
        visits = rng.integers(0, 50, 400)
        return pa.table(
            {
                "visits": pa.array(visits, mask=(np.arange(400) == 0) & gap),
                "rooms": rng.integers(1, 9, 400).astype(width),
                "label": (visits + rng.normal(0, 5, 400) > 25).astype(int),
            }
        )

    reference, current, fresh = (
        _saved(folder, f"{name}.parquet", table("int64" if name == "fresh" else "int32", gap=name == "fresh"))
        for name in ("reference", "current", "fresh")
    )
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, LINEAR),
        fresh=Path(fresh),
        was="Version 1, loaded by mlflow.pyfunc, refuses fresh rows: 'visits' has a gap, 'rooms' is int64.",
        right="The signature has optional doubles for numbers, and every row gets an answer.",
    )


def one_gap_stops_a_whole_batch(folder: Path) -> Case:
    """One null in one of many counts, and no row of the batch gets an answer."""
    rng = np.random.default_rng(711)
    names = [f"count_{number}" for number in range(8)]

    def table(rows: int) -> pd.DataFrame:
        counts = pd.DataFrame(rng.poisson(4, (rows, 8)), columns=names)
        return counts.assign(label=counts.sum(axis=1) * 1.5 + rng.normal(size=rows))

    reference, current = _pair(folder, lambda: table(400))
    fresh = table(200).astype({"count_5": "Int64"})
    fresh.loc[120, "count_5"] = pd.NA
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current),
        fresh=Path(_saved(folder, "fresh.parquet", fresh)),
        was="Version 1, loaded by mlflow.pyfunc, answers none of the 200 fresh rows; a server answers 400.",
        right="The signature has optional doubles for numbers, and every row gets an answer.",
    )


def one_row_alone_is_answered_otherwise(folder: Path) -> Case:
    """A row with a null in a text column gets another answer alone than in a batch."""
    rng = np.random.default_rng(111)

    def table(rows: int) -> pd.DataFrame:
        label = (rng.random(rows) < 0.4).astype(int)
        voucher = rng.choice(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"), rows)
        has = np.where(rng.random(rows) < 0.03, 1 - label, label) == 1
        age = rng.normal(40, 9, rows)
        return pd.DataFrame({"age": age, "voucher": pd.Series(voucher).where(has), "label": label})

    reference, current = _pair(folder, lambda: table(500))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, FOREST),
        fresh=Path(_saved(folder, "fresh.parquet", table(100))),
        was="Version 1, loaded by mlflow.pyfunc and asked by JSON records, is right in 96 % of the fresh "
        "rows all at once, and in 41 % one by one: a null alone is None, which no training row had.",
        right="Gaps of every sort are made one inside the registered pipeline: the same answers both ways.",
    )


# --- Values that are read as something else -------------------------------------------------------


def category_called_none(folder: Path) -> Case:
    """A category called None is a word in Parquet and a gap in CSV."""
    rng = np.random.default_rng(811)

    def table(rows: int) -> pd.DataFrame:
        severity = rng.choice(["None", "Mild", "Severe"], rows, p=[0.6, 0.3, 0.1])
        return pd.DataFrame({"severity": severity, "label": rng.integers(0, 2, rows)})

    reference = _saved(folder, "reference.parquet", table(600))
    return Case(
        purpose="Check",
        spec=_spec(reference, _saved(folder, "current.csv", table(600))),
        was="Drift, 1 of 1 columns, though both sides are drawn from one distribution.",
        right="NoDrift: in a column of words only the empty field is a gap.",
    )


def class_called_none_vanishes(folder: Path) -> Case:
    """Rows of a class called None are dropped from CSV, and nobody is told."""
    rng = np.random.default_rng(812)

    def table(rows: int) -> pd.DataFrame:
        x = rng.normal(size=rows)
        label = np.where(x < -0.5, "None", np.where(x < 0.6, "Mild", "Severe"))
        return pd.DataFrame({"x": x, "z": rng.normal(size=rows), "label": label})

    reference, current = _pair(folder, lambda: table(600), "csv")
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, LINEAR),
        was="Registered with f1_macro 0.98; 180 of 600 rows are gone, and it knows Mild and Severe only.",
        right="It knows three classes; where rows are dropped for want of a label, the message counts them.",
    )


_CODES: Final = 120_330_000_000_000_001 + 7 * np.arange(6)
"""Beyond 2**53, where not every integer has a float of its own."""


def long_codes_with_one_gap(folder: Path) -> Case:
    """One gap makes floats of integers of 18 digits, which are other numbers then."""
    rng = np.random.default_rng(911)

    def table(*, gap: bool) -> pa.Table:
        codes = pa.array(rng.choice(_CODES, 600), mask=(np.arange(600) == 0) & gap)
        return pa.table({"campaign": codes, "label": rng.integers(0, 2, 600)})

    reference = _saved(folder, "reference.parquet", table(gap=False))
    return Case(
        purpose="Check",
        spec=_spec(reference, _saved(folder, "current.parquet", table(gap=True))),
        was="Drift, 1 of 1 columns, and three new categories; without the gap it is NoDrift.",
        right="NoDrift: integers stay integers, gaps or not.",
    )


def long_labels_are_rounded(folder: Path) -> Case:
    """The registered version answers numbers that are nobody's label."""
    labels = (120_330_000_000_000_001, 120_330_000_000_000_017)
    return _long_labels(
        folder,
        labels,
        was="Registered with f1_macro 0.85; it answers 120330000000000000 and 120330000000000016.",
        right="It answers 120330000000000001 and 120330000000000017, as the labels are written.",
    )


def neighbouring_long_labels_are_one(folder: Path) -> Case:
    """Two labels that a float cannot tell apart are taken for one class."""
    return _long_labels(
        folder,
        (2**53, 2**53 + 1),
        was="Failed, TargetUnusable: 'only one class'.",
        right="Registered: there are two classes.",
    )


def _long_labels(folder: Path, labels: tuple[int, int], *, was: str, right: str) -> Case:
    rng = np.random.default_rng(912)
    reference, current = _pair(folder, lambda: _two_classes(rng, 400, labels))
    return Case(purpose="Retrain", spec=_spec(reference, current, LINEAR), was=was, right=right)


def two_rates_of_two_widths(folder: Path) -> Case:
    """The same two rates, stored as float32 and as float64, are four categories."""
    return _rates_of_two_widths(folder, [0.1, 0.2], 1500)


def four_rates_of_two_widths(folder: Path) -> Case:
    """The same four rates, stored as float32 and as float64, are tested as different numbers."""
    return _rates_of_two_widths(folder, [0.1, 0.2, 0.3, 0.7], 800)


def _rates_of_two_widths(folder: Path, rates: list[float], rows: int) -> Case:
    rng = np.random.default_rng(1101)

    def table(width: str) -> pa.Table:
        chosen = rng.choice(rates, rows).astype(width)
        return pa.table({"rate": chosen, "label": rng.integers(0, 2, rows)})

    reference = _saved(folder, "reference.parquet", table("float32"))
    return Case(
        purpose="Check",
        spec=_spec(reference, _saved(folder, "current.parquet", table("float64"))),
        was="Drift, 1 of 1 columns, though both sides are drawn from one distribution.",
        right="NoDrift: both sides are compared in the coarser of the two types.",
    )


# --- Columns that should not be there, or are not -------------------------------------------------


def index_column_of_csv_drifts(folder: Path) -> Case:
    """The row numbers that pandas writes into CSV by default are compared."""
    rng = np.random.default_rng(1011)
    reference, current = (
        _saved(folder, f"{name}.csv", _customers(rng, rows), index=True)
        for name, rows in (("reference", 500), ("current", 300))
    )
    return Case(
        purpose="Check",
        spec=_spec(reference, current),
        was="Drift, 1 of 3 columns: 'Unnamed: 0', though both sides are drawn from one distribution.",
        right="NoDrift: a first column without a name that counts rows is left out, as Parquet's index is.",
    )


def _customers(rng: np.random.Generator, rows: int) -> pd.DataFrame:
    plan, label = rng.choice(["basic", "plus", "pro"], rows), rng.integers(0, 2, rows)
    return pd.DataFrame({"age": rng.normal(40, 9, rows), "plan": plan, "label": label})


def index_column_of_csv_is_learnt(folder: Path) -> Case:
    """Where the rows are sorted by the label, their numbers tell it."""
    rng = np.random.default_rng(1012)

    def table() -> pd.DataFrame:
        x = rng.normal(size=500)
        label = (x + rng.normal(0, 2, 500) > 0).astype(int)
        made = pd.DataFrame({"x": x, "z": rng.normal(size=500), "label": label})
        return made.sort_values("label", ignore_index=True)

    reference, current = _pair(folder, table, "csv", index=True)
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, FOREST),
        was="Registered with f1_macro 0.99, 0.59 without the index.",
        right="A first column without a name that counts the rows is not learnt from.",
    )


def growing_integer_identifier(folder: Path) -> Case:
    """A number that is given to every customer in turn always drifts."""
    rng = np.random.default_rng(2101)
    reference, current = (
        _saved(folder, f"{name}.csv", _customers(rng, rows).assign(customer=np.arange(rows) + first))
        for name, rows, first in (("reference", 500, 0), ("current", 300, 80_000))
    )
    return Case(
        purpose="Check",
        spec=_spec(reference, current),
        was="Drift, 1 of 3 columns: 'customer'; identifiers that are text are left out.",
        right="Left out as text is, or the message says that it looks like an identifier, to be excluded.",
    )


def _orders(rng: np.random.Generator, rows: int, first: int, year: int) -> pd.DataFrame:
    made = _two_classes(rng, rows)
    return made.assign(order=np.arange(rows) + first, year=year, month=rng.integers(1, 13, rows))


def calendar_and_identifier_drift(folder: Path) -> Case:
    """Order numbers and years move on by themselves, and that is called drift."""
    return _growing_columns(
        folder,
        "Check",
        was="Drift, 2 of 5 columns: 'order' and 'year'; nothing else has changed.",
        right="Columns that can only grow are left out, or named as such, and are no reason to retrain.",
    )


def calendar_and_identifier_are_learnt(folder: Path) -> Case:
    """Order numbers and years become inputs of the registered version."""
    return _growing_columns(
        folder,
        "Retrain",
        was="Registered; its signature asks for 'order' and 'year', whose later values it has never seen.",
        right="Columns that can only grow are not learnt from, unless columns.include asks for them.",
    )


def _growing_columns(folder: Path, purpose: Literal["Check", "Retrain"], *, was: str, right: str) -> Case:
    rng = np.random.default_rng(1411)
    reference, current = (
        _saved(folder, f"{name}.parquet", _orders(rng, 500, first, year))
        for name, first, year in (("reference", 1, 2024), ("current", 501, 2025))
    )
    return Case(purpose=purpose, spec=_spec(reference, current), was=was, right=right)


def _scored(folder: Path, purpose: Literal["Check", "Retrain"], was: str, right: str, **fields: Any) -> Case:
    """Return a case with the running model's answers among the columns, a little higher than they were."""
    rng = np.random.default_rng(1211)

    def table(higher: float) -> pd.DataFrame:
        label = rng.integers(0, 2, 500)
        said = np.where(rng.random(500) < 0.03, 1 - label, label)
        features = {"x": label + rng.normal(0, 1.5, 500), "region": rng.integers(1, 30, 500)}
        return pd.DataFrame(features | {"churn_score": 0.9 * said + 0.05 + higher, "label": label})

    reference, current = (
        _saved(folder, f"{name}.parquet", table(higher))
        for name, higher in (("reference", 0.0), ("current", 0.5))
    )
    drift = {"drift": fields.pop("drift")} if "drift" in fields else {}
    spec = _spec(reference, current, LINEAR, **fields) | drift
    return Case(purpose=purpose, spec=spec, was=was, right=right)


_LIKE_INCLUDE: Final = "Error: the field names a column that neither side has, as it is said of include."


def misspelt_prediction_drifts(folder: Path) -> Case:
    """The prediction column is misspelt in the spec, so it is compared."""
    was = "Drift, 1 of 3 columns: 'churn_score'; with the right name it is NoDrift."
    return _scored(folder, "Check", was, _LIKE_INCLUDE, columns={"prediction": "churnscore"})


def misspelt_prediction_is_learnt(folder: Path) -> Case:
    """The prediction column is misspelt in the spec, so the candidates learn the model's answers."""
    was = "Registered with f1_macro 0.94; with the right name it is 0.60."
    right = "Failed: the field names a column that neither side has, as it is said of include."
    return _scored(folder, "Retrain", was, right, columns={"prediction": "churnscore"})


def misspelt_exclude(folder: Path) -> Case:
    """A column that is to be excluded is misspelt in the spec, so it is compared."""
    was = "Drift, 1 of 3 columns: 'churn_score', which exclude was to leave out."
    return _scored(folder, "Check", was, _LIKE_INCLUDE, columns={"exclude": ["Churn_Score"]})


def misspelt_categorical(folder: Path) -> Case:
    """A column that is to be compared as categories is misspelt in the spec, so it is compared as numbers."""
    was = "No word of 'regoin'; 'region' is compared as a number."
    columns = {"prediction": "churn_score", "categorical": ["regoin"]}
    return _scored(folder, "Check", was, _LIKE_INCLUDE, columns=columns)


def misspelt_drift_column(folder: Path) -> Case:
    """A column that is to be judged leniently is misspelt in the spec, so it is judged as all are."""
    was = "Drift, 1 of 3 columns: 'churn_score', which spec.drift.columns was to let pass."
    drift = {"columns": [{"name": "churnscore", "method": "wasserstein", "threshold": 10}]}
    return _scored(folder, "Check", was, _LIKE_INCLUDE, drift=drift)


def column_named_self(folder: Path) -> Case:
    """A feature named self ends every retraining."""
    rng = np.random.default_rng(1901)
    reference, current = _pair(folder, lambda: _two_classes(rng, 300).rename(columns={"x": "self"}))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, LINEAR),
        was="Failed, RetrainFailed: '… a defect (TypeError: DataFrame.assign() got multiple values …)'.",
        right="Registered: a column may have any name.",
    )


# --- Words of the spec that are not followed, or cannot be ----------------------------------------


def declared_categories_are_numbers_in_training(folder: Path) -> Case:
    """Codes that the spec declares categorical are learnt as numbers."""
    rng = np.random.default_rng(1501)
    chosen = [3, 5, 8, 11, 14, 17, 19, 22, 27, 30]

    def table(rows: int) -> pd.DataFrame:
        plan = rng.integers(0, 32, rows)
        label = np.isin(plan, chosen).astype(int)
        return pd.DataFrame({"plan": plan, "x": rng.normal(size=rows), "label": label})

    reference, current = _pair(folder, lambda: table(700))
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, LINEAR, columns={"categorical": ["plan"]}),
        was="Registered with f1_macro 0.41; the same codes as text give 1.00.",
        right="What columns.categorical names is one-hot encoded: f1_macro is near 1.",
    )


def target_is_edited_and_the_task_stays(folder: Path) -> Case:
    """The target was a class and is a quantity now; the task that a check once inferred is kept for good."""
    return _edited_target(
        folder,
        was="Failed, TrainingFailed: 'Unknown label type: continuous', and no word of spec.task.",
        right="The task is forgotten with the target: Registered, a regression. Or the target is immutable.",
    )


def target_is_edited_and_candidates_too(folder: Path) -> Case:
    """With candidates for the new target, the monitor stops checking."""
    ridge = {"name": "ridge", "estimator": "sklearn.linear_model.Ridge"}
    return _edited_target(
        folder,
        ridge,
        was="The operator says Ready=False, InvalidSpec: Ridge is not a classifier; checks end.",
        right="The task is forgotten with the target, and the spec is valid.",
    )


def _edited_target(folder: Path, *candidates: Spec, was: str, right: str) -> Case:
    rng = np.random.default_rng(1601)

    def table(rows: int) -> pd.DataFrame:
        x = rng.normal(size=rows)
        revenue = 1000 + 300 * x + rng.normal(0, 30, rows)
        targets = {"churned": (x > 0).astype(int), "revenue": revenue}
        return pd.DataFrame({"x": x, "z": rng.normal(size=rows)} | targets)

    reference, current = _pair(folder, lambda: table(400))
    spec = _spec(reference, current, *candidates, target="revenue")
    return Case(purpose="Retrain", spec=spec, task="Classification", was=was, right=right)


def class_weights_by_number(folder: Path) -> Case:
    """Weights for the classes 0 and 1 cannot be written: keys in JSON are text."""
    rng = np.random.default_rng(2106)
    reference, current = _pair(folder, lambda: _two_classes(rng, 300))
    weighted = LINEAR | {"params": {"class_weight": "{0: 1, 1: 5}"}}
    return Case(
        purpose="Retrain",
        spec=_spec(reference, current, weighted),
        was="Failed, TrainingFailed: 'The classes, [0, 1], are not in class_weight'.",
        right="Keys are read as the classes of the target, or the documentation says how to write weights.",
    )


def prediction_is_the_target(folder: Path) -> Case:
    """The spec names one column as prediction and as target: the accuracy is 1 for ever."""
    rng = np.random.default_rng(2108)
    reference, current = _pair(folder, lambda: _two_classes(rng, 300))
    signal = {
        "name": "accuracy",
        "type": "Performance",
        "performance": {"metric": "accuracy", "minValue": 0.8},
    }
    return Case(
        purpose="Check",
        spec=_spec(reference, current, columns={"prediction": "label"}) | {"signals": [signal]},
        was="The signal accuracy is WithinLimits with 1.",
        right="InvalidSpec, or refused by the API server: prediction and target must be two columns.",
    )


def null_parameter_is_dropped(folder: Path) -> Case:
    """A parameter that is set to null reaches the cluster as if it were absent."""
    rng = np.random.default_rng(2301)
    reference, current = _pair(folder, lambda: _two_classes(rng, 300))
    boost = "sklearn.ensemble.GradientBoostingClassifier"
    candidate = {"name": "boost", "estimator": boost, "params": {"max_depth": "null", "n_estimators": "50"}}
    spec = _spec(reference, current, candidate)
    manifest = {
        "apiVersion": "selfheal.dev/v1alpha1",
        "kind": "ModelMonitor",
        "metadata": {"name": "nulls"},
        "spec": spec | {"intervalSeconds": 3600, "suspend": True},
    }
    (folder / "monitor.json").write_text(json.dumps(manifest, indent=1))
    return Case(
        purpose="Retrain",
        spec=spec,
        was="`kubectl apply -f monitor.json` stores params without max_depth, `kubectl diff` finds no "
        "difference, and trees of depth 3 are grown instead of full ones. `--server-side` keeps the null.",
        right="The documentation says so, or another spelling for null is accepted.",
    )


# --- Verdicts and messages that mislead -----------------------------------------------------------


def one_outlier_hides_drift(folder: Path) -> Case:
    """One value of a million in the reference makes every shift small."""
    rng = np.random.default_rng(1801)

    def table(mean: float) -> pd.DataFrame:
        features = {"x": rng.normal(mean, 1, 1200), "y": rng.normal(size=1200)}
        return pd.DataFrame(features | {"label": rng.integers(0, 2, 1200)})

    reference = table(0)
    reference.loc[0, "x"] = 1e6
    paths = _saved(folder, "reference.parquet", reference), _saved(folder, "current.parquet", table(3))
    return Case(
        purpose="Check",
        spec=_spec(*paths),
        was="NoDrift, 0 of 2 columns, though x has moved by three standard deviations.",
        right="Drift, or Inconclusive with a remark, where a test of ranks contradicts the distance.",
    )


def concept_drift_acts_on_nothing(folder: Path) -> Case:
    """What the target depends on has changed, the columns and the target have not: nothing follows."""
    rng = np.random.default_rng(1311)

    def table(cause: str) -> pd.DataFrame:
        made = pd.DataFrame(rng.normal(size=(500, 3)), columns=["a", "b", "c"])
        label = 100 + 20 * made[cause] + rng.normal(0, 4, 500)
        return made.assign(prediction=100 + 20 * made["a"], label=label)

    reference, current = (
        _saved(folder, f"{name}.parquet", table(cause))
        for name, cause in (("reference", "a"), ("current", "b"))
    )
    signals = [
        {"name": "labels", "type": "TargetDrift"},
        {
            "name": "error",
            "type": "Performance",
            "performance": {"metric": "root_mean_squared_error", "maxValue": 8},
        },
    ]
    return Case(
        purpose="Check",
        spec=_spec(reference, current, columns={"prediction": "prediction"}) | {"signals": signals},
        was="NoDrift, 0 of 3 columns; TargetDrift is within its limits; the error is seven times as large, "
        "and that leads to no retraining.",
        right="A breached Performance signal can lead to a retraining, if the monitor says so.",
    )


def advice_contradicts_itself(folder: Path) -> Case:
    """Fewer rows than there are would do, says the message: it counts rows where values are missing."""
    rng = np.random.default_rng(1511)

    def table(rows: int) -> pd.DataFrame:
        answer = np.where(rng.random(rows) < 0.6, np.nan, rng.normal(size=rows))
        return _customers(rng, rows).assign(answer=answer)

    reference, current = (
        _saved(folder, "reference.csv", table(800)),
        _saved(folder, "current.csv", table(400)),
    )
    return Case(
        purpose="Check",
        spec=_spec(reference, current),
        was="Inconclusive: '174 of current would do beside 800 of reference (400 now). Collect more'.",
        right="The values of the column are counted, not the rows: about 160 now, and more are needed.",
    )


def one_row_of_one_class_ends_stratification(folder: Path) -> Case:
    """A class with a single row lets chance decide for all the other classes too."""
    rng = np.random.default_rng(1611)
    label = np.repeat(["often", "sometimes", "seldom", "once"], [260, 130, 9, 1])
    table = pd.DataFrame({"x": rng.normal(size=400), "z": rng.normal(size=400), "label": label})
    path = _saved(folder, "both.parquet", table.sample(frac=1, random_state=12))
    return Case(
        purpose="Retrain",
        spec=_spec(path, path, LINEAR),
        was="None of the 9 rows of 'seldom' is held out; without the single row of 'once' two of them are.",
        right="The other classes keep their shares; the single row is learnt, and the message names it.",
    )


def header_with_semicolons_in_current(folder: Path) -> Case:
    """The current CSV is separated by semicolons: columns are said to be missing."""
    reference, semicolons, _ = _separated(folder)
    return Case(
        purpose="Check",
        spec=_spec(reference, semicolons),
        was="Error, ColumnMissing: 'lacks the columns …', and no word of semicolons.",
        right="The message shows that the header reads 'age;plan;label', and how CSV has to be written.",
    )


def header_with_semicolons_on_both_sides(folder: Path) -> Case:
    """Both CSV files are separated by semicolons: nothing is comparable."""
    _, semicolons, _ = _separated(folder)
    return Case(
        purpose="Check",
        spec=_spec(semicolons, semicolons),
        was="Inconclusive, NothingToCompare: 'None of the 1 columns is comparable'.",
        right="The message shows that the header reads 'age;plan;label', and how CSV has to be written.",
    )


def semicolons_and_decimal_commas(folder: Path) -> Case:
    """With decimal commas as well, the file is said to be still in the making."""
    _, _, commas = _separated(folder)
    return Case(
        purpose="Check",
        spec=_spec(commas, commas),
        was="Error, DataUnreadable: '… perhaps it is still being written'.",
        right="The message shows that the header reads 'age;plan;label', and how CSV has to be written.",
    )


def _separated(folder: Path) -> tuple[str, str, str]:
    rng = np.random.default_rng(2102)
    return (
        _saved(folder, "reference.csv", _customers(rng, 300)),
        _saved(folder, "semicolons.csv", _customers(rng, 300), sep=";"),
        _saved(folder, "commas.csv", _customers(rng, 300), sep=";", decimal=","),
    )


CASES: Final[Mapping[str, Callable[[Path], Case]]] = {
    "01": integer_columns_refuse_gaps,
    "03": class_nobody_has_costs_a_third,
    "03-signal": one_prediction_of_a_class_nobody_has,
    "05a": growing_table_contains_the_reference,
    "05b": rows_delivered_four_times,
    "06": random_split_of_ordered_rows,
    "07": words_true_and_false_become_true,
    "08a": category_called_none,
    "08b": class_called_none_vanishes,
    "09a": long_codes_with_one_gap,
    "09c-1": long_labels_are_rounded,
    "09c-2": neighbouring_long_labels_are_one,
    "10-1": index_column_of_csv_drifts,
    "10-2": index_column_of_csv_is_learnt,
    "11-1": two_rates_of_two_widths,
    "11-2": four_rates_of_two_widths,
    "12-1": misspelt_prediction_drifts,
    "12-2": misspelt_prediction_is_learnt,
    "12-3": misspelt_exclude,
    "12-4": misspelt_categorical,
    "12-5": misspelt_drift_column,
    "14a": champion_artifacts_away,
    "14b": champion_signature_refuses_gaps,
    "15": declared_categories_are_numbers_in_training,
    "16-1": target_is_edited_and_the_task_stays,
    "16-2": target_is_edited_and_candidates_too,
    "17": registered_by_chance,
    "18": one_outlier_hides_drift,
    "19": column_named_self,
    "21a": growing_integer_identifier,
    "21b-1": header_with_semicolons_in_current,
    "21b-2": header_with_semicolons_on_both_sides,
    "21b-3": semicolons_and_decimal_commas,
    "21f": class_weights_by_number,
    "21h": prediction_is_the_target,
    "21i": twenty_rows,
    "23": null_parameter_is_dropped,
    "W1": one_row_alone_is_answered_otherwise,
    "W2-1": growing_window_examines_champion_on_what_it_learnt,
    "W2-2": sliding_window_examines_champion_on_what_it_learnt,
    "W3-1": feed_of_zeros_leads_to_a_retraining,
    "W3-2": feed_of_zeros_is_learnt,
    "W3-3": feed_of_nulls_is_not_seen,
    "W3-4": feed_of_nulls_is_learnt,
    "W4-1": one_label_unknown,
    "W4-2": yes_and_no_become_one_and_zero,
    "W5": one_answer_of_a_vanished_class,
    "W7": one_gap_stops_a_whole_batch,
    "W8-1": column_gives_the_class_away,
    "W8-2": column_gives_the_number_away,
    "W9": running_model_is_better,
    "W10": better_on_one_split,
    "W12": summer_replaces_winter,
    "W13": concept_drift_acts_on_nothing,
    "W14-1": calendar_and_identifier_drift,
    "W14-2": calendar_and_identifier_are_learnt,
    "W15": advice_contradicts_itself,
    "W16": one_row_of_one_class_ends_stratification,
}
