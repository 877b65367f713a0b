"""CDNOW (Fader, Hardie & Lee 2005) from the data the package `lifetimes` brings, as a file: importing it warns on pandas 3."""

from importlib.metadata import distribution

import pandas as pd


def customers() -> pd.DataFrame:
    """The 2,357 customers of the first quarter of 1997, weeks 1-39: ID, x, t_x, T (weeks), m (dollars)."""
    path = distribution("lifetimes").locate_file("lifetimes/datasets/cdnow_customers_summary_with_transactions.csv")
    return pd.read_csv(str(path)).rename(columns={"zbar": "m"})
