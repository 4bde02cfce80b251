"""What IQM's client raises, as errors that say what they mean for the job."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qpm_lab.errors import ProviderError
from qpm_lab.providers.answers import http_error, network_error, unreadable, words

if TYPE_CHECKING:
    from pydantic import ValidationError

TITLE = "IQM"


def failure(error: Exception, what: str, *, sending: bool) -> ProviderError:
    """The client's exception as a ProviderError.

    Args:
        error: Its errors stand for a status of HTTP each; those of `requests` and pydantic come through as they are.
        what: Which answer was awaited, for example `GET jobs/ID`.
        sending: Whether a submission was under way.
    """
    import requests
    from exa.common.errors.iqm_error import IQMError
    from iqm.station_control.client.authentication import ClientAuthenticationError, ClientConfigurationError
    from iqm.station_control.interface.errors import map_from_error_to_status_code
    from pydantic import ValidationError

    if isinstance(error, ValidationError):
        return _not_as_described(error, what)
    # The client turns a time-out of `requests` into the error that also stands for status 504.
    if isinstance(error, IQMError) and not isinstance(error.__cause__, requests.Timeout):
        return http_error(TITLE, "iqm", int(map_from_error_to_status_code(error)), error.message, sending=sending)
    if isinstance(error, requests.exceptions.JSONDecodeError):
        return unreadable(TITLE, what, cause=error)
    if isinstance(error, IQMError | OSError):
        return network_error(TITLE, error, sending=sending)
    if isinstance(error, ClientAuthenticationError | ClientConfigurationError):
        return ProviderError(f"{TITLE}: {words(error)}", "Check the machine's name and the key.", cause=error)
    return unreadable(TITLE, what, cause=error)


def _not_as_described(error: ValidationError, what: str) -> ProviderError:
    """Names the first field that is missing or has a value which API v1 does not know."""
    first = error.errors(include_url=False)[0]
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "json_invalid" or not name:
        return unreadable(TITLE, what, cause=error)
    hint = "The vendor's API has changed (v1 as of this version). Update qpm_lab, or report it; nothing is guessed."
    if first["type"] == "missing":
        message = f"The field {name!r} is missing in {TITLE}'s answer to {what}."
    else:
        message = f"The field {name!r} of {TITLE}'s answer to {what} has the unknown value {words(first['input'])!r}."
    return ProviderError(message, hint, uncertain=True, cause=error)
