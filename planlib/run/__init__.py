"""A planning run: parameters in, one published report folder out. Starts notebooks, never computes a plan."""
