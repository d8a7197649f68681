"""Searches hyperparameters with Optuna, by the cross-validation that has chosen the winner.

The sampler is seeded and trials run one after the other, so a search of the same rows repeats itself trial by
trial. Only time can end it early: the number of finished trials is recorded, and with it as
`spec.retraining.search.trials` a run is repeated.
"""

import logging
import time
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import optuna
from msgspec import Struct
from msgspec.structs import replace

from selfheal_jobs.redaction import one_line
from selfheal_jobs.retrain.cross_validation import Choice, PreparedFolds
from selfheal_jobs.retrain.fold_score import LOWER_IS_BETTER, is_better_by
from selfheal_jobs.retrain.search_space import SPACES
from selfheal_jobs.retrain.training import Recipe
from selfheal_operator.api.model import format_number
from selfheal_operator.api.v1alpha1.retraining import Candidate, Search

logger = logging.getLogger(__name__)

_SHARE_OF_ONE_TRIAL: Final = 0.2
"""A trial may take at most this share of the search's time; it is stopped after the fold that exceeds it."""

_NEVER_PRUNED: Final = 5
"""Trials before pruning starts: Optuna's default for its median rule."""


class Progress(Struct, frozen=True, kw_only=True):
    """The state of a search after a trial."""

    trial: int
    """The number of trials that have ended, from 1."""
    score: float | None
    """The trial's mean score; None if it was pruned or failed."""
    best: float
    """The best mean score so far, including the winner without a search."""


class Searched(Struct, frozen=True, kw_only=True):
    """The winner after a search."""

    choice: Choice
    trials: int = 0
    """The trials that have ended, pruned and failed ones included."""
    pruned: int = 0
    failed: int = 0


def search(
    choice: Choice,
    candidates: Sequence[Recipe],
    rules: Search,
    tell: Callable[[Progress], None],
) -> Searched:
    """Search better parameters for the candidates, and return the best of them and of the winner before.

    Parameters that the manifest sets stay as they are. `tell` is called after each trial.
    """
    searched = {each.name: each for each in candidates if isinstance(each, Candidate) and _free(each)}
    if choice.winner is None or not searched:
        logger.info("There is nothing to search: no candidate has parameters that are searched")
        return Searched(choice=choice)
    trials = _Trials(choice, choice.scores[choice.winner.name], searched, rules, tell)
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="minimize" if choice.training_set.metric in LOWER_IS_BETTER else "maximize",
        sampler=optuna.samplers.TPESampler(seed=choice.training_set.seed),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=_NEVER_PRUNED),
    )
    study.optimize(
        trials.objective,
        n_trials=rules.trials,
        timeout=rules.timeout_seconds,
        callbacks=[trials.ended],
        catch=(Exception,),
    )
    states = [trial.state for trial in study.trials]
    return Searched(
        choice=trials.choice,
        trials=len(states),
        pruned=states.count(optuna.trial.TrialState.PRUNED),
        failed=states.count(optuna.trial.TrialState.FAIL),
    )


def _free(candidate: Candidate) -> list[str]:
    """Return the parameters that are searched: those of its space that the manifest does not set."""
    return [name for name in SPACES.get(candidate.estimator, {}) if name not in candidate.params]


class _Trials:
    """The trials of one search, and the best candidate so far."""

    def __init__(
        self,
        choice: Choice,
        best: float,
        searched: dict[str, Candidate],
        rules: Search,
        tell: Callable[[Progress], None],
    ) -> None:
        self.choice = choice
        self._best = best
        self._searched = searched
        self._folds = PreparedFolds(choice.training_set)
        self._most_seconds = rules.timeout_seconds * _SHARE_OF_ONE_TRIAL
        self._tell = tell

    def objective(self, trial: optuna.Trial) -> float:
        """Return the mean score of the candidate that a trial suggests.

        Raises:
            TrialPruned: It is worse than half of the trials before, or takes too long.
        """
        candidate = self._suggested(trial)
        started, scores = time.monotonic(), []
        for number, score in enumerate(self._folds.scores(candidate)):
            scores.append(score)
            trial.report(float(np.mean(scores)), number)
            if trial.should_prune() or time.monotonic() - started > self._most_seconds:
                raise optuna.TrialPruned
        mean = float(np.mean(scores))
        self._keep_if_better(candidate, mean)
        return mean

    def ended(self, study: optuna.Study, trial: optuna.trial.FrozenTrial) -> None:
        """Tell the progress after a trial."""
        score = trial.value if trial.state is optuna.trial.TrialState.COMPLETE else None
        best = self._best
        shown = trial.state.name.lower() if score is None else format_number(score)
        logger.info("Trial %d: %s, best %.4f", len(study.trials), shown, best)
        try:
            self._tell(Progress(trial=len(study.trials), score=score, best=best))
        except Exception as error:  # noqa: BLE001  progress is not worth a retraining
            logger.info("The progress of the search could not be logged: %s", one_line(error))

    def _suggested(self, trial: optuna.Trial) -> Candidate:
        names = sorted(self._searched)
        chosen = self._searched[trial.suggest_categorical("candidate", names)]
        space = SPACES[chosen.estimator]
        values = {name: space[name].suggest(trial, f"{chosen.name}.{name}") for name in _free(chosen)}
        return chosen.replaced(params=dict(chosen.params) | values)

    def _keep_if_better(self, candidate: Candidate, mean: float) -> None:
        if is_better_by(self.choice.training_set.metric, mean, self._best):
            scores = dict(self.choice.scores) | {candidate.name: mean}
            self.choice, self._best = replace(self.choice, winner=candidate, scores=scores), mean
