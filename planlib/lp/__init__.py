"""The only room that knows PuLP and HiGHS: rules in, one plan level out."""

from planlib.lp.rules import Aim, Lock, Rule
from planlib.lp.spend import Spend, spend
from planlib.lp.split import Split, split

__all__ = ["Aim", "Lock", "Rule", "Spend", "Split", "spend", "split"]
