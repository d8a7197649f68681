"""The versions of registered models and their aliases, over MLflow's REST API."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from msgspec import Struct

from selfheal_jobs.tracking.mlflow_answers import FoundVersion, FoundVersions, VersionAnswer, values_of
from selfheal_jobs.tracking.rest_client import MLflowServer, RefusedError
from selfheal_jobs.tracking.search_conditions import equals, is_exact

_MOST_VERSIONS: Final = 100


class Version(Struct, frozen=True):
    """A model version in the registry."""

    name: str
    version: str
    created: datetime
    tags: Mapping[str, str]
    run_id: str | None = None
    """The MLflow run that made it, if it names one."""
    source: str = ""
    """Where its files are: `models:/<id of the logged model>`, or another address."""


class ModelRegistry(Struct, frozen=True):
    """The model registry of a tracking server. Methods raise TrackingError as those of MLflowServer do."""

    server: MLflowServer

    def version(self, name: str, version: str) -> Version | None:
        """Return a version; None if there is none."""
        query = urlencode({"name": name, "version": version})
        found = self.server.find(FoundVersion, f"model-versions/get?{query}")
        return _version(found.model_version) if found else None

    def newest_version(self, name: str) -> Version | None:
        """Return the version with the highest number; None if there is none."""
        most = 1 if is_exact(name) else _MOST_VERSIONS
        return next(iter(self._search(name, {}, most)), None)

    def versions(self, name: str) -> list[Version]:
        """Return the newest versions, the highest number first; at most 100."""
        return self._search(name, {}, _MOST_VERSIONS)

    def versions_with_tags(self, name: str, tags: Mapping[str, str]) -> list[Version]:
        """Return the newest versions that have these tags, the highest number first; at most 100."""
        return self._search(name, tags, _MOST_VERSIONS)

    def _search(self, name: str, tags: Mapping[str, str], most: int) -> list[Version]:
        conditions = [equals("name", name), *(equals(f"tags.`{key}`", tags[key]) for key in tags)]
        question = {
            "filter": " and ".join(conditions),
            "max_results": most,
            "order_by": "version_number DESC",
        }
        answer = self.server.ask_for(FoundVersions, "GET", f"model-versions/search?{urlencode(question)}")
        found = [_version(each) for each in answer.model_versions]
        return [each for each in found if each.name == name and tags.items() <= each.tags.items()]

    def delete_version(self, version: Version) -> None:
        """Delete a version; a missing one is not an error."""
        document = {"name": version.name, "version": version.version}
        try:
            self.server.ask("DELETE", "model-versions/delete", document)
        except RefusedError as error:
            if error.code != "RESOURCE_DOES_NOT_EXIST":
                raise

    def register(
        self, name: str, model_uri: str, tags: Mapping[str, str], *, description: str = "", run_id: str = ""
    ) -> Version:
        """Create a model version of a logged model, and the registered model if it does not exist.

        Args:
            name: Name of the registered model.
            model_uri: `models:/<id of the logged model>`.
            tags: Tags of the model version.
            description: What MLflow's UI shows with the version.
            run_id: The MLflow run that made it.
        """
        self._ensure_model(name)
        model_id = model_uri.removeprefix("models:/")
        document = {
            "name": name,
            "source": model_uri,
            "model_id": model_id,
            "description": description,
            **({"run_id": run_id} if run_id else {}),
            "tags": [{"key": key, "value": value} for key, value in tags.items()],
        }
        answer = self.server.ask_for(FoundVersion, "POST", "model-versions/create", document)
        made = _version(answer.model_version)
        self._link(model_id, made)
        return made

    def _ensure_model(self, name: str) -> None:
        try:
            self.server.ask("POST", "registered-models/create", {"name": name})
        except RefusedError as error:
            if error.code != "RESOURCE_ALREADY_EXISTS":
                raise

    def _link(self, model_id: str, version: Version) -> None:
        """Link the version to the logged model, as MLflow's own client does, so that MLflow's UI shows it."""
        link = json.dumps([{"name": version.name, "version": version.version}])
        document = {"tags": [{"key": "mlflow.modelVersions", "value": link}]}
        self.server.ask("PATCH", f"logged-models/{quote(model_id, safe='')}/tags", document)

    def tag_version(self, version: Version, key: str, value: str) -> None:
        """Set a tag of a version."""
        document = {"name": version.name, "version": version.version, "key": key, "value": value}
        self.server.ask("POST", "model-versions/set-tag", document)

    def version_by_alias(self, name: str, alias: str) -> Version | None:
        """Return the version that an alias points to; None if there is no such alias, or no such model."""
        query = urlencode({"name": name, "alias": alias})
        try:
            found = self.server.find(FoundVersion, f"registered-models/alias?{query}")
        except RefusedError as error:
            if error.code == "INVALID_PARAMETER_VALUE":  # MLflow's code for a missing alias
                return None
            raise
        return _version(found.model_version) if found else None

    def set_alias(self, version: Version, alias: str) -> None:
        """Set an alias to a version; an existing alias is moved."""
        document = {"name": version.name, "version": version.version, "alias": alias}
        self.server.ask("POST", "registered-models/alias", document)

    def delete_alias(self, name: str, alias: str) -> None:
        """Delete an alias; a missing alias is not an error."""
        self.server.ask("DELETE", "registered-models/alias", {"name": name, "alias": alias})


def _version(found: VersionAnswer) -> Version:
    return Version(
        name=found.name,
        version=str(found.version),
        created=found.created,
        tags=values_of(found.tags),
        run_id=found.run_id or None,
        source=found.source or "",
    )
