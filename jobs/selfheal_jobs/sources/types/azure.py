"""Azure Blob Storage."""

import re
from typing import Final

from pyarrow import fs

from selfheal_jobs.sources.credentials import lacks, secret_values, setting
from selfheal_jobs.sources.failures import Failures
from selfheal_jobs.sources.file_store import FileStore
from selfheal_jobs.sources.place import Place

_ACCOUNT: Final = re.compile("[a-z0-9]{3,24}")


def _connect(place: Place) -> tuple[fs.FileSystem, str]:
    account = setting(place, "AZURE_STORAGE_ACCOUNT")
    if not account:
        raise lacks(place, "AZURE_STORAGE_ACCOUNT")
    if not _ACCOUNT.fullmatch(account):  # it becomes a part of the host's name
        raise place.denied("AZURE_STORAGE_ACCOUNT is no name of a storage account")
    return fs.AzureFileSystem(account, **_keys(place)), place.path


def _keys(place: Place) -> dict[str, str]:
    """Return the Secret's keys. Without a Secret, Azure's default chain applies: workload identity etc."""
    if place.secret is None:
        return {}
    values = secret_values(place)
    if key := values.get("AZURE_STORAGE_KEY"):
        return {"account_key": key}
    if token := values.get("AZURE_STORAGE_SAS_TOKEN"):
        return {"sas_token": token}
    client = {
        "tenant_id": values.get("AZURE_TENANT_ID", ""),
        "client_id": values.get("AZURE_CLIENT_ID", ""),
        "client_secret": values.get("AZURE_CLIENT_SECRET", ""),
    }
    if all(client.values()):
        return client
    raise lacks(place, "AZURE_STORAGE_KEY", "AZURE_STORAGE_SAS_TOKEN")


SOURCE: Final = FileStore(
    connect=_connect,
    failures=Failures(
        denied="AuthenticationFailed|AuthorizationFailure|AuthorizationPermissionMismatch"
        "|InvalidAuthenticationInfo",
        absent="ContainerNotFound|BlobNotFound|FilesystemNotFound",
    ),
)
