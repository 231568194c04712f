"""Invents believable practices, one visit at a time, and writes down the truth as it invents it.

Each visit is a script of timed steps (`script`). Steps up to `as_of` fold into the present state, later ones
wait in the store; `life` plays them in time and writes scripts for new visits. History, visits in flight and
ground truth thus come from one mechanism.
"""

from integrations.sandbox.population.populate import populate

__all__ = ["populate"]
