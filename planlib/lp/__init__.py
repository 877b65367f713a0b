"""The only room that knows PuLP and HiGHS: rules in, one plan level out, with the reasons."""

from planlib.lp.joint import Joint, Stage, joint
from planlib.lp.rules import Aim, Lock, Rule
from planlib.lp.spending.spend import Spend, spend
from planlib.lp.splitting.aims import aims
from planlib.lp.splitting.explain import sentence
from planlib.lp.splitting.level import MOST_PROFIT
from planlib.lp.splitting.split import Split, split

__all__ = [
    "MOST_PROFIT",
    "Aim",
    "Joint",
    "Lock",
    "Rule",
    "Spend",
    "Split",
    "Stage",
    "aims",
    "joint",
    "sentence",
    "spend",
    "split",
]
