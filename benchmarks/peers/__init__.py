"""Applications of peers that are written in Python too.

Each runs in an environment of its own, locked beside it, so nothing here imports this project.
"""
