"""How vendors' answers are read: what is missing or unknown is named, and every failure says what to do about it.

For the vendors' files, which run in any environment: only the standard library is used.
"""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from qpm_lab.errors import ProviderError
from qpm_lab.providers.apart.bounds import TooLargeError, TooSlowError

MOST_WORDS = 300
"""Characters of a vendor's own words that are passed on."""
_UPDATE = "The vendor's API has changed. Update qpm_lab, or report it; nothing is guessed."
_LOOKED_UP = "Nobody can tell whether the job was taken: it is looked up before anything is sent again."
_LATER = "Try again later; nothing was sent twice."
_NEVER_SENT = ("ConnectionRefusedError", "NewConnectionError", "NameResolutionError", "ConnectTimeout", "ConnectError")
Known = Mapping[str, "Known | None"]
"""The fields of an answer, each with those inside it: None where it is a value, or its content is free."""
_MESSAGE_FIELDS = ("message", "error", "detail", "error_description", "errors", "title", "code", "description")


def field(document: Any, *path: str, vendor: str, what: str) -> Any:
    """A field that the vendor promises.

    Args:
        document: Its answer.
        path: Names from the outside in.
        vendor: As the vendor writes itself.
        what: Which answer it is, for example `GET /v0.4/jobs/ID`.

    Raises:
        ProviderError: It is not there; the message names it.
    """
    found = document
    for depth, name in enumerate(path):
        if not isinstance(found, Mapping) or name not in found:
            missing = ".".join(path[: depth + 1])
            raise ProviderError(
                f"The field {missing!r} is missing in {vendor}'s answer to {what}.", _UPDATE, uncertain=True
            )
        found = found[name]
    return found


def one_of(value: Any, known: Collection[str], name: str, *, vendor: str, what: str) -> str:
    """A value of a closed set, such as the state of a job.

    Raises:
        ProviderError: It is none of them; the message names field and value.
    """
    if isinstance(value, str) and value in known:
        return value
    raise ProviderError(
        f"The field {name!r} of {vendor}'s answer to {what} has the unknown value {words(value)!r}.",
        _UPDATE,
        uncertain=True,
    )


def no_others(document: Mapping[str, Any], known: Collection[str], *, vendor: str, what: str) -> None:
    """Refuses an answer that has a field which nobody has read about.

    Raises:
        ProviderError: There is one; the message names it.
    """
    for name in sorted(document.keys() - set(known)):
        raise ProviderError(
            f"{vendor}'s answer to {what} has the unknown field {words(name)!r}.", _UPDATE, uncertain=True
        )


def nothing_else(document: Any, known: Known, *, vendor: str, what: str, inside: str = "") -> None:
    """Refuses an answer that has, as deep as `known` goes, a field which nobody has read about.

    Args:
        document: The answer; lists are gone through, and what is no object is not judged here.
        known: What it may have.
        vendor: As the vendor writes itself.
        what: Which answer it is.
        inside: Names on the way to `document`, each with a dot behind it.

    Raises:
        ProviderError: There is one; the message names it with its path.
    """
    if isinstance(document, list):
        for each in document:
            nothing_else(each, known, vendor=vendor, what=what, inside=inside)
    if not isinstance(document, Mapping):
        return
    no_others({inside + name: None for name in document}, {inside + name for name in known}, vendor=vendor, what=what)
    for name, further in known.items():
        if further is not None:
            nothing_else(document.get(name), further, vendor=vendor, what=what, inside=f"{inside}{name}.")


def http_error(vendor_title: str, name: str, status: int, text: str, *, sending: bool) -> ProviderError:
    """What a vendor's error answer means for the job.

    Args:
        vendor_title: As the vendor writes itself.
        name: Of the vendor here, for hints.
        status: Of HTTP.
        text: The answer's body.
        sending: Whether it answered a submission; then a failure of the vendor leaves in doubt whether it took the job.
    """
    said = f"{vendor_title} answered {status}: {vendor_words(text)}"
    if status in (401, 403):
        return ProviderError(said, f"The key may be wrong or expired. Store a new one: qpm secret set {name}")
    if status == 402:
        return ProviderError(said, f"Look at the account's budget at {vendor_title}.")
    if status == 429:
        return ProviderError(said, "Too many requests; wait a little. It is tried again by itself.", retryable=True)
    if status == 404 and not sending:
        return ProviderError(said, "A vendor may take a moment to show a new job.", retryable=True)
    if status >= 500 or status == 408 or status < 400:
        return ProviderError(said, _LOOKED_UP if sending else _LATER, retryable=not sending, uncertain=sending)
    return ProviderError(
        said, "The job was not taken; see the vendor's words." if sending else "See the vendor's words."
    )


def network_error(vendor_title: str, error: BaseException, *, sending: bool) -> ProviderError:
    """What a failure between us and the vendor means for the job, whichever library reports it.

    Args:
        vendor_title: As the vendor writes itself.
        error: The library's exception; what caused it is looked at too.
        sending: Whether a submission was under way.
    """
    chain = list(_chain(error))
    for each in chain:
        if isinstance(each, TooLargeError | TooSlowError):
            hint = _LOOKED_UP if sending else "Try again; if it stays, report it to the vendor."
            passes = isinstance(each, TooSlowError) and not sending
            message = f"{vendor_title} was not read: {each}."
            return ProviderError(message, hint, retryable=passes, uncertain=True, cause=error)
    if any(isinstance(each, socket.gaierror) or type(each).__name__ in _NEVER_SENT for each in chain):
        message, hint = f"{vendor_title} cannot be reached: {words(chain[-1])}", "Check the network; it is tried again."
        return ProviderError(message, hint, retryable=True, cause=error)
    message = f"The connection to {vendor_title} broke: {words(chain[-1]) or type(chain[-1]).__name__}"
    hint = _LOOKED_UP if sending else _LATER
    return ProviderError(message, hint, retryable=not sending, uncertain=sending, cause=error)


def unreadable(
    vendor_title: str, what: str, content_type: str = "", *, sending: bool = True, cause: BaseException | None = None
) -> ProviderError:
    """For an answer that is not what was asked for: no JSON, cut off, or a page of some other server."""
    came = f" ({words(content_type)})" if content_type else ""
    hint = "A proxy or login page may stand between; check the network, then try again."
    message = f"{vendor_title}'s answer to {what} cannot be read: it is not the JSON it should be{came}."
    return ProviderError(message, hint, retryable=not sending, uncertain=sending, cause=cause)


def vendor_words(text: str) -> str:
    """The message in an error's body, on one line."""
    try:
        return words(_message(json.loads(text))) or "no message"
    except (ValueError, RecursionError):
        return words(re.sub(r"<[^>]*>", " ", text[: 4 * MOST_WORDS])) or "no message"


def words(value: object) -> str:
    """Anything as one short printable line."""
    line = "".join(c if c.isprintable() else " " for c in str(value)[: 4 * MOST_WORDS])
    line = " ".join(line.split())
    return line if len(line) <= MOST_WORDS else line[: MOST_WORDS - 1] + "…"


def whole_counts(shares: Mapping[str, float], shots: int, *, vendor: str, what: str) -> dict[str, int]:
    """Probabilities as counts that sum to the shots: rounded down, the largest remainders first up.

    Args:
        shares: Outcome → probability; they sum to 1 within a per mille.
        shots: How many.
        vendor: As the vendor writes itself.
        what: Which answer it is.

    Raises:
        ProviderError: They are no probabilities.
    """
    for key, share in shares.items():
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1 + 1e-9:
            raise ProviderError(
                f"{vendor}'s answer to {what} gives {words(key)!r} the probability {words(share)}.", _UPDATE
            )
    total = sum(shares.values())
    if abs(total - 1) > 1e-3:
        raise ProviderError(f"The probabilities in {vendor}'s answer to {what} sum to {total:.6g}, not to 1.", _UPDATE)
    exact = {key: share / total * shots for key, share in shares.items()}
    counts = {key: int(value) for key, value in exact.items()}
    left = shots - sum(counts.values())
    for key in sorted(exact, key=lambda each: (counts[each] - exact[each], each))[:left]:
        counts[key] += 1
    return {key: count for key, count in counts.items() if count}


def checked_counts(counts: Any, width: int, shots: int | None, *, vendor: str, what: str) -> dict[str, int]:
    """A histogram as it should be.

    Args:
        counts: As the vendor's client gave it; keys may have spaces between registers.
        width: Bits of each key.
        shots: Their sum, where the vendor promises it; else None.
        vendor: As the vendor writes itself.
        what: Which answer it is.

    Raises:
        ProviderError: It is none; the message says what is wrong.
    """
    if not isinstance(counts, Mapping):
        raise ProviderError(f"{vendor}'s answer to {what} has no histogram.", _UPDATE)
    found: dict[str, int] = {}
    for key, count in counts.items():
        bits = str(key).replace(" ", "")
        if len(bits) != width or bits.strip("01"):
            raise ProviderError(
                f"{vendor}'s answer to {what} has the outcome {words(key)!r}, not {width} bits.", _UPDATE
            )
        if isinstance(count, bool) or not isinstance(count, int | float) or not count >= 0 or count % 1:
            raise ProviderError(f"{vendor}'s answer to {what} counts {words(count)} of {bits!r}.", _UPDATE)
        found[bits] = found.get(bits, 0) + int(count)
    if shots is not None and sum(found.values()) != shots:
        raise ProviderError(f"{vendor}'s answer to {what} has {sum(found.values()):,} shots, not {shots:,}.", _UPDATE)
    return found


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An exception and all that led to it, the deepest last; `requests` keeps some only among the arguments."""
    seen: set[int] = set()
    waiting: list[BaseException] = [error]
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        further = [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
        waiting += [one for one in further if isinstance(one, BaseException)]


def _message(document: Any) -> Any:
    """The sentence for a person in an error document, wherever a vendor puts it."""
    if isinstance(document, list):
        return "; ".join(str(_message(each)) for each in document[:3])
    if isinstance(document, Mapping):
        for name in _MESSAGE_FIELDS:
            if document.get(name):
                return _message(document[name])
        return json.dumps(document)
    return document
