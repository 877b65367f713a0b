"""Names that one table or parameter has and another lacks: one check and one vocabulary for all chapters.

A name that steers the plan (in a rule or a parameter) must be a member that is there: `refuse`. A name that comes with data is
kept out, or gets what stands without it, and the chapter says so: `strangers` where a table names what the orders lack,
`lacking` where the orders name what a table lacks. Nothing is planned, or left out, without a word.
"""

import difflib
import unicodedata
from collections.abc import Iterable, Sequence

from planlib.errors import ParameterError

SHOWN = 3  # names that a sentence lists before it counts the rest


def refuse(subject: str, names: Iterable[str], members: Iterable[str], kind: str) -> None:
    """Raise ParameterError unless every name of a rule or parameter is a member, with the nearest right name for each.

    `subject`: the parameter as its file names it; `kind`: what a member is, in the singular: "region", "channel of the orders".
    """
    there = sorted(set(members))
    slips = strays(names, there)
    if not slips:
        return
    folded = {member.casefold(): member for member in there}
    found = []
    for name in slips:
        near = difflib.get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.5)
        found.append(f"{name!r}" + (f" (nearest: {folded[near[0]]!r})" if near else ""))
    some = ", ".join(there[:6]) + (" ..." if len(there) > 6 else "")
    raise ParameterError(
        f"{subject}: found {', '.join(found)}, which is no {kind}; expected one of {some or 'none: there is no such member'}. "
        "Correct the name, or drop it."
    )


def slip(name: str, members: Iterable[str]) -> str | None:
    """The member that a name stands for by a slip of the pen, None where it is a name of its own.

    A slip: equal but for capitals, spaces at the ends or the form of its letters, or one letter more, fewer or other, or two
    neighbours changed over (Damerau).
    """
    mine = _folded(name)
    near = {member: _folded(member) for member in members}
    for member in sorted(near):
        if near[member] == mine:
            return member
    return next((member for member in sorted(near) if _one_off(mine, near[member])), None)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()


def _one_off(one: str, other: str) -> bool:
    """Whether two texts differ by one letter more, fewer or other, or by two neighbours changed over."""
    short, long = sorted((one, other), key=len)
    at = next((place for place in range(len(short)) if short[place] != long[place]), len(short))
    if len(long) == len(short) + 1:
        return short[at:] == long[at + 1 :]
    if len(long) != len(short):
        return False
    swapped = long[at + 1 : at + 2] + long[at : at + 1] == short[at : at + 2]
    return short[at + 1 :] == long[at + 1 :] or (swapped and short[at + 2 :] == long[at + 2 :])


def strays(names: Iterable[str], members: Iterable[str]) -> list[str]:
    """The names that are no member, each once, sorted."""
    return sorted(set(names) - set(members))


def strangers(table: str, names: Iterable[str], members: Iterable[str], kind: str, so: str) -> str:
    """What a table names and the orders lack, as a sentence; "" where there is nothing to tell.

    `kind`: what a member is, in the singular; `so`: what follows, for one and for many ("no plan is made for them").
    """
    found = strays(names, members)
    return f"Table {table} names {counted(len(found), kind)} that the orders lack ({some(found)}): {so}." if found else ""


def lacking(table: str, names: Iterable[str], members: Iterable[str], kind: str, so: str) -> str:
    """What the orders name and a table lacks, as a sentence; "" where there is nothing to tell. See `strangers`."""
    there = set(members)
    found = strays(there, names)
    return f"Table {table} lacks {len(found)} of {counted(len(there), kind)} ({some(found)}): {so}." if found else ""


def counted(number: int, kind: str) -> str:
    """A number of members: "1 region", "3 regions", "2 activities", "4 branches"."""
    if number == 1:
        return f"1 {kind}"
    if kind.endswith("y") and kind[-2:-1] not in "aeiou":
        return f"{number:,} {kind[:-1]}ies"
    return f"{number:,} {kind}{'es' if kind.endswith(('s', 'x', 'ch', 'sh')) else 's'}"


def listed(names: Sequence[str]) -> str:
    """Names as a sentence writes them: a, b and c."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def carried(names: Sequence[str], share: float, verb: str = "carry") -> str:
    """Who takes which part of the target: "East carries all of the target", "East and West carry 60% of the target"."""
    part = "all" if round(share, 9) >= 1 else "nearly all" if share > 0.995 else f"{share:.0%}"
    does = verb if len(names) != 1 else f"{verb[:-1]}ies" if verb.endswith("ry") else f"{verb}s"
    return f"{listed(names)} {does} {part} of the target"


def some(names: Iterable[str]) -> str:
    """The first names, and how many more there are: "A, B, C and 4 more"."""
    every = list(names)
    left = len(every) - SHOWN
    return ", ".join(every) if left <= 0 else f"{', '.join(every[:SHOWN])} and {left} more"
