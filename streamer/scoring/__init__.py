"""Models and measures, one a module: figures of a row at an instant. Pure functions."""
