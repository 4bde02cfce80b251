"""AWS as Braket's SDK reaches it: a session per region, with one attempt per question, and what failures mean."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import ProviderError
from qpm_lab.providers.answers import field, http_error, network_error, no_others, unreadable, words
from qpm_lab.providers.vendor import Access

if TYPE_CHECKING:
    from braket.aws import AwsSession

TITLE = "Amazon Braket"
_KEYS = "braket/access_key_id and braket/secret_access_key"


class Aws:
    """Sessions of the SDK, made when they are first needed.

    Args:
        access: Keys, settings, and the address of a double.
    """

    def __init__(self, access: Access) -> None:
        self._access = access
        self._sessions: dict[str, AwsSession] = {}
        # Nobody's keys but those that were handed over: without this boto asks the cloud machine it may run on.
        os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
        if access.url:
            os.environ |= {"BRAKET_ENDPOINT": access.url, "AWS_ENDPOINT_URL": access.url}
            os.environ["BRAKET_PRICE_OFFERS_URL"] = f"{access.url}/offers/v1.0/aws/AmazonBraket/current/index.csv"

    def session(self, region: str) -> AwsSession:
        """The session of a region."""
        if region not in self._sessions:
            self._sessions[region] = self._made(region)
        return self._sessions[region]

    def _made(self, region: str) -> AwsSession:
        import boto3
        from botocore.config import Config
        from braket.aws import AwsSession

        secrets = self._access.secrets
        keys = boto3.Session(
            aws_access_key_id=secrets.get("access_key_id"),
            aws_secret_access_key=secrets.get("secret_access_key"),
            aws_session_token=secrets.get("session_token"),
            region_name=region,
        )
        # One attempt each: whether and when to try again is decided, and recorded, outside.
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=10, read_timeout=60)
        if self._access.url:
            config = config.merge(Config(s3={"addressing_style": "path"}))
        bucket = self._access.options.get("bucket")
        named = bucket.get(region) if isinstance(bucket, Mapping) else bucket
        session = AwsSession(keys, config=config, default_bucket=named)
        if self._access.options.get("unknown_fields") != "allow":
            session.braket_client.meta.events.register("after-call.braket", _known)
        session.braket_client.meta.events.register("after-call.braket", _json)
        return session

    def bucket(self, region: str) -> str:
        """The site's, or the account's own for Braket in that region, which is made when there is none."""
        with asking("the bucket for its results"):
            return str(self.session(region).default_bucket())


@contextmanager
def asking(what: str, *, sending: bool = False) -> Iterator[None]:
    """Says in our words what the client could not do."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, ParamValidationError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ClientError as error:
        raise _refusal(error, sending) from error
    except NoCredentialsError as error:
        raise ProviderError(f"{TITLE} was given no key.", f"Store it: qpm secret set {_KEYS}") from error
    except ParamValidationError as error:
        raise ProviderError(f"{TITLE}'s client refused {what}: {words(error)}", "Nothing was sent.") from error
    except KeyError as error:
        field({}, str(error.args[0]), vendor=TITLE, what=what)
    except (BotoCoreError, HTTPError, OSError) as error:
        raise network_error(TITLE, error, sending=sending) from error
    except ValueError as error:
        raise unreadable(TITLE, what, cause=error) from error


class EndedError(ProviderError):
    """The task has ended already."""


def _refusal(error: Any, sending: bool) -> ProviderError:
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    said = error.response.get("Error", {})
    code, message = str(said.get("Code", "")), str(said.get("Message", ""))
    text = json.dumps(message if code == str(status) else f"{code}: {message}")
    found = http_error(TITLE, _KEYS, status, text, sending=sending)
    return EndedError(found.message, found.hint) if code == "ConflictException" else found


def _json(http_response: Any, model: Any, **_: Any) -> None:
    """Refuses answers that are no JSON: the client would take them for empty ones."""
    if http_response.status_code < 300:
        read(http_response.content, model.name)


def _known(http_response: Any, model: Any, **_: Any) -> None:
    """Refuses fields that the client does not know: it would leave them out in silence."""
    # The id of a task that was just made, or that one was stopped, is worth more than what else the answer says.
    if http_response.status_code < 300 and model.name not in ("CreateQuantumTask", "CancelQuantumTask"):
        no_others(read(http_response.content, model.name), model.output_shape.members, vendor=TITLE, what=model.name)


def read(text: Any, what: str) -> dict[str, Any]:
    """A JSON object; unreadable otherwise."""
    try:
        found = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise unreadable(TITLE, what, cause=error) from error
    if not isinstance(found, dict):
        raise unreadable(TITLE, what)
    return found
