"""What can go wrong, and the exit code each fault ends a run with.

Every message has one grammar: subject, what was found, what was expected, what to do.
"""

from typing import Any


class PlanError(Exception):
    """The run failed. Exit code 1."""

    exit_code = 1


class ConflictError(PlanError):
    """The rules and locks of an allocation cannot all hold. Exit code 1.

    conflicts  table of the minimal sets that clash: set, rule, side, unit, need, have; None where the fault is not among rules
    repair     table of the cheapest way out: rule, side, unit, from, to, penalty
    repaired   the rules and the locks with the repair applied
    """

    def __init__(self, message: str, conflicts: Any = None, repair: Any = None, repaired: tuple[list, list] = ([], [])) -> None:
        super().__init__(message)
        self.conflicts, self.repair, self.repaired = conflicts, repair, repaired


class ParameterError(PlanError):
    """A parameter is unknown, mistyped, out of range or unsafe. Exit code 2."""

    exit_code = 2


class InputDataError(PlanError):
    """An input table cannot be read as what it claims to be. Exit code 3."""

    exit_code = 3


class GateError(PlanError):
    """A gate did not pass. Exit code 4."""

    exit_code = 4


class TieOutError(GateError):
    """Children do not sum to their parent. Exit code 4."""


def collected(subject: str, faults: list[str]) -> str:
    """Several faults as one message, so that a reader mends them in one go."""
    return f"{subject}\n" + "\n".join(f"  - {fault}" for fault in faults)
