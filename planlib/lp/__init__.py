"""The only room that knows PuLP and HiGHS: rules in, one plan level out."""

from planlib.lp.rules import Aim, Lock, Rule
from planlib.lp.spending.spend import Spend, spend
from planlib.lp.splitting.split import Split, split

__all__ = ["Aim", "Lock", "Rule", "Spend", "Split", "spend", "split"]
