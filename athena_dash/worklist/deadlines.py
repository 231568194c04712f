"""The menu of deadlines: how near the limit of filing, or of an appeal, is, and what is past it.

The steps are those at which alarms are told (revenue-cycle.md §3.1). Uncounted: Today counts them, and here it would
cost every page of the list a query.
"""

from __future__ import annotations

from athena_dash.worklist.filters import Filters
from athena_dash.worklist.menus import Menu, Option

STEPS = (7, 14, 21, 30)  # days left at most


def deadline_menu(filters: Filters) -> Menu:
    """Only one can be chosen, for each holds the nearer ones; chosen again, it is taken back."""
    bare = filters.but(limit=None, passed=False)
    offered = [(str(days), f"Within {days} days", bare.but(limit=days)) for days in STEPS]
    offered.append(("passed", "Limit has passed", bare.but(passed=True)))
    options = tuple(
        Option(value, label, None, chosen == filters, (bare if chosen == filters else chosen).query())
        for value, label, chosen in offered
    )
    return Menu("deadline", "Deadline", filters != bare, options)
