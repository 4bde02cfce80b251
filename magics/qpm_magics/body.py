"""Runs the body of a `%%qjob` cell in the user's namespace and finds what to submit."""

from __future__ import annotations

import ast
import inspect
from typing import TYPE_CHECKING, Any

from qpm_lab.errors import InputError
from qpm_magics.circuit_names import circuit_names

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell


def run_body(shell: InteractiveShell, source: str) -> Any:
    """Executes the cell as an ordinary cell would be and returns the value of its last expression.

    Raises:
        InputError: there is no value to submit; names the circuit found in the cell and the fix.
        Exception: whatever the user's own code raises.
    """
    __tracebackhide__ = True
    tree = _parse(shell, source)
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    filename = shell.compile.cache(shell.transform_cell(source), shell.execution_count)
    if tree.body:
        exec(_compiled(tree, filename), shell.user_ns)
    value = None
    if isinstance(last, ast.Expr):
        value = eval(_compiled(ast.Expression(last.value), filename), shell.user_ns)
    if value is None:
        raise _nothing_to_submit(shell, source)
    return value


def _parse(shell: InteractiveShell, source: str) -> ast.Module:
    if not source.strip():
        raise InputError("The cell is empty.", "Write a circuit under %%qjob; its last line is what is submitted.")
    __tracebackhide__ = True
    text: str = shell.transform_cell(source)
    return ast.parse(text)


def _compiled(tree: Any, filename: str) -> Any:
    mode = "eval" if isinstance(tree, ast.Expression) else "exec"
    code = compile(tree, filename, mode, flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    if code.co_flags & inspect.CO_COROUTINE:
        raise InputError(
            "`await` cannot be used in a %%qjob cell.",
            "Await it in a cell of its own, then submit with %qjob NAME.",
        )
    return code


def _nothing_to_submit(shell: InteractiveShell, source: str) -> InputError:
    names = circuit_names(shell.user_ns, mentioned=_names(shell, source))
    if not names:
        return InputError(
            "The cell's last line has no value to submit.",
            "End the cell with the circuit itself: a QuantumCircuit, a QNode or OpenQASM text.",
        )
    found = names[-1]
    return InputError(
        f"The cell's last line gave None, so nothing was submitted; the cell has the circuit `{found}`.",
        f"Add a last line with just `{found}` (calls such as {found}.measure_all() change it and return None).",
    )


def _names(shell: InteractiveShell, source: str) -> list[str]:
    """Names the cell mentions, the best guess last: what its last statement binds, then what it uses."""
    tree = ast.parse(shell.transform_cell(source))
    everywhere = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name)]
    last = [n for n in ast.walk(tree.body[-1]) if isinstance(n, ast.Name)] if tree.body else []
    used = [n.id for n in last if isinstance(n.ctx, ast.Load)]
    bound = [n.id for n in last if isinstance(n.ctx, ast.Store)]
    return list(dict.fromkeys(reversed([*everywhere, *used, *bound])))[::-1]
