"""A broken bundle refuses everything and says where it is broken."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qpm_lab.errors import BundleError
from qpm_lab.policy import Bundle, check, find_bundle
from qpm_lab.policy import test as run_tests

from .making import ENTITIES, FILES, FREE, LIMIT, PERMIT, QUOTAS, ROUTES, SCHEMA, ask, write

Files = dict[str, str | bytes | None]
ONE = "  - {id: shots-per-day, measure: shots, scope: user, window: day, limit: 5000, owner: lead}\n"


def quotas(changed: str, with_: str) -> Files:
    assert changed in QUOTAS
    return {"quotas_yaml": QUOTAS.replace(changed, with_)}


def rules(changed: str, with_: str) -> Files:
    text = PERMIT + LIMIT
    assert changed in text
    return {"rules_cedar": text.replace(changed, with_)}


BROKEN: list[tuple[str, Files, list[str]]] = [
    ("syntax error", rules("context.shots > 1000", "context.shots > "), ["rules.cedar:10: unexpected token"]),
    ("unfinished rule", {"rules_cedar": PERMIT + "forbid (principal"}, ["rules.cedar:4: unexpected end"]),
    ("invalid method", rules("context.shots > 1000", "context.foo(3)"), ["rules.cedar:", "foo"]),
    ("unknown context attribute", rules("context.shots >", "context.shouts >"), ["rules.cedar:10:", "shouts"]),
    ("unknown attribute", rules("context.shots > 1000", "resource.zip == 3"), ["rules.cedar:10:", "zip"]),
    ("wrong type", rules("> 1000", '> "many"'), ["rules.cedar:", "expected Long"]),
    ("missing @fix", rules('@fix("Ask for fewer.")\n', ""), ["rules.cedar:4: the annotation @fix is missing"]),
    ("missing @id", rules('@id("limit.shots")\n', ""), ["rules.cedar:4: the annotation @id is missing"]),
    ("empty @owner", rules('@owner("lead")', '@owner(" ")'), ["rules.cedar:4: the annotation @owner"]),
    ("permit without @message", rules('@message("members may submit")\n', ""), ["rules.cedar:1:", "@message"]),
    ("strange annotation", rules("@fix", "@effct"), ["rules.cedar:4:", "@effct is not an annotation"]),
    ("strange severity", rules('"error"', '"awful"'), ["rules.cedar:4:", "@severity"]),
    ("strange effect", rules("@owner", '@effect("maybe") @owner'), ["rules.cedar:4:", "needs-approval"]),
    ("approval by nobody", rules("@owner", '@effect("needs-approval") @owner'), ["rules.cedar:4:", "@approver"]),
    ("repeated id", {"rules_cedar": PERMIT + LIMIT + LIMIT}, ["rules.cedar:11:", "already used at rules.cedar:4"]),
    ("unknown place", rules("{context.shots:,}", "{context.shotz}"), ["rules.cedar:4:", "{context.shotz}"]),
    ("attack by place", rules("{context.shots:,}", "{context.__class__}"), ["rules.cedar:4:", "not known"]),
    ("stray brace", rules("Ask for fewer.", "Ask for {fewer."), ["rules.cedar:4:", "brace"]),
    ("no limit to name", rules("context.shots > 1000", "resource.local"), ["rules.cedar:4:", "{limit}"]),
    ("template", rules("(principal,", "(principal == ?principal,"), ["rules.cedar:", "?principal"]),
    ("deep brackets", rules("context.shots > 1000", "(" * 20_000), ["rules.cedar:4: brackets nest"]),
    ("long chain", rules("> 1000", "> 1000" + " && true" * 10_000), ["rules.cedar:4:", "operators"]),
    ("binary garbage", {"rules_cedar": bytes(range(256)) * 8}, ["rules.cedar: line", "UTF-8"]),
    ("text garbage", {"rules_cedar": "\x00\x01 ;;; }}}" * 50}, ["rules.cedar:1:"]),
    ("huge file", {"rules_cedar": "//" + "x" * (1 << 20)}, ["rules.cedar:", "1,048,576"]),
    ("no rules", {"rules_cedar": None}, ["*.cedar:"]),
    ("no schema", {"schema_cedarschema": None}, ["schema.cedarschema: this file is missing"]),
    ("no entities", {"entities_json": None}, ["entities.json: this file is missing"]),
    ("no quotas", {"quotas_yaml": None}, ["quotas.yaml: this file is missing"]),
    ("broken schema", {"schema_cedarschema": SCHEMA.replace("entity Role;", "entity Role")}, ["schema.cedarschema:3:"]),
    ("deep schema", {"schema_cedarschema": "type A = " + "{a: " * 20_000}, ["schema.cedarschema:1:"]),
    ("unknown type", {"schema_cedarschema": SCHEMA.replace("Set<String>", "Sort")}, ["schema.cedarschema:4:", "Sort"]),
    ("empty schema", {"schema_cedarschema": ""}, ["schema.cedarschema:"]),
    ("entities not JSON", {"entities_json": ENTITIES.replace("[\n", "[\n,")}, ["entities.json:2:"]),
    ("entities no list", {"entities_json": '{"a": 1}'}, ["entities.json: expected a list"]),
    ("entities odd list", {"entities_json": "[3]"}, ["entities.json: expected a list"]),
    ("entity repeats key", {"entities_json": '[{"uid": 1,\n "uid": 2}]'}, ["entities.json:2:", "'uid'"]),
    (
        "entity does not fit",
        {"entities_json": ENTITIES.replace('"flags": ["x"]', '"flags": 3')},
        ["entities.json:3:", "ada"],
    ),
    ("entity listed twice", {"entities_json": ENTITIES.replace('"out"', '"ada"')}, ["entities.json:5:", "twice"]),
    (
        "team that does not exist",
        {
            "entities_json": ENTITIES.replace(
                '"Team", "id": "chem"}}, "flags": []', '"Team", "id": "chemm"}}, "flags": []'
            )
        },
        ["entities.json:5:", 'User::"out" has team Team::"chemm"', "perhaps 'chem'"],
    ),
    (
        "team without __entity",
        {
            "entities_json": ENTITIES.replace(
                '{"__entity": {"type": "Team", "id": "chem"}}', '{"type": "Team", "id": "q"}'
            )
        },
        ["entities.json:3:", 'User::"ada" has team Team::"q"'],
    ),
    (
        "parent team that does not exist",
        {"entities_json": ENTITIES.replace('{"type": "Team", "id": "chem"}]', '{"type": "Team", "id": "chme"}]')},
        ["entities.json:3:", 'User::"ada" has the parent Team::"chme"'],
    ),
    (
        "role that does not exist",
        {
            "entities_json": ENTITIES.replace(
                '"parents": [{"type": "Role", "id": "member"}', '"parents": [{"type": "Role", "id": "membre"}'
            )
        },
        ["entities.json:3:", 'User::"ada" has the parent Role::"membre"'],
    ),
    (
        "rule for nobody",
        rules('Role::"member"', 'Role::"gueest"'),
        ["rules.cedar:3:", "permit.member", 'Role::"gueest"'],
    ),
    (
        "condition on nobody",
        rules("context.shots > 1000", 'context.shots > 1000 && principal in [Role::"gueest"]'),
        ["rules.cedar:10:", "limit.shots", 'Role::"gueest"'],
    ),
    ("deep entities", {"entities_json": "[" * 20_000}, ["entities.json:"]),
    ("entities with NaN", {"entities_json": ENTITIES.replace("7", "NaN")}, ["entities.json:", "NaN"]),
    ("bad YAML", quotas("quotas:", "quotas: ["), ["quotas.yaml:"]),
    ("YAML of nothing", {"quotas_yaml": ""}, ["quotas.yaml: expected a mapping"]),
    ("repeated YAML key", quotas("currency: USD", "currency: USD\ncurrency: EUR"), ["quotas.yaml:4:", "'currency'"]),
    ("YAML alias", quotas("description: A", "description: &a A"), ["quotas.yaml:1:", "aliases"]),
    ("deep YAML", {"quotas_yaml": "- " * 20_000}, ["quotas.yaml:1:", "deep"]),
    ("YAML object", quotas("A small bundle.", "!!python/object/apply:os.system [ls]"), ["quotas.yaml:1:"]),
    ("negative limit", quotas("5000", "-1"), ["quotas.yaml:5:", "-1"]),
    ("half a shot", quotas("5000", "0.5"), ["quotas.yaml:5:", "whole number"]),
    ("limit true", quotas("5000", "true"), ["quotas.yaml:5:"]),
    ("limit NaN", quotas("5000", ".nan"), ["quotas.yaml:5:"]),
    ("limit in words", quotas("5000", "plenty"), ["quotas.yaml:5:", "plenty"]),
    ("limit too large", quotas("5000", "1" + "0" * 30), ["quotas.yaml:5:"]),
    ("shots in dollars", quotas("5000", "5 USD"), ["quotas.yaml:5:", "5 USD"]),
    (
        "cost in another currency",
        quotas("shots, scope: user, window: day, limit: 5000", "cost, scope: user, window: day, limit: 5 EUR"),
        ["quotas.yaml:5:", "5 EUR"],
    ),
    ("unknown measure", quotas("measure: shots", "measure: qubits"), ["quotas.yaml:5:", "qubits"]),
    ("unknown window", quotas("window: day", "window: week"), ["quotas.yaml:5:", "window"]),
    ("life of a user", quotas("window: day", "window: life"), ["quotas.yaml:5:", "notebook_run"]),
    ("unknown field", quotas("owner: lead", "owner: lead, limmit: 3"), ["quotas.yaml:5:", "limmit"]),
    ("no owner", quotas(", owner: lead", ""), ["quotas.yaml:5:", "owner"]),
    ("unknown zone", quotas("Europe/Berlin", "Europe/Atlantis"), ["quotas.yaml:2:", "Atlantis"]),
    ("zone by path", quotas("Europe/Berlin", "../../etc/passwd"), ["quotas.yaml:2:"]),
    ("zone of a folder", quotas("Europe/Berlin", "Europe"), ["quotas.yaml:2:"]),
    ("strange currency", quotas("USD", "dollars"), ["quotas.yaml:3:", "currency"]),
    ("two of a kind", quotas(ONE, ONE + ONE.replace("shots-per-day", "again")), ["quotas.yaml:6:", "counts the same"]),
    ("id of a rule", quotas("shots-per-day", "limit.shots"), ["quotas.yaml:", "rules.cedar:4"]),
    (
        "id given twice",
        quotas(ONE, ONE + ONE.replace("day", "day", 1).replace("window: day", "window: hour")),
        ["quotas.yaml:", "twice"],
    ),
    ("limit for a stranger", quotas("owner: lead", "owner: lead, keys: {bob: 3}"), ["quotas.yaml:", "bob"]),
    ("route to nowhere", {"routes_yaml": ROUTES.replace("aer/simulator", "x/y")}, ["routes.yaml:2:", "x/y"]),
    ("route without owner", {"routes_yaml": ROUTES.replace(", owner: lead", "")}, ["routes.yaml:2:", "owner"]),
]


@pytest.mark.parametrize(("files", "said"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_every_fault_is_named_with_its_place_and_refuses_everything(
    tmp_path: Path, files: Files, said: list[str]
) -> None:
    """The reader learns file, place and fault from the refusal itself; nothing gets through."""
    bundle = Bundle.load(write(tmp_path / "b", **files))
    assert any(all(word in problem for word in said) for problem in bundle.problems), bundle.problems
    decision = bundle.decide(ask(), FREE)
    assert decision.effect == "deny"
    assert {reason.kind for reason in decision.reasons} == {"bundle"}
    assert all(problem in reason.message for problem, reason in zip(bundle.problems, decision.reasons, strict=True))
    assert list(bundle.problems) == check(tmp_path / "b")
    assert not run_tests(tmp_path / "b").ok


def test_the_sound_bundle_of_these_tests_is_sound(tmp_path: Path) -> None:
    """What the rows above break is not broken before."""
    folder = write(tmp_path / "b")
    assert check(folder) == []
    assert run_tests(folder).ok
    assert set(FILES) == {path.name for path in folder.iterdir()}


@pytest.mark.parametrize(
    "condition",
    [
        "context.shots_today > 5",
        "context.usage.shots > 5",
        "context has used_shots && context.shots > 5",
        "principal.spent_this_month > 5",
    ],
)
def test_a_rule_that_reads_usage_is_rejected_with_the_reason(tmp_path: Path, condition: str) -> None:
    """Usage can change before the reservation, so no rule may read it; a quota is the way."""
    folder = write(tmp_path / "b", **rules("context.shots > 1000", condition))
    assert any("rules.cedar:10" in p and "quotas.yaml" in p and "usage" in p for p in check(folder))


def test_declaring_usage_in_the_schema_does_not_make_it_readable(tmp_path: Path) -> None:
    """The engine knows no such fact, whatever a schema promises."""
    for declared in ("used_today: Long, shots", "used_today?: Long, shots"):
        schema = SCHEMA.replace("type Asked = { shots", f"type Asked = {{ {declared}")
        rule = rules("context.shots > 1000", "context has used_today && context.used_today > 5")
        problems = check(write(tmp_path / "b", schema_cedarschema=schema, **rule))
        assert any("used_today" in problem and "quotas.yaml" in problem for problem in problems)


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    """One reading shows everything that has to be repaired."""
    quotas_yaml = QUOTAS.replace("5000", "-1").replace("Europe/Berlin", "Nowhere")
    bundle = Bundle.load(write(tmp_path / "b", quotas_yaml=quotas_yaml, **rules('@owner("lead")\n', "")))
    text = "\n".join(bundle.problems)
    assert "Nowhere" in text
    assert "rules.cedar:4" in text
    assert "entities" not in text


def test_links_that_lead_outside_are_refused_and_those_inside_work(tmp_path: Path) -> None:
    """A bundle is one folder; a mounted one may link within itself."""
    folder = write(tmp_path / "b")
    outside = tmp_path / "secret"
    outside.write_text(PERMIT + LIMIT)
    (folder / "..data").mkdir()
    (folder / "rules.cedar").rename(folder / "..data" / "rules.cedar")
    (folder / "rules.cedar").symlink_to(folder / "..data" / "rules.cedar")
    assert Bundle.load(folder).problems == ()
    (folder / "rules.cedar").unlink()
    (folder / "rules.cedar").symlink_to(outside)
    assert any("rules.cedar: is a link that leads outside" in p for p in Bundle.load(folder).problems)


@pytest.mark.parametrize(
    "name",
    ["mine.ceder", "limits.cedar~", "README.md~", "quota.yaml", "quotas.yml", "rules.txt", "a\nb.cedarx", "more/"],
)
def test_a_file_that_would_be_ignored_is_named(tmp_path: Path, name: str) -> None:
    """A rule in a misspelt file or a subfolder protects nobody, so it is a fault."""
    folder = write(tmp_path / "b")
    (folder / name).mkdir() if name.endswith("/") else (folder / name).write_text(LIMIT)
    (problem,) = check(folder)
    assert name.strip("/").split("\n")[0] in problem
    assert "\n" not in problem
    assert Bundle.load(folder).decide(ask(), FREE).effect == "deny"


def test_notes_licences_and_dotfiles_may_lie_in_a_bundle(tmp_path: Path) -> None:
    """What a repository has beside its rules is no fault."""
    folder = write(tmp_path / "b")
    for name in ("README.md", "notes.MD", "LICENSE", "LICENSE.txt", ".gitignore", ".rules.cedar.swp"):
        (folder / name).write_text("x")
    (folder / ".git").mkdir()
    assert check(folder) == []


def test_a_folder_full_of_other_files_is_reported_in_short(tmp_path: Path) -> None:
    """A bundle is not a home folder; the list of strange files is bounded."""
    folder = write(tmp_path / "b")
    for number in range(70):
        (folder / f"photo{number}.jpg").write_text("")
    problems = check(folder)
    assert len(problems) == 65
    assert problems[-1].startswith("6 more")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """Something that is not a file is named, not read."""
    folder = write(tmp_path / "b", rules_cedar=None)
    os.mkfifo(folder / "rules.cedar")
    assert any("rules.cedar: is not a regular file" in p for p in Bundle.load(folder).problems)


def test_too_many_files_are_refused(tmp_path: Path) -> None:
    """A bundle has a bounded number of files."""
    folder = write(tmp_path / "b")
    for number in range(70):
        (folder / f"more{number}.cedar").write_text("")
    assert any("at most 64" in problem for problem in Bundle.load(folder).problems)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    """Nothing to load is not a bundle without problems."""
    with pytest.raises(BundleError):
        Bundle.load(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["nowhere", "a\x00b", "~nobody-of-this-name/x", "x" * 5000])
def test_a_name_that_is_none_lists_those_there_are(name: str) -> None:
    """The error says which bundles exist."""
    with pytest.raises(BundleError) as caught:
        find_bundle(name)
    for shipped in ("personal", "team", "classroom", "regulated"):
        assert shipped in caught.value.hint


@pytest.mark.parametrize("missing", ["tests_yaml", "routes_yaml"])
def test_check_wants_tests_and_routes_too(tmp_path: Path, missing: str) -> None:
    """A bundle without its own tests still decides, but does not pass the check (G9)."""
    folder = write(tmp_path / "b", **{missing: None})
    assert any(missing.replace("_", ".") in problem for problem in check(folder))
    assert Bundle.load(folder).decide(ask(), FREE).effect == "allow"
