"""How good forecasts were, once what they spoke of has happened.

Functions of columns with one entry a customer. A figure that such columns do not define, such as
the rank correlation with a constant, is None, never 0.
"""
