"""Split one plan level into the next: cells, limits, program, exact spread, whole units, prices and conflicts."""
