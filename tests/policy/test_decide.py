"""What a decision says, and when it says no."""

from __future__ import annotations

from pathlib import Path

import pytest

from qpm_lab.experiment import Decision, Quote, Request, to_nano
from qpm_lab.policy import Bundle, find_bundle

from .making import FREE, LIMIT, PERMIT, QUOTAS, ask, price, vendor, write

APPROVAL = """@id("approval.cost")
@message("Up to {context.cost_high}; above {limit} a lead agrees.")
@fix("Ask a lead.")
@owner("lead")
@severity("warning")
@effect("needs-approval")
@approver("lead")
forbid (principal, action == Action::"submit", resource)
when { context.cost_high_nano > 5000000000 };
"""


def rule_ids(decision: Decision) -> list[str]:
    return [reason.rule for reason in decision.reasons]


@pytest.fixture
def small(tmp_path: Path) -> Bundle:
    bundle = Bundle.load(write(tmp_path / "small"))
    assert bundle.problems == ()
    return bundle


def with_rules(folder: Path, rules: str) -> Bundle:
    bundle = Bundle.load(write(folder / "b", rules_cedar=PERMIT + rules))
    assert bundle.problems == ()
    return bundle


def forbid(condition: str, message: str = "no", fix: str = "change it") -> str:
    notes = f'@id("r") @message("{message}") @fix("{fix}") @owner("o") @severity("error")'
    return f'{notes} forbid (principal, action == Action::"submit", resource) when {{ {condition} }};'


def test_what_a_permit_covers_and_nothing_forbids_is_allowed(small: Bundle) -> None:
    """An allowed decision has no reasons and names the version of its rules."""
    decision = small.decide(ask(shots=1000), FREE)
    assert (decision.effect, decision.reasons) == ("allow", ())
    assert decision.policy == "small"
    assert decision.policy_version == small.version


def test_a_refusal_carries_the_rules_words_and_the_figures(small: Bundle) -> None:
    """Message, fix, owner and worked-out figures are those of the rule."""
    (reason,) = small.decide(ask(shots=2500), FREE).reasons
    assert reason.message == "You asked for 2,500; 1,000 is the most."
    assert reason.fix == "Ask for fewer. At most 1,000 shots fit."
    assert (reason.rule, reason.kind, reason.owner) == ("limit.shots", "rule", "lead")
    assert reason.details["asked"] == "2500"
    assert reason.details["limit"] == reason.details["fitting_shots"] == "1000"
    assert reason.details["place"] == "rules.cedar:4"


def test_whom_no_permit_covers_is_told_which_would(small: Bundle) -> None:
    """A default denial lists the permits that would have granted it (G1)."""
    (reason,) = small.decide(ask("out"), FREE).reasons
    assert reason.kind == "default"
    assert "permit.member (members may submit)" in reason.fix


def test_a_default_denial_comes_with_the_other_reasons(small: Bundle) -> None:
    """A missing permit does not hide the limits that refuse too."""
    decision = small.decide(ask("out", shots=1001), FREE)
    assert rule_ids(decision) == ["limit.shots", "default.deny"]


def test_an_unknown_user_is_denied(small: Bundle) -> None:
    """Who is not in the entities gets nothing."""
    decision = small.decide(ask("mallory"), FREE)
    assert (decision.effect, rule_ids(decision)) == ("deny", ["default.unknown-user"])


def test_an_unknown_backend_is_denied(small: Bundle) -> None:
    """A backend that the bundle does not list, with nothing standing for it, is refused."""
    decision = small.decide(ask(backend=vendor("new/qpu")), FREE)
    assert (decision.effect, rule_ids(decision)) == ("deny", ["default.unknown-backend"])


def test_a_rule_that_errors_denies(tmp_path: Path) -> None:
    """An overflow inside a rule is a refusal that says so, never a pass (G1)."""
    bundle = with_rules(tmp_path, forbid("context.shots * 9223372036854775807 > 5"))
    decision = bundle.decide(ask(shots=3), FREE)
    assert decision.effect == "deny"
    assert "overflow" in decision.reasons[0].message
    assert "r (rules.cedar:4)" in decision.reasons[0].message
    assert "policy1" not in decision.reasons[0].message


def test_a_forbid_that_errors_beside_one_that_fires_is_named_by_its_id(tmp_path: Path) -> None:
    """The bundle's owner is told the rule's own name, not its number."""
    bundle = with_rules(tmp_path, LIMIT + forbid("context.shots * 9223372036854775807 > 5"))
    messages = [reason.message for reason in bundle.decide(ask(shots=3000), FREE).reasons]
    assert any("r (rules.cedar:11)" in message for message in messages)


def test_a_figure_of_one_takes_the_singular_and_a_value_from_outside_stays(tmp_path: Path) -> None:
    """`{context.shots} shots` is 1 shot; a label that says `1 shots` is shown as it is."""
    text = "{context.shots:,} shots, {context.qubits} qubits, {limit} shots, {context.experiment}"
    bundle = with_rules(tmp_path, forbid("context.shots >= 1", text))
    (reason,) = bundle.decide(ask(shots=1, experiment="1 shots"), FREE).reasons
    assert reason.message == "1 shot, 2 qubits, 0 shots, 1 shots"


def test_the_advice_of_one_shot_is_in_the_singular(tmp_path: Path) -> None:
    """What fits is counted like everything else."""
    (reason,) = with_rules(tmp_path, forbid("context.shots > 1")).decide(ask(shots=2), FREE).reasons
    assert reason.fix.endswith("At most 1 shot fits.")


def test_an_unknown_price_is_not_answered_with_an_option_that_does_not_exist(small: Bundle) -> None:
    """Nobody can supply a price, so nobody is told to."""
    (reason,) = small.decide(ask(), price(None)).reasons
    assert reason.fix == "Choose a backend with a known price (%qquote compares them)."


@pytest.mark.parametrize(
    ("quote", "rule"),
    [
        (price(None), "price.unknown"),
        (price("0", stale=True), "price.stale"),
        (price("1", "EUR"), "price.currency"),
        (price("-1"), "price.unknown"),
    ],
)
def test_a_price_that_cannot_be_used_denies(small: Bundle, quote: Quote, rule: str) -> None:
    """Unknown, stale and foreign prices never count as zero (G8)."""
    decision = small.decide(ask(), quote)
    assert (decision.effect, rule_ids(decision)) == ("deny", [rule])


@pytest.mark.parametrize("quote", [price(None), price("0", stale=True), price("0.1", "EUR")])
def test_to_a_rule_an_unknown_cost_is_never_small(tmp_path: Path, quote: Quote) -> None:
    """A cost rule in whatever form refuses what nobody can price (G8)."""
    bundle = with_rules(tmp_path, forbid("!(context.cost_high_nano <= 5000000000)"))
    assert "r" in rule_ids(bundle.decide(ask(), quote))
    assert bundle.decide(ask(), price("5")).effect == "allow"


def test_nothing_costs_nothing_in_every_currency(small: Bundle) -> None:
    """A known zero passes whatever currency the catalogue writes it in."""
    assert small.decide(ask(), price("0", "EUR")).effect == "allow"


def test_the_callers_own_limit_denies_above_it_only(small: Bundle) -> None:
    """--max-cost is compared with the high end of the quote, exactly."""
    at, above = price("2"), price("2.000000001")
    assert small.decide(ask(), at, max_cost=to_nano(2)).effect == "allow"
    (reason,) = small.decide(ask(), above, max_cost=to_nano(2)).reasons
    assert (reason.rule, reason.kind) == ("caller.max-cost", "caller")
    assert "$2.00" in reason.message


def test_approval_is_asked_for_when_only_such_rules_refuse(tmp_path: Path) -> None:
    """A rule with the effect needs-approval makes a job wait for its role (G4)."""
    bundle = with_rules(tmp_path, LIMIT + APPROVAL)
    decision = bundle.decide(ask(), price("5.01"))
    assert decision.effect == "needs-approval"
    assert decision.reasons[0].details["approver"] == "lead"
    assert decision.reasons[0].message == "Up to $5.01; above $5.00 a lead agrees."


@pytest.mark.parametrize(("request_", "max_cost"), [(ask(shots=1001), None), (ask("out"), None), (ask(), to_nano(1))])
def test_a_plain_refusal_wins_over_an_approval(tmp_path: Path, request_: Request, max_cost: int | None) -> None:
    """No approval lifts a rule, a missing permit or the caller's own limit."""
    bundle = with_rules(tmp_path, LIMIT + APPROVAL)
    decision = bundle.decide(request_, price("6"), max_cost=max_cost)
    assert decision.effect == "deny"
    assert "approval.cost" in rule_ids(decision)


def test_a_value_from_outside_is_never_a_format_string(tmp_path: Path) -> None:
    """Braces in a label are shown as they are."""
    bundle = with_rules(tmp_path, forbid('context.experiment != ""', "Not {context.experiment}."))
    (reason,) = bundle.decide(ask(experiment="{context.shots} {0.__class__}"), FREE).reasons
    assert reason.message == "Not {context.shots} {0.__class__}."


def test_a_limit_may_stand_in_the_entities(tmp_path: Path) -> None:
    """A bound read from the user's team is worked out and shown."""
    bundle = with_rules(tmp_path, forbid("context.qubits > principal.team.max_qubits", "{context.qubits} > {limit}"))
    assert bundle.decide(ask(qubits=7), FREE).effect == "allow"
    assert bundle.decide(ask(qubits=8), FREE).reasons[0].message == "8 > 7"


@pytest.mark.parametrize(
    ("condition", "limit"), [("context.total_shots > 100", "100"), ("context.total_shots >= 100", "99")]
)
def test_the_shots_that_fit_are_counted_per_circuit(tmp_path: Path, condition: str, limit: str) -> None:
    """With three circuits a third of the limit fits, and exactly that passes."""
    bundle = with_rules(tmp_path, forbid(condition))
    (reason,) = bundle.decide(ask(shots=90, circuits=3), FREE).reasons
    fits = int(reason.details["fitting_shots"])
    assert (reason.details["limit"], fits) == (limit, 33)
    assert bundle.decide(ask(shots=fits, circuits=3), FREE).effect == "allow"
    assert bundle.decide(ask(shots=fits + 1, circuits=3), FREE).effect == "deny"


def test_a_limit_may_be_written_with_unless(tmp_path: Path) -> None:
    """`unless { shots <= 100 }` is the same limit as `when { shots > 100 }`."""
    rule = forbid("true").replace("when { true }", "unless { context.shots <= 100 }")
    (reason,) = with_rules(tmp_path, rule).decide(ask(shots=101), FREE).reasons
    assert reason.details["limit"] == "100"


@pytest.mark.parametrize(
    "request_",
    [
        ask(shots=0),
        ask(shots=-5),
        ask(circuits=0),
        ask(classification="secret"),
        ask(experiment="x" * 201),
        ask(project="a\nb"),
        ask("\ud800"),
        ask("a\x00b"),
    ],
)
def test_a_request_that_makes_no_sense_is_denied_with_a_fix(request_: Request) -> None:
    """Bad values end in a reason, not in an exception."""
    decision = find_bundle("personal").decide(request_, FREE)
    assert decision.effect == "deny"
    assert decision.reasons[0].rule == "request.invalid"
    assert decision.reasons[0].fix


def test_a_job_quota_denies_at_once(tmp_path: Path) -> None:
    """A limit on one job is a quota reason with its figures, and exactly the limit passes."""
    quotas = QUOTAS.replace("window: day", "window: job")
    bundle = Bundle.load(write(tmp_path / "b", quotas_yaml=quotas, rules_cedar=PERMIT))
    assert bundle.decide(ask(shots=5000), FREE).effect == "allow"
    (reason,) = bundle.decide(ask(shots=5001), FREE).reasons
    assert (reason.kind, reason.rule) == ("quota", "shots-per-day")
    assert reason.message == "You asked for 5,001 shots; one job may take 5,000 shots."
    assert reason.fix == "Ask for at most 5,000 shots."
    assert reason.details["asked"] == "5001"


def test_a_required_label_is_asked_for_by_its_option(tmp_path: Path) -> None:
    """A quota that has to be charged to something names the option to add."""
    quotas = QUOTAS.replace("scope: user", "scope: cost_center, require: true")
    bundle = Bundle.load(write(tmp_path / "b", quotas_yaml=quotas))
    (reason,) = bundle.decide(ask(), FREE).reasons
    assert "--cost-center" in reason.fix
    assert bundle.decide(ask(cost_center="c"), FREE).effect == "allow"


def test_members_are_described_as_the_bundle_sees_them() -> None:
    """Team, roles and flags come from the bundle, and strangers are not known."""
    bundle = find_bundle("team")
    ada = bundle.members("ada")
    assert (ada.known, ada.team, ada.roles) == (True, "chemistry", ("lead",))
    assert not bundle.members("mallory").known
    assert find_bundle("personal").members("mallory").roles == ("member",)
