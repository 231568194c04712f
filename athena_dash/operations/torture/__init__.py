"""Proves that nothing is lost and nothing doubled: a world of its own, disturbed by a seed, compared with its truth.

`plan` says what goes wrong and when, `world` runs everything, `disturb` does it, `watch` measures how late a change is
seen, `recovery` leaves the practice to itself, `truth` says what athena has, `proof` compares, `report` tells.
"""
