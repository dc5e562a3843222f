"""Predicates over figures, as the registry of claims writes them: `processes_per_run > 0.9`.

Comparisons, `and`, `or`, `not`, the four operations, `abs`, `min` and `max` over numbers and names
of figures; nothing else. Read by `simpleeval`, so that data stays data.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping

from simpleeval import InvalidExpression, SimpleEval

from harness.errors import CampaignError

FUNCTIONS = {"abs": abs, "min": min, "max": max}


def names_in(predicate: str) -> tuple[str, ...]:
    """The figures a predicate names, in the order it names them.

    Raises:
        CampaignError: it is no expression.
    """
    try:
        tree = ast.parse(predicate, mode="eval")
    except SyntaxError as error:
        raise CampaignError(f"`{predicate}` is no predicate.", evidence=str(error.msg)) from error
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Name)]
    found.sort(key=lambda node: (node.lineno, node.col_offset))
    return tuple(dict.fromkeys(node.id for node in found if node.id not in FUNCTIONS))


def decide(predicate: str, values: Mapping[str, float]) -> bool:
    """Whether it is true of these values.

    Raises:
        CampaignError: it names what is not among them, or does what a predicate may not.
    """
    reader = SimpleEval(names=dict(values), functions=FUNCTIONS)
    try:
        answer = reader.eval(predicate)
    except (InvalidExpression, SyntaxError, TypeError, ZeroDivisionError) as error:
        raise CampaignError(f"`{predicate}` cannot be decided.", evidence=str(error)) from error
    if not isinstance(answer, bool):
        raise CampaignError(
            f"`{predicate}` is a number, not a statement.", evidence=f"It gives {answer!r}."
        )
    return answer
