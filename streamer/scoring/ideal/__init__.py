"""The ideal customer profile (V13): what the most valuable tenth have in common.

``traits`` says what is looked at, ``spreads`` counts customers by value, ``top`` finds the tenth
and its lifts, ``profile`` compares traits with them and ``closeness`` customers.
"""
