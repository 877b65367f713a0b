"""planlib: a company's target, split and checked level by level, one linear program per chapter."""
