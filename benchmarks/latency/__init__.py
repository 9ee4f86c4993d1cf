"""From a purchase handed to the producer to its committed score: how long that takes.

`loader` sends at a steady pace, `reader` waits for the scores; both are processes of their own and
light, for they share the machine with what they measure. `measure` starts them and condenses.
"""
