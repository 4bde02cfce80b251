"""`--sweep` and `--parameter`: what is read, what is refused, and that nothing typed is ever run."""

from __future__ import annotations

import argparse
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qpm_lab.errors import InputError
from qpm_lab.options import OptionParser, add_job_options, parameter_values
from qpm_lab.options.numbers import read_number
from qpm_lab.options.sweeps import MAX_POINTS, SPACES, sweeps


def values(text: str, names: dict[str, Any] | None = None) -> list[float]:
    """The values of one sweep."""
    return list(sweeps([f"theta={text}"], names)["theta"].tolist())


def options(*words: str) -> argparse.Namespace:
    parser = OptionParser(prog="%%qjob")
    add_job_options(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[0.1, 0.2]", [0.1, 0.2]),
        ("(1, 2, 3)", [1, 2, 3]),
        ("1, 2", [1, 2]),
        ("[0.5]", [0.5]),
        ("[-pi/2, +tau, 2*e, sqrt(4), 2**-1, 1_000, 1e-3]", [-math.pi / 2, math.tau, 2 * math.e, 2, 0.5, 1000, 1e-3]),
        ("linspace(0, 6.283, 5)", np.linspace(0, 6.283, 5)),
        ("linspace(0, 2*pi, 4, endpoint=False)", np.linspace(0, 2 * np.pi, 4, endpoint=False)),
        ("np.linspace(0, np.pi, num=3)", np.linspace(0, np.pi, 3)),
        ("arange(4)", [0, 1, 2, 3]),
        ("arange(0, 1, 0.25)", [0, 0.25, 0.5, 0.75]),
        ("arange(1, 0, -0.5)", [1, 0.5]),
        ("range(1, 10, 4)", [1, 5, 9]),
        ("geomspace(1, 8, 4)", [1, 2, 4, 8]),
        ("geomspace(-8, -1, 2)", [-8, -1]),
        ("logspace(-1, 1, 3)", [0.1, 1, 10]),
        (" [ 1 ,2 ] ", [1, 2]),
    ],
)
def test_values_are_read_as_people_write_them(text: str, expected: Any) -> None:
    """Lists, tuples and NumPy's ways to space numbers."""
    assert values(text) == pytest.approx(list(expected), rel=1e-12)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0.3",
        "pi",
        "[]",
        "x",
        "[x]",
        "['a']",
        "[True]",
        "[None]",
        "[1j]",
        "[[1, 2], [3, 4]]",
        "{1, 2}",
        "[x for x in range(3)]",
        "lambda: 0",
        "open('/etc/passwd')",
        "__import__('os').system('true')",
        "[].__class__",
        "np.load('x')",
        "os.linspace(0, 1, 2)",
        "linspace(0, 1)",
        "linspace(0, 1, 2, 3)",
        "linspace(0, 1, 0)",
        "linspace(0, 1, -3)",
        "linspace(0, 1, 2.5)",
        "linspace(0, 1, 3, dtype=int)",
        "linspace(0, 1, **{})",
        "linspace(*[0, 1, 3])",
        "arange()",
        "arange(0, 1, 0)",
        "arange(1, 0)",
        "range(0.5)",
        "range(0)",
        "geomspace(0, 1, 3)",
        "geomspace(-1, 1, 3)",
        "logspace(0, 400, 3)",
        "[1/0]",
        "[sqrt(-1)]",
        "[(-8)**0.5]",
        "[1e999]",
        "[1",
        "linspace(0, 1, 3))",
        "1; 2",
        "[1] * 3",
        "0:6:100",
        "\x00",
    ],
)
def test_what_is_no_list_of_numbers_is_refused_with_a_right_example(text: str) -> None:
    """What was read and how it should look stand in the error."""
    with pytest.raises(InputError) as caught:
        values(text)
    assert "theta" in caught.value.message
    assert "--sweep 'theta=linspace(" in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "linspace(0, 1, 1_000_001)",
        "linspace(0, 1, 1e300)",
        "range(10**9)",
        "arange(0, 1e308, 1e-300)",
        "[9**9**9]",
        "[9**9**9**9**9]",
        "[" + "9" * 5000 + "]",
        "[" + "(" * 500 + "1" + ")" * 500 + "]",
        "[" + "-" * 20_000 + "1]",
        "[" + "+".join(["1"] * 9000) + "]",
        "[" + "sqrt(" * 80 + "1" + ")" * 80 + "]",
        "[" + "0," * 200_000 + "]",
    ],
)
def test_a_bomb_is_refused_before_it_goes_off(text: str) -> None:
    """Counts, powers, nesting and length are bounded before anything is reckoned, and the message stays short."""
    with pytest.raises(InputError) as caught:
        values(text)
    assert len(str(caught.value)) < 500


def test_two_sweeps_make_a_grid_in_the_order_given() -> None:
    """Broadcasting the arrays gives the outer product, the first sweep outermost."""
    grid = sweeps(["a=[1, 2]", "b=range(3)", "c=[7]"])
    assert [v.shape for v in grid.values()] == [(2, 1, 1), (1, 3, 1), (1, 1, 1)]
    a, b, _ = np.broadcast_arrays(*grid.values())
    assert list(zip(a.ravel(), b.ravel(), strict=True)) == [(x, y) for x in (1, 2) for y in (0, 1, 2)]


def test_an_element_of_a_vector_can_be_swept() -> None:
    """The name goes up to the first equals sign, brackets included."""
    assert list(sweeps(["theta[0]=linspace(0, 1, num=2)"])) == ["theta[0]"]


@pytest.mark.parametrize(
    ("pairs", "says"),
    [
        (["theta"], "name=values"),
        (["=[1]"], "name=values"),
        (["a=[1]", "a=[2]"], "twice"),
        (["a=range(2000)", "b=range(2000)"], "4,000,000 points"),
    ],
)
def test_sweeps_that_do_not_go_together_say_why(pairs: list[str], says: str) -> None:
    """A missing sign, a name given twice, a grid that is too large."""
    with pytest.raises(InputError, match=says):
        sweeps(pairs)


@pytest.mark.parametrize("value", [[0.1, 0.2], (1, 2), np.arange(3), np.array([0.5], dtype=np.float32), range(4)])
def test_a_variable_may_hold_the_values(value: Any) -> None:
    """A list, a tuple or an array in one dimension, by its bare name."""
    assert values("angles", {"angles": value}) == pytest.approx([float(v) for v in value])


@pytest.mark.parametrize(
    "value", [[], 3, "text", ["a"], [[1, 2]], np.ones((2, 2)), [1, None], [True], np.array([1j]), object(), [np.nan]]
)
def test_a_variable_that_holds_something_else_is_refused(value: Any) -> None:
    """It is told what the variable would have to hold."""
    with pytest.raises(InputError, match="cannot be read"):
        values("angles", {"angles": value})


def test_a_variable_is_never_evaluated_in_an_expression() -> None:
    """Only the bare name is looked up; the command line has no variables at all."""
    with pytest.raises(InputError):
        values("angles[0]", {"angles": [1.0]})
    with pytest.raises(InputError, match="no variable angles"):
        values("angles")


def test_fixed_values_stand_beside_a_sweep() -> None:
    """--parameter takes one number, also written as arithmetic; a name may be given once."""
    found = parameter_values(options("--sweep", "a=[1, 2]", "--parameter", "b=pi/2", "--parameter", "c = -1"))
    assert found["b"] == pytest.approx(math.pi / 2)
    assert found["c"] == -1
    assert found["a"].tolist() == [1, 2]
    for words in (("--sweep", "a=[1]", "--parameter", "a=1"), ("--parameter", "a=1", "--parameter", "a=2")):
        with pytest.raises(InputError, match="a is given"):
            parameter_values(options(*words))


def test_a_list_for_one_parameter_is_sent_to_sweep() -> None:
    """The hint is the line to type."""
    with pytest.raises(InputError) as caught:
        parameter_values(options("--parameter", "a=[1, 2]"))
    assert caught.value.hint.endswith("--sweep 'a=[1, 2]'.")


def test_values_with_spaces_and_no_quotes_are_told_to_be_quoted() -> None:
    """The words after the first space would be lost."""
    with pytest.raises(InputError) as caught:
        options("--sweep", "a=linspace(0,", "1,", "5)")
    assert "quotes" in caught.value.hint


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@settings(max_examples=100, deadline=None)
@given(numbers=st.lists(NUMBERS, min_size=1, max_size=20))
def test_every_list_of_numbers_is_read_back_exactly(numbers: list[float]) -> None:
    """What Python writes, the option reads."""
    assert values(repr(numbers)) == numbers


@settings(max_examples=100, deadline=None)
@given(start=st.integers(-50, 50), stop=st.integers(-50, 50), step=st.integers(-9, 9))
def test_a_range_has_the_values_of_pythons(start: int, stop: int, step: int) -> None:
    """Every range that is not empty."""
    text = f"range({start}, {stop}, {step})"
    if not step or not range(start, stop, step):
        with pytest.raises(InputError):
            values(text)
    else:
        assert values(text) == list(range(start, stop, step))


@settings(max_examples=300, deadline=None)
@given(text=st.text(st.sampled_from("0123456789.,()[]+-*/e pisqrtanglo_=:x'\"\\"), max_size=40))
def test_no_text_does_anything_but_give_numbers_or_an_input_error(text: str) -> None:
    """Whatever is typed: finite numbers within bounds, or a message."""
    try:
        found = values(text)
    except InputError:
        return
    assert 1 <= len(found) <= MAX_POINTS
    assert all(math.isfinite(value) for value in found)


@pytest.mark.parametrize("text", ["", "x", "1/0", "[1]", "1 2", "None", "inf", "nan", "1e999", "sqrt(-1)", "'1'"])
def test_what_is_not_one_number_is_refused(text: str) -> None:
    """With what was read and an example."""
    with pytest.raises(InputError, match="Write one number"):
        read_number(text, "The value of theta")


def test_every_way_to_space_numbers_is_named_in_the_error() -> None:
    """Whoever mistypes a name sees the right ones."""
    with pytest.raises(InputError) as caught:
        values("linspcae(0, 1, 3)")
    assert all(name in caught.value.message for name in SPACES)
