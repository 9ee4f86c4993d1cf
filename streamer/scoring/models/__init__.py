"""Probability models of purchasing and of value, one a module: parameters in, figures out.

What a shop's parameters are is found in ``streamer.scoring.fitting``.
"""
