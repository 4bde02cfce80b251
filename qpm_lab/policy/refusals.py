"""Reasons that are not a rule's: prices, the caller's own limit, quotas, broken bundles, and silence."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from qpm_lab.experiment import CLASSIFICATIONS, Hold, Quote, Reason, Request, Shortage, ruled_as
from qpm_lab.policy.facts import MAX_LABEL, Facts
from qpm_lab.policy.quotas import MEASURES, Measure, Quota, money
from qpm_lab.policy.room import Room, Smaller, counted, sentence
from qpm_lab.policy.rules import Rule

_WINDOWS = {"hour": "this hour", "day": "today", "month": "this month", "life": "in this notebook run"}
SESSION = "session"
"""The scope of an envelope that the caller opened; its holds come from the runner, not from a bundle."""
_WHOLE_WINDOWS = {"hour": "One hour", "day": "One day", "month": "One month", "life": "One notebook run"}
_UNITS = ((1440, "day"), (60, "hour"), (1, "minute"))
"""Minutes in each."""


def of_bundle(problem: str) -> Reason:
    """A broken bundle refuses everything and says where it is broken."""
    return Reason(
        rule="bundle.broken",
        kind="bundle",
        message=f"The policy bundle is broken: {problem}",
        fix="Repair it and run `qpm policy check` on its folder.",
    )


def of_request(request: Request, classification: str) -> Iterator[Reason]:
    """What no bundle can decide on."""
    if classification not in CLASSIFICATIONS:
        known = ", ".join(CLASSIFICATIONS)
        yield _invalid(f"{classification[:40]!r} is not a classification.", f"Use one of {known}.")
    if request.shots < 1 or not request.circuits:
        yield _invalid("A job needs at least one circuit and one shot.", "Give a circuit and --shots.")
    principal = request.principal
    names = (request.backend.id, principal.user, principal.notebook_run)
    labels = (request.experiment, request.project, request.cost_center, *names)
    if any(label and (len(label) > MAX_LABEL or not label.isprintable()) for label in labels):
        fix = f"Use up to {MAX_LABEL} printable characters."
        yield _invalid("A label or name is too long or has characters that cannot be shown.", fix)


def _invalid(message: str, fix: str) -> Reason:
    return Reason(rule="request.invalid", kind="rule", message=message, fix=fix)


def of_unknown_user(user: str, bundle: str) -> Reason:
    message = f"The bundle {bundle!r} does not know the user {user[:80]!r}."
    return Reason("default.unknown-user", "default", message, "Ask its owner to add you to entities.json.")


def of_unknown_backend(backend: str, bundle: str) -> Reason:
    message = f"The bundle {bundle!r} does not know the backend {backend[:80]!r}."
    fix = "Choose one that %qbackends shows, or ask the bundle's owner to add it to entities.json."
    if ruled_as(backend) != backend:
        message = f"The bundle {bundle!r} allows no faults on purpose, as {backend[:80]!r} asks for."
        fix = f"Use {ruled_as(backend)}, or ask the bundle's owner to list the backend chaos/* in entities.json."
    return Reason("default.unknown-backend", "default", message, fix)


def of_silence(permits: tuple[Rule, ...], facts: Facts) -> Reason:
    """No rule permits the request; says which ones could have."""
    offers = [f"{rule.id} ({rule.message.render(facts, rule.limit)})" for rule in permits]
    return Reason(
        rule="default.deny",
        kind="default",
        message="No rule permits this, and what no rule permits is denied.",
        fix=f"It would pass with: {'; '.join(offers) or 'no rule of this bundle'}.",
        details={"would_grant": [rule.id for rule in permits]},
    )


def of_error(error: str) -> Reason:
    """A rule that errors never permits (G1)."""
    message = f"A rule could not be evaluated, so the job is denied: {error}"
    return Reason("default.error", "default", message, "Tell the bundle's owner; `qpm policy check` may say more.")


def of_price(quote: Quote, currency: str) -> Iterator[Reason]:
    """An unknown or stale price, or one in another currency, never passes (G8)."""
    if quote.high is None or quote.high < 0:
        message = "The price of this job is unknown, and unknown is not free."
        fix = "Choose a backend with a known price (%qquote compares them)."
        # Whoever made the quote knows best what is missing, and how it can be supplied.
        fix = f"{quote.reason} Or choose one with a known price (%qquote compares them)." if quote.reason else fix
        yield Reason("price.unknown", "price", message, fix, details={"source": quote.source})
    elif quote.stale:
        message = f"The price was last seen on {quote.as_of} ({quote.source}) and is stale."
        fix = "Refresh the price catalogue, or choose a backend with a fresh price."
        yield Reason("price.stale", "price", message, fix, details={"as_of": quote.as_of})
    elif quote.high and quote.currency != currency:
        message = f"The price is in {quote.currency}; the limits of this bundle are in {currency}."
        fix = f"Choose a backend that is priced in {currency}; currencies are never added silently."
        yield Reason("price.currency", "price", message, fix, details={"currency": quote.currency})


def of_caller(job: Smaller, max_cost: int | None) -> Iterator[Reason]:
    """The limit that the caller set for this job."""
    quote = job.quote
    if max_cost is None or quote.high is None or quote.high <= max_cost:
        return
    cost, most = money(quote.high, quote.currency), money(max_cost, quote.currency)
    room = job.room(lambda request, smaller: smaller.high is not None and smaller.high <= max_cost)
    raised = f"raise --max-cost to at least {cost}"
    figure = MEASURES["cost"].figure
    yield Reason(
        rule="caller.max-cost",
        kind="caller",
        message=f"This job may cost up to {cost}; your own limit for it is {most}.",
        fix=f"{sentence([*room.ways(), raised] if room.ways() else [raised, 'ask for fewer shots'])}.",
        details={"asked": figure(quote.high), "limit": figure(max_cost), "unit": quote.currency, **room.details()},
    )


def of_missing_key(quota: Quota) -> Reason:
    """A quota that has to be charged to someone, and the request does not say whom."""
    option = f"--{quota.scope.replace('_', '-')} NAME" if quota.scope in Quota.LABELS else ""
    what = _words(quota.scope)
    fix = f"Add {option}." if option else f"Ask {quota.owner} to give you a {what}."
    message = f"The quota {quota.id!r} is counted per {what}, and this job has none."
    return Reason(quota.id, "rule", message, fix, quota.owner, details={"missing": quota.scope})


def of_job_quota(quota: Quota, amount: int, limit: int, job: Smaller) -> Reason:
    """A limit on one job."""
    measure, currency = quota.measure, quota.currency
    asked, most = _asked(measure, amount, currency), measure.text(limit, currency)
    room = job.room(lambda request, quote: quota.amount(request, quote) <= limit)
    ways = (_smaller(room, measure, most) if limit else []) or [f"ask {quota.owner} for a larger limit"]
    return Reason(
        rule=quota.id,
        kind="quota",
        message=f"{quota.message} {asked}; one job may take {most}.".strip(),
        fix=f"{sentence(ways)}.",
        owner=quota.owner,
        details={
            "limit": measure.figure(limit),
            "used": "0",
            "reserved": "0",
            "left": measure.figure(limit),
            "asked": measure.figure(amount),
            "unit": quota.unit,
            "measure": measure.name,
            "scope": quota.scope,
            "window": "job",
            "renews_at": None,
            **room.details(),
        },
    )


def of_shortage(shortage: Shortage, now: datetime, job: Smaller | None) -> Reason:
    """A windowed quota, or an envelope, that has not enough left for a job."""
    hold, measure = shortage.hold, MEASURES[shortage.hold.measure]
    figures = {
        "limit": hold.limit,
        "used": shortage.settled,
        "reserved": shortage.reserved,
        "left": shortage.left,
        "asked": hold.amount,
    }
    room = _room(shortage, measure, job)
    told = _session_message if hold.scope == SESSION else _shortage_message
    return Reason(
        rule=hold.quota,
        kind="quota",
        message=f"{hold.message} {told(shortage, measure)}".strip(),
        fix=hold.fix or _shortage_fix(shortage, measure, room, now),
        owner=hold.owner,
        details={
            **{name: measure.figure(amount) for name, amount in figures.items()},
            "unit": hold.unit,
            "measure": hold.measure,
            "scope": hold.scope,
            "key": hold.key,
            "window": hold.window,
            "renews_at": hold.window_end or None,
            **room.details(),
        },
    )


def _room(shortage: Shortage, measure: Measure, job: Smaller | None) -> Room:
    """A smaller job is still one job."""
    if job is None or measure.name == "jobs":
        return Room()
    return job.room(lambda request, quote: (measure.amount(request, quote) or 0) <= shortage.left)


def _shortage_message(shortage: Shortage, measure: Measure) -> str:
    hold = shortage.hold
    amounts = (hold.limit, shortage.settled, shortage.reserved, shortage.left)
    limit, used, reserved, left = (measure.short(amount, hold.unit) for amount in amounts)
    held = f" and {reserved} reserved" if shortage.reserved else ""
    whose = {"user": "", "notebook_run": "", "org": " for everyone"}.get(
        hold.scope, f" for {_words(hold.scope)} {hold.key}"
    )
    asked = _asked(measure, hold.amount, hold.unit)
    taken = f"{used} of {limit} {_are(used)} used{held} {_WINDOWS[hold.window]}{whose}"
    return f"{asked}; {taken}, {left} {_are(left)} left."


def _session_message(shortage: Shortage, measure: Measure) -> str:
    """How far the loop got in its envelope, and what the next step would have needed."""
    hold = shortage.hold
    used, reserved, left = (
        measure.short(amount, hold.unit) for amount in (shortage.settled, shortage.reserved, shortage.left)
    )
    held = f" and {reserved} reserved" if shortage.reserved else ""
    envelope = f"The session {hold.key!r} has {measure.text(hold.limit, hold.unit)}; {used} {_are(used)} used{held}"
    if measure.name == "jobs":
        return f"{envelope}."
    step = "may cost up to" if measure.name == "cost" else "asks for"
    return f"{envelope}, {left} {_are(left)} left, and this job {step} {measure.text(hold.amount, hold.unit)}."


def _are(amount: str) -> str:
    return "is" if amount in ("1", "1 s") else "are"


def _asked(measure: Measure, amount: int, currency: str) -> str:
    text = measure.text(amount, currency)
    return f"This job may cost up to {text}" if measure.name == "cost" else f"You asked for {text}"


def _less(measure: Measure, most: str) -> str:
    return f"Stay within {most}" if measure.name == "cost" else f"Ask for at most {most}"


def _smaller(room: Room, measure: Measure, most: str) -> list[str]:
    """Ways to ask for less of it."""
    if room.many and (room.points is not None or room.shots is not None):
        return room.ways()
    shots = f" (at most {counted(room.shots, 'shot')})" if room.shots and measure.name != "shots" else ""
    less = _less(measure, most)
    return [f"{less[:1].lower()}{less[1:]}{shots}"]


def _shortage_fix(shortage: Shortage, measure: Measure, room: Room, now: datetime) -> str:
    """Ways out that do help: waiting is one only for what fits into a whole window."""
    hold, ways = shortage.hold, []
    larger = f"ask {hold.owner or 'the owner of the quota'} for a larger limit"
    if shortage.left and hold.measure != "jobs":
        ways += _smaller(room, measure, measure.text(shortage.left, hold.unit))
    if hold.scope == SESSION:
        option = f"max_{hold.measure}"
        larger = f"close it and open a larger one: lab.session({option}=…) or %qsession --{option.replace('_', '-')} N"
        return f"{sentence([*ways, larger])}."
    if hold.amount > hold.limit:
        return _never_fits(hold, measure, [*(ways or ["ask for less"]), larger])
    if hold.window_end:
        end = datetime.fromisoformat(hold.window_end).astimezone(UTC)
        ways.append(f"wait until {end:%Y-%m-%d %H:%M} UTC (in {_spell(end - now)})")
    else:
        ways.append(larger)
    return f"{sentence(ways)}."


def _never_fits(hold: Hold, measure: Measure, ways: list[str]) -> str:
    if not hold.limit:
        return f"{sentence(ways[-1:])}."
    window = _WHOLE_WINDOWS[hold.window]
    return f"{window} takes at most {measure.text(hold.limit, hold.unit)}. {sentence(ways)}."


def _words(name: str) -> str:
    return name.replace("_", " ")


def _spell(duration: timedelta) -> str:
    """A duration in its largest unit, rounded down as a clock does; at least a minute.

    >>> _spell(timedelta(hours=9, minutes=59))
    '9 hours'
    """
    minutes = max(1, int(duration.total_seconds()) // 60)
    size, name = next(unit for unit in _UNITS if minutes >= unit[0])
    count = minutes // size
    return f"{count} {name}{'s' if count > 1 else ''}"
