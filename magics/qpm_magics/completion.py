"""Tab completion on the lines of our magics: options, backends, and the words an option takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.names import circuit_names
from qpm_lab.options.sweeps import SPACES
from qpm_magics import lines

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from IPython.core.interactiveshell import InteractiveShell

LINE = re.compile(r"^(?:\s*\w+\s*=\s*)?%{1,2}(q\w+)\s(.*)$", re.DOTALL)
PARSERS = {
    "qjob": lines.job_parser,
    "qquote": lambda: lines.circuit_parser("%qquote"),
    "qexplain": lambda: lines.circuit_parser("%qexplain"),
    "qjobs": lines.jobs_parser,
    "qusage": lines.usage_parser,
    "qsession": lines.session_parser,
    "qplan": lines.plan_parser,
    "qcompare": lines.compare_parser,
    "qcanary": lines.canary_parser,
}
VALUE_OF = re.compile(r"""(?:--parameter|--sweep)[ =]['"]?([^'"=\s]*)$""")
"""At the name of a parameter; the group is what is typed of it."""
SWEEP_OF = re.compile(r"""--sweep[ =]['"]?[^'"=]+=\s*([^'"\s(,]*)$""")
"""At the values of a sweep."""


WITH_CIRCUIT = frozenset({"qjob", "qquote", "qexplain", "qplan"})


def register_completion(shell: InteractiveShell) -> None:
    """Adds the matcher to the shell's completer."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    @context_matcher()
    def qpm_matcher(context: Any) -> Any:
        line = context.line_with_cursor[: context.cursor_position]
        typed, found = _parameters(shell, line) or (_last_word(line), candidates(line))
        if context.cursor_line:
            found = []
        if found and _at_expression(line):
            found = [*circuit_names(shell.user_ns), *found]
        if found and line.lstrip().startswith("%qcompare"):
            found = [*job_names(shell.user_ns), *found]
        matches = [SimpleCompletion(text=c, type="param") for c in found if c.startswith(typed)]
        return {"completions": matches, "matched_fragment": typed, "suppress": bool(matches), "ordered": True}

    ours = [m for m in shell.Completer.custom_matchers if m.__name__ == qpm_matcher.__name__]
    for earlier in ours:  # %reload_ext registers again
        shell.Completer.custom_matchers.remove(earlier)
    shell.Completer.custom_matchers.append(qpm_matcher)


def candidates(line: str) -> list[str]:
    """Everything that could stand at the end of a magic's line, before what is typed is matched.

    >>> candidates("%qusage --by ")[:2]
    ['user', 'team']
    """
    match = LINE.match(line)
    if match is None or match[1] not in PARSERS:
        return []
    parser = PARSERS[match[1]]()
    words = match[2].replace("=", " ").split(" ")
    before = words[-2] if len(words) > 1 else ""
    action = parser._option_string_actions.get(before)
    if action is not None and action.nargs != 0:
        return _values(action)
    if match[1] == "qcanary" and len(words) == 1:
        return _backends()
    return [option for option in parser._option_string_actions if option.startswith("--")]


def _parameters(shell: InteractiveShell, line: str) -> tuple[str, list[str]] | None:
    """What is typed of a parameter's name or of a sweep's values, and what may stand there; None elsewhere."""
    match = LINE.match(line)
    if match is None or match[1] not in WITH_CIRCUIT:
        return None
    if at := SWEEP_OF.search(line):
        return at[1], [f"{name}(" for name in SPACES]
    if at := VALUE_OF.search(line):
        mentioned = [match[2].split()[0]] if match[2].split()[0] in shell.user_ns else None
        return at[1], [f"{name}=" for name in parameter_names(shell.user_ns, mentioned)]
    return None


def parameter_names(namespace: Mapping[str, Any], mentioned: list[str] | None = None) -> list[str]:
    """Parameters of the circuits that are mentioned, or of all the namespace has."""
    circuits = [namespace[name] for name in circuit_names(namespace, mentioned)]
    found = [parameter.name for circuit in circuits for parameter in getattr(circuit, "parameters", ())]
    return list(dict.fromkeys(found))


def job_names(namespace: Mapping[str, Any]) -> list[str]:
    """The variables that hold Jobs, the latest first."""
    named = (name for name, value in namespace.items() if type(value).__name__ == "Job" and name[:1] != "_")
    return list(named)[::-1]


def _at_expression(line: str) -> bool:
    """True where a circuit may stand: the first word after a line magic that takes one."""
    match = LINE.match(line)
    return match is not None and "%%" not in line and match[1] in WITH_CIRCUIT and " " not in match[2].strip()


def _values(action: argparse.Action) -> list[str]:
    if action.choices is not None:
        return [str(choice) for choice in action.choices]
    return _backends() if action.dest in ("backend", "backends") else []


def _backends() -> list[str]:
    from qpm_lab.providers import all_backends

    return [info.id for info in all_backends()]


def _last_word(line: str) -> str:
    return re.split(r"[\s=]", line)[-1]
