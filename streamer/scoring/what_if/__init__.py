"""What-if sizing (V17): what a change of one figure is worth, in exact decimals.

Three questions, each answered by arithmetic that a marketer can do again by hand:

- ``sizing``: so much more per order, times orders a year, times years, is so much per customer;
  and so many customers make a target.
- ``retention``: the profit of a customer before and after some points of retention.
- ``levers``: which of order value, frequency, lifespan, retention and acquisition cost moves the
  profit of a customer most.

Sums and products are exact; quotients have a hundred digits; rounding to the cent comes last.
"""
