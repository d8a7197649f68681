"""The order of events: version 1 of each model, the monitors, what comes of them, and the scores."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from demo.datasets.tables import REFERENCE
from demo.errors import TooLateError
from demo.expectations import Outcome, is_retraining, is_settled
from demo.first_version import FirstVersion
from demo.monitors import monitor
from demo.place import Place
from demo.registry import Registry
from demo.scenarios import SCENARIOS, Scenario
from demo.scores import Scores
from demo.story import told
from demo.teller import Teller
from selfheal_operator.api.v1alpha1.status import ModelMonitorStatus
from testbed.kubectl import KubectlError
from testbed.workspace import Workspace

FIRST_VERSION: Final = "1"
STORY_SECONDS: Final = 900
"""A check each minute, then a retraining: two minutes on two cores, more where images are pulled."""
POLL_SECONDS: Final = 1.0

Statuses = Mapping[str, ModelMonitorStatus]


@dataclass(frozen=True)
class Picture:
    """A moment at which `kubectl get` is worth a look."""

    title: str
    is_due: Callable[[Iterable[ModelMonitorStatus]], bool]


PICTURES: Final = (
    Picture("before: nothing has been checked yet", lambda seen: all(each.conditions for each in seen)),
    Picture("during: drift is found, a retraining runs", lambda seen: any(map(is_retraining, seen))),
)


class Play:
    """One performance."""

    def __init__(self, place: Place, folder: Workspace, teller: Teller) -> None:
        self._place = place
        self._folder = folder
        self._teller = teller
        self._registry = Registry(place.tracking_uri)

    def perform(self) -> list[Outcome]:
        """Let the whole story happen, and return what came of each monitor."""
        self._train_first_versions()
        before = {each.name: self._held_out_scores(each, FIRST_VERSION) for each in SCENARIOS}
        self._apply_monitors()
        statuses = self._follow(STORY_SECONDS)
        return [self._outcome(each, statuses[each.name], before[each.name]) for each in SCENARIOS]

    def show_monitors(self, when: str) -> None:
        """Show what `kubectl get` prints now."""
        kubectl = self._place.kubectl
        self._teller.show(f"$ kubectl -n {kubectl.namespace} get mmon    # {when}", kubectl("get", "mmon"))

    def _train_first_versions(self) -> None:
        self._teller.say(
            f"training version 1 of each model by hand, on {REFERENCE}: no cluster is needed for that"
        )
        trainings = [(each, self._first_version(each)) for each in SCENARIOS]
        try:
            for _, training in trainings:
                training.start()
            for scenario, training in trainings:
                outcome = training.outcome()
                self._tell_candidates(scenario.name, outcome.run_id)
                self._teller.tell(scenario.name, outcome.message)
        finally:
            for _, training in trainings:
                training.program.stop()

    def _first_version(self, scenario: Scenario) -> FirstVersion:
        here = monitor(scenario, data=str(self._folder.data), tracking_uri=self._place.tracking_uri)
        return FirstVersion(here, self._folder)

    def _apply_monitors(self) -> None:
        place = self._place
        place.kubectl.apply_server_side(
            *(
                monitor(each, data=place.data_in_pods, tracking_uri=place.tracking_uri_in_pods)
                for each in SCENARIOS
            )
        )
        self._teller.say("monitors applied")

    def _follow(self, seconds: float) -> Statuses:
        """Tell what happens until every monitor has come to rest.

        Raises:
            TooLateError: if that takes longer than `seconds`.
        """
        deadline = time.monotonic() + seconds
        seen: Statuses = {each.name: ModelMonitorStatus() for each in SCENARIOS}
        pictures, trouble = list(PICTURES), ""
        while unsettled := [each.name for each in SCENARIOS if not is_settled(each, seen[each.name])]:
            if time.monotonic() > deadline:
                waiting = ", ".join(unsettled)
                raise TooLateError(f"after {seconds:.0f} s the story of {waiting} is not at its end{trouble}")
            time.sleep(POLL_SECONDS)
            self._place.check()
            try:
                seen = self._look(seen)
                if pictures and pictures[0].is_due(seen.values()):
                    self.show_monitors(pictures.pop(0).title)
                trouble = ""
            # The API server may restart; the deadline bounds the wait for it.
            except KubectlError as error:
                trouble = f"; at last {error}"
        return seen

    def _look(self, before: Statuses) -> Statuses:
        after = {**before, **self._place.kubectl.statuses()}
        for name, status in after.items():
            known = before[name]
            if status.last_retraining and status.last_retraining != known.last_retraining:
                self._tell_candidates(name, status.last_retraining.run_id)
            for sentence in told(known, status, now=datetime.now(UTC)):
                self._teller.tell(name, sentence)
        return after

    def _tell_candidates(self, name: str, run_id: str | None) -> None:
        for candidate, scores in (self._registry.candidates(run_id) if run_id else {}).items():
            self._teller.tell(name, f"candidate {candidate}: {_one_line(scores)}")

    def _outcome(self, scenario: Scenario, status: ModelMonitorStatus, before: Scores) -> Outcome:
        after = self._held_out_scores(scenario, status.model.version) if status.model else None
        return Outcome(scenario, status, before, after)

    def _held_out_scores(self, scenario: Scenario, version: str) -> Scores:
        return self._registry.held_out_scores(scenario, version, self._folder.data)


def _one_line(scores: Scores) -> str:
    return ", ".join(f"{name} {value:.4f}" for name, value in scores.items())
