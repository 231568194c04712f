"""Parts of a whole: the share, and how far the true share may lie from one that was counted."""

from __future__ import annotations

from math import sqrt

Z95 = 1.959964  # of the normal distribution, two-sided


def ratio(part: int, whole: int) -> float | None:
    """None where nothing was there to be right or wrong about."""
    return round(part / whole, 4) if whole else None


def interval(part: int, whole: int) -> tuple[float, float] | None:
    """Wilson's 95 % interval of a share: unlike the usual one it holds near 0 and 1, which is where we are."""
    if not whole:
        return None
    share, spread = part / whole, Z95**2 / whole
    middle = share + spread / 2
    half = Z95 * sqrt((share * (1 - share) + spread / 4) / whole)
    low, high = (middle - half) / (1 + spread), (middle + half) / (1 + spread)
    return round(max(low, 0.0), 4), round(min(high, 1.0), 4)
