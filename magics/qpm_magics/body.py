"""Runs the body of a `%%qjob` cell in the user's namespace and finds what to submit."""

from __future__ import annotations

import ast
import inspect
from types import CodeType
from typing import TYPE_CHECKING, Any

from qpm_lab.circuits.names import circuit_names
from qpm_lab.errors import InputError

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


NO_VALUE = frozenset({"NoneType", "InstructionSet", "CircuitInstruction"})
"""What the methods that build a circuit return, such as `qc.measure_all()` and `qc.h(0)`."""


def run_body(shell: InteractiveShell, source: str) -> Any:
    """Executes the cell as an ordinary cell would be and returns the value of its last expression.

    Raises:
        InputError: there is no value to submit; names the circuit found in the cell and the fix.
        Exception: whatever the user's own code raises.
    """
    __tracebackhide__ = True
    if not source.strip():
        raise InputError("The cell is empty.", "Write a circuit under %%qjob; its last line is what is submitted.")
    text: str = shell.transform_cell(source)
    filename: str = shell.compile.cache(text, shell.execution_count)
    tree = _parse(text, filename)
    names = _names(tree)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    before = _compiled(tree, filename)
    result = _compiled(ast.Expression(last.value), filename) if isinstance(last, ast.Expr) else None
    exec(before, shell.user_ns)
    value = None if result is None else eval(result, shell.user_ns)
    if type(value).__name__ in NO_VALUE:
        raise _nothing_to_submit(shell, names, had_expression=result is not None)
    return value


def _parse(text: str, filename: str) -> ast.Module:
    try:
        return ast.parse(text, filename)
    except SyntaxError as error:
        # Raised as it is, IPython would show it below the frames of this package.
        line = (error.text or "").rstrip()
        raise InputError(f"Line {error.lineno} of the cell has a syntax error: {error.msg}.", line) from None


def _compiled(tree: ast.Module | ast.Expression, filename: str) -> CodeType:
    mode = "eval" if isinstance(tree, ast.Expression) else "exec"
    code: CodeType = compile(tree, filename, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        raise InputError(
            "`await` cannot be used in a %%qjob cell.",
            "Await it in a cell of its own, then submit with %qjob NAME.",
        )
    return code


def _nothing_to_submit(shell: InteractiveShell, mentioned: list[str], *, had_expression: bool) -> InputError:
    what = "gave no circuit" if had_expression else "is not an expression"
    names = circuit_names(shell.user_ns, mentioned=mentioned)
    if not names:
        return InputError(
            f"The cell's last line {what}, so there is nothing to submit.",
            "End the cell with the circuit itself: a QuantumCircuit, a QNode or OpenQASM text.",
        )
    found = names[-1]
    return InputError(
        f"The cell's last line {what}, so nothing was submitted; the cell has the circuit `{found}`.",
        f"Add a last line with just `{found}` (calls such as {found}.measure_all() change it and return no circuit).",
    )


def _names(tree: ast.Module) -> list[str]:
    """Names the cell mentions, the best guess last: what its last statement binds, then what it uses."""
    everywhere = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    last = [n for n in ast.walk(tree.body[-1]) if isinstance(n, ast.Name)] if tree.body else []
    used = [n.id for n in last if isinstance(n.ctx, ast.Load)]
    bound = [n.id for n in last if isinstance(n.ctx, ast.Store)]
    return list(dict.fromkeys(reversed([*everywhere, *used, *bound])))[::-1]
