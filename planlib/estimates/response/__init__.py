"""What marketing money brings: response curves whose returns never come without their interval (BUD-1, BUD-6)."""

from planlib.estimates.response.attributed import fit_attributed
from planlib.estimates.response.months import fit_months
from planlib.estimates.response.result import Response, stated
from planlib.estimates.response.total import fit

__all__ = ["Response", "fit", "fit_attributed", "fit_months", "stated"]
