"""Claims print one stable line, or raise."""

from __future__ import annotations

import doctest

import numpy as np
import pytest
import torch

import pinv_edu.claims
from pinv_edu import ClaimError, claim

LINES = [
    (3e-16, {"below": 1e-12}, "residual < 1e-12"),
    (0.2, {"below": 0.25}, "residual < 0.25"),
    (-1, {"below": 0}, "residual < 0"),
    (3e-16, {"below": 2.5e-7}, "residual < 2.5e-7"),
    (1e-9, {"below": 1e-3}, "residual < 0.001"),
    (0.2, {"below": 1, "what": "share"}, "share < 1"),
    (0.2, {"above": 0.1}, "> 0.1"),
    (0.2, {"above": 0.1, "what": "error"}, "error > 0.1"),
    (0.2, {"above": 0.1, "below": 0.3}, "> 0.1 and < 0.3"),
    (3, {"equals": 3}, "= 3"),
    (3.0, {"equals": 3}, "= 3"),
    (0.1, {"equals": 0.1}, "= 0.1"),
    (1 - 1e-12, {"below": 1}, "residual < 1"),
    (2**53 + 1, {"above": 2**53, "what": "n"}, "n > 9.0072e+15"),
    (0.31, {"equals": 0.3, "tol": 0.02}, "= 0.3 ± 0.02"),
    (16, {"equals": 16, "what": "step"}, "step = 16"),
    (1e6, {"equals": 1_000_000}, "= 1000000"),
    (True, {"equals": True}, "= True"),
    (torch.tensor(True), {"equals": True}, "= True"),
    (np.bool_(False), {"equals": False}, "= False"),
    (torch.ones(2, 3, dtype=torch.bool), {"equals": True}, "= True"),
    (torch.tensor([0.1, 0.2]), {"above": 0, "below": 1}, "> 0 and < 1"),
    (torch.ones(2, requires_grad=True), {"equals": 1}, "= 1"),
    (np.array([1e-3, 2e-3]), {"below": 0.01}, "residual < 0.01"),
    ([1, 2], {"above": 0.5}, "> 0.5"),
    (1.0, {"below": float("inf")}, "residual < inf"),
    (torch.ones(2, dtype=torch.bfloat16), {"equals": 1}, "= 1"),
]


@pytest.mark.parametrize(("value", "bounds", "words"), LINES)
def test_line(
    value: object,
    bounds: dict,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    claim("A A+ y = y", value, **bounds)
    assert capsys.readouterr().out == f"✓ A A+ y = y   {words}\n"


def test_line_does_not_depend_on_the_value(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for value in (0.0, 3e-16, 9e-13):
        claim("x", value, below=1e-12)
    assert len(set(capsys.readouterr().out.splitlines())) == 1


FALSE = [
    (1e-12, {"below": 1e-12}, "1e-12 is not < 1e-12"),
    (1e-11, {"below": 1e-12}, "1e-11 is not < 1e-12"),
    (0.1, {"above": 0.1}, "0.1 is not > 0.1"),
    (0.5, {"above": 0.1, "below": 0.3}, "0.5 is not < 0.3"),
    (0.0, {"above": 0.1, "below": 0.3}, "0.0 is not > 0.1"),
    (3.1, {"equals": 3}, "3.1 is not = 3"),
    (0.1 + 0.2, {"equals": 0.3}, "0.30000000000000004 is not = 0.3"),
    (0.33, {"equals": 0.3, "tol": 0.02}, "0.33 is not = 0.3 ± 0.02"),
    (False, {"equals": True}, "False is not = True"),
    (torch.tensor([True, False]), {"equals": True}, "False is not = True"),
    (torch.tensor([1, 5, 7]), {"below": 4}, "5 is not < 4"),
]


@pytest.mark.parametrize(("value", "bounds", "words"), FALSE)
def test_false_claim(
    value: object,
    bounds: dict,
    words: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ClaimError) as caught:
        claim("the law", value, **bounds)
    assert str(caught.value) == f"claim fails: the law: {words}"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "bounds", [{"below": 1.0}, {"above": -1.0}, {"equals": 0.0, "tol": 9.0}]
)
@pytest.mark.parametrize(
    "value", [float("nan"), torch.tensor([0.5, float("nan")])]
)
def test_nan_satisfies_nothing(value: object, bounds: dict) -> None:
    with pytest.raises(ClaimError, match="nan is not"):
        claim("x", value, **bounds)


def test_without_a_bound() -> None:
    with pytest.raises(ValueError, match="give below=, above= or equals="):
        claim("x", 1.0)


def test_without_a_value() -> None:
    with pytest.raises(ValueError, match="empty: a claim about nothing"):
        claim("x", torch.empty(0), below=1)


@pytest.mark.parametrize("value", ["0.1", None])
def test_value_is_not_a_number(value: object) -> None:
    with pytest.raises(TypeError):
        claim("x", value, below=1)


def test_a_difference_without_its_size_is_no_residual() -> None:
    with pytest.raises(ValueError, match=r"take \.abs\(\).* what="):
        claim("x", torch.tensor([1e-16, -3.0]), below=1e-12)


def test_a_named_number_may_be_negative(
    capsys: pytest.CaptureFixture[str],
) -> None:
    claim("x", -3.0, below=1, what="gain")
    assert capsys.readouterr().out == "✓ x   gain < 1\n"


def test_a_claim_is_an_assertion() -> None:
    assert issubclass(ClaimError, AssertionError)


def test_text_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    claim("a    wide  gap", 0, equals=0)
    assert capsys.readouterr().out == "✓ a    wide  gap   = 0\n"


def test_examples_of_the_documentation() -> None:
    found = doctest.testmod(pinv_edu.claims)
    assert found.attempted > 0 and found.failed == 0
