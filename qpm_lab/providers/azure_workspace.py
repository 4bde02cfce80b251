"""The workspace at Azure Quantum: Microsoft's client for its jobs and its storage, with errors as ours."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from qpm_lab.errors import ProviderError
from qpm_lab.providers.answers import Known, field, http_error, network_error, nothing_else, unreadable, words
from qpm_lab.providers.azure_fields import JOB, PROVIDERS
from qpm_lab.providers.azure_programs import REPORT, TITLE
from qpm_lab.providers.vendor import Access

API = "2026-01-15-preview"
"""The version of the data plane whose answers are read here."""
GET_JOB = "GET /jobs/ID"
_BOUNDS = {"retry_total": 0, "connection_timeout": 15, "read_timeout": 60}
"""No call is repeated by the client itself: what a lost answer means is decided by the one who asked."""
_PARTS = {
    "SubscriptionId": "subscription_id",
    "ResourceGroupName": "resource_group",
    "WorkspaceName": "workspace",
    "QuantumEndpoint": "endpoint",
}
"""Of a connection string, and by what names a site's settings give them beside a bare key."""


@dataclass(frozen=True, slots=True, repr=False)
class Place:
    """A workspace and its key."""

    endpoint: str
    workspace: tuple[str, str, str]
    """Subscription, resource group and name."""
    key: str


def place_of(access: Access) -> Place:
    """Which workspace is meant.

    Args:
        access: Its token is the workspace's connection string, or a bare key; then the settings `subscription_id`,
            `resource_group`, `workspace` and `location` (or `endpoint`) name the workspace.

    Raises:
        ProviderError: Something of it is missing; the message names it.
    """
    token, options = access.secrets.get("token", "").strip(), access.options
    told = {name: str(options.get(name) or "") for name in _PARTS.values()}
    if not told["endpoint"] and re.fullmatch(r"[A-Za-z0-9-]+", str(options.get("location", ""))):
        told["endpoint"] = f"https://{options['location']}.quantum.azure.com"
    if "ApiKey=" in token:
        parts = dict(part.split("=", 1) for part in token.split(";") if "=" in part)
        told |= {name: parts[part] for part, name in _PARTS.items() if parts.get(part)}
        token = parts.get("ApiKey", "")
    told["endpoint"] = (access.url or told["endpoint"]).rstrip("/")
    missing = [name for name, value in {"key": token, **told}.items() if not value]
    if missing:
        raise ProviderError(
            f"{TITLE} cannot be asked: {', '.join(missing)} missing.",
            "Store the workspace's connection string (Azure portal, the workspace's Access keys) with: "
            "qpm secret set azure",
        )
    if not re.match(r"https://|http://(127\.0\.0\.1|localhost|\[::1\])(:|$)", told["endpoint"]):
        message = f"{TITLE} is not asked at {words(told['endpoint'])}: the key would travel unencrypted."
        raise ProviderError(message, "Give an address that begins with https://.")
    return Place(told["endpoint"], (told["subscription_id"], told["resource_group"], told["workspace"]), token)


def id_of(token: str) -> str:
    """The job's id that belongs to a token."""
    return str(uuid.UUID(hex=token))


class Workspace:
    """Its jobs and blobs.

    Args:
        access: See `place_of`; with the setting `unknown_fields`: `allow`, answers are read that have fields which
            nobody here has read about. They are refused otherwise.
    """

    def __init__(self, access: Access) -> None:
        try:
            from azure.core.credentials import AzureKeyCredential

            # The public `Workspace` passes no time-outs on, and sends everything up to ten times by itself.
            from azure.quantum._client import WorkspaceClient
        except ImportError as error:  # `azure` itself comes with many other packages
            message, hint = f"The client of {TITLE} is not installed.", "Install it with: qpm provider install azure"
            raise ProviderError(message, hint, cause=error) from error

        place = place_of(access)
        self._key, self._place = place.key, place.workspace
        self.name = place.workspace[2]
        self._strict = access.options.get("unknown_fields") != "allow"
        services = WorkspaceClient(place.endpoint, AzureKeyCredential(place.key), api_version=API, **_BOUNDS).services
        self._jobs, self._storage, self._providers = services.jobs, services.storage, services.providers

    def targets(self, what: str) -> list[Any]:
        """All machines of all makers, as the workspace describes them."""
        with self.translated(what):
            providers = list(self._providers.list(*self._place, raw_response_hook=self._look(PROVIDERS, what)))
        if not providers:  # Microsoft's client reads an answer without its list as an empty one
            message = f"The field 'value' of {TITLE}'s answer to {what} is missing or empty."
            raise ProviderError(message, REPORT, uncertain=True)
        return [target for each in providers for target in field(each, "targets", vendor=TITLE, what=what)]

    def job(self, job_id: str, *, searched: bool = True) -> Any:
        """A job's document; an error that may be waited out when the job is not shown.

        Args:
            job_id: Which.
            searched: Whether unknown fields matter.
        """
        from azure.core.exceptions import ResourceNotFoundError

        hook = {"raw_response_hook": self._look(JOB, GET_JOB)} if searched else {}
        with self.translated(GET_JOB):
            try:
                return self._jobs.get(*self._place, job_id, **hook)
            except ResourceNotFoundError as error:
                said = f"{TITLE} answered 404: {words(_said(error))}"
                raise ProviderError(said, "A new job may not be shown yet; try again later.", retryable=True) from error

    def has_job(self, job_id: str) -> bool:
        """Whether a job with that id can be seen."""
        from azure.core.exceptions import ResourceNotFoundError

        with self.translated(GET_JOB):
            try:
                self._jobs.get(*self._place, job_id)
            except ResourceNotFoundError:
                return False
        return True

    def put_job(self, job_id: str, details: Any) -> None:
        """Submits a job; one of that id that is there already is left as it is."""
        from azure.core.exceptions import ResourceExistsError

        with self.translated("PUT /jobs/ID", sending=True):
            try:
                self._jobs.create(*self._place, job_id, details)
            except ResourceExistsError as error:
                found = False
                with suppress(ProviderError):
                    found = self.has_job(job_id)
                if not found:
                    raise ProviderError(
                        f"{TITLE} answered 409: {words(_said(error))}",
                        "Nobody can tell whether the job was taken: it is looked up before anything is sent again.",
                        uncertain=True,
                    ) from error

    def cancel(self, job_id: str) -> None:
        """Asks for it; a job that has ended meanwhile is left as it is."""
        from azure.core.exceptions import HttpResponseError

        with self.translated("POST /jobs/ID:cancel"):
            try:
                self._jobs.cancel(*self._place, job_id)
            except HttpResponseError as error:
                if error.status_code not in (204, 409):  # 204: the service's other way to say that it was taken
                    raise

    def put_program(self, container: str, program: bytes, content_type: str) -> tuple[str, str]:
        """Stores a program; returns the addresses of the container, signed, and of the program in it."""
        from azure.core.exceptions import ResourceExistsError
        from azure.storage.blob import ContainerClient, ContentSettings

        address = self._address(container)
        with self.translated("PUT inputData"):
            client: Any = ContainerClient.from_container_url(address, **_BOUNDS)
            blob = client.get_blob_client("inputData")
            with suppress(ResourceExistsError):  # the container is this job's own: an earlier call has put it there
                blob.upload_blob(program, content_settings=ContentSettings(content_type=content_type))
        return address, blob.url.partition("?")[0]

    def output(self, address: str) -> bytes:
        """What a job wrote."""
        from azure.storage.blob import BlobClient

        with self.translated("GET the output"):
            bare = BlobClient.from_blob_url(address)
            signed: Any = BlobClient.from_blob_url(self._address(bare.container_name, bare.blob_name), **_BOUNDS)
            return bytes(signed.download_blob(max_concurrency=1).readall())

    def _address(self, container: str, blob: str | None = None) -> str:
        """A signed address in the workspace's storage; the container is made when it is not there."""
        from azure.quantum._client.models import BlobDetails

        what = "POST /storage/sasUri"
        with self.translated(what):
            answer = self._storage.get_sas_uri(*self._place, BlobDetails(container_name=container, blob_name=blob))
        return str(field(answer, "sasUri", vendor=TITLE, what=what))

    def _look(self, known: Known, what: str) -> Callable[[Any], None]:
        """What Microsoft's client is to call with each answer as it came: it passes over what its models lack."""

        def look(answer: Any) -> None:
            if self._strict and answer.http_response.status_code == 200:
                with suppress(ValueError, RecursionError):  # What is no JSON, the client finds.
                    nothing_else(answer.http_response.json(), known, vendor=TITLE, what=what)

        return look

    @contextmanager
    def translated(self, what: str, *, sending: bool = False) -> Iterator[None]:
        """Errors of Microsoft's libraries as ours, without keys and signatures."""
        from azure.core.exceptions import AzureError, DecodeError, HttpResponseError, IncompleteReadError

        try:
            yield
        except IncompleteReadError as error:
            raise self._clean(network_error(TITLE, _inner(error), sending=sending)) from error
        except DecodeError as error:
            raise unreadable(TITLE, what, cause=error) from error
        except HttpResponseError as error:
            if error.inner_exception is not None:  # a good answer's body that could not be read to its end
                raise self._clean(network_error(TITLE, _inner(error), sending=sending)) from error
            status = error.status_code or 0
            raise self._clean(http_error(TITLE, "azure", status, _said(error), sending=sending)) from error
        except (AzureError, OSError) as error:
            raise self._clean(network_error(TITLE, _inner(error), sending=sending)) from error
        except (ValueError, TypeError, AttributeError, KeyError) as error:
            raise unreadable(TITLE, what, cause=error) from error

    def _clean(self, error: ProviderError) -> ProviderError:
        message = error.message.replace(self._key, "[key]")
        error.message = re.sub(r"\?\S*sig=\S*", "?[signature]", message)
        return error


def _inner(error: Exception) -> BaseException:
    """What Microsoft's libraries have wrapped, which keeps its own causes."""
    return getattr(error, "inner_exception", None) or error


def _said(error: Any) -> str:
    """What Azure wrote for a person; storage puts it into the message, the workspace into its error."""
    return str(getattr(error.error, "message", None) or error.message)
