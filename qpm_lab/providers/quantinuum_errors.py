"""What the Nexus client raises, as errors that say what they mean for the job."""

from __future__ import annotations

import json

from qpm_lab.errors import ProviderError
from qpm_lab.providers.answers import http_error, network_error, unreadable, words

TITLE = "Quantinuum"
_UPDATE = "The vendor's API has changed. Update qpm_lab, or report it; nothing is guessed."


def failure(error: Exception, what: str, *, sending: bool) -> ProviderError:
    """The client's exception as a ProviderError.

    Args:
        error: Some carry a status of HTTP, others stand for one; a missing field is a bare KeyError.
        what: Which answer was awaited, for example `GET /api/jobs/v1beta3/ID`.
        sending: Whether a submission was under way.
    """
    import httpx
    from pydantic import ValidationError
    from qnexus import exceptions

    if isinstance(error, exceptions.AuthenticationError):
        return http_error(TITLE, "quantinuum", 401, "The key is not valid, or has expired.", sending=sending)
    if isinstance(error, exceptions.ZeroMatches):
        return http_error(TITLE, "quantinuum", 404, f"Nothing was found by {what}.", sending=sending)
    if isinstance(error, exceptions.DataGone):
        return http_error(TITLE, "quantinuum", 410, "The data is no longer available.", sending=sending)
    if isinstance(error, exceptions.ResourceFetchFailed | exceptions.ResourceCreateFailed):
        return http_error(TITLE, "quantinuum", error.status_code or 0, error.message, sending=sending)
    if isinstance(error, httpx.HTTPStatusError):
        return http_error(TITLE, "quantinuum", error.response.status_code, error.response.text, sending=sending)
    if isinstance(error, httpx.TransportError | OSError):
        return network_error(TITLE, error, sending=sending)
    if isinstance(error, ValidationError):
        return _refused_by_model(error, what)
    if isinstance(error, KeyError):
        return _missing(str(error.args[0]), what, error)
    # The client's word for a status that lacks a field, or has a value which it does not know.
    if "JobStatus" in str(error) and not isinstance(error, json.JSONDecodeError):
        message = f"The field 'status' of {TITLE}'s answer to {what} is missing or has an unknown value: {words(error)}"
        return ProviderError(message, _UPDATE, uncertain=True, cause=error)
    return unreadable(TITLE, what, cause=error)


def _missing(name: str, what: str, error: Exception) -> ProviderError:
    message = f"The field {words(name)!r} is missing in {TITLE}'s answer to {what}."
    return ProviderError(message, _UPDATE, uncertain=True, cause=error)


def _refused_by_model(error: Exception, what: str) -> ProviderError:
    """Names the first field that is missing or is not what it should be."""
    first = getattr(error, "errors", list)()[0]
    name = ".".join(map(str, first["loc"]))
    if first["type"] == "missing":
        return _missing(name, what, error)
    message = f"The field {name!r} of {TITLE}'s answer to {what} has the unknown value {words(first['input'])!r}."
    return ProviderError(message, _UPDATE, uncertain=True, cause=error)
