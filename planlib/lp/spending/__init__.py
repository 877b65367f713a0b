"""Spend a budget: response curves, projects, limits and their prices."""
