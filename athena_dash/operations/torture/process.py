"""`python -m athena_dash.operations.torture.process CLOCK COMMAND …`: a command of manage.py in the world's time."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from athena_dash.core import clock
from athena_dash.core.embedded.attach import attach
from athena_dash.operations.torture.world_time import WorldTime


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "athena_dash.settings")
    clock.follow(WorldTime(Path(sys.argv[1])).now)
    attach()
    from django.core.management import execute_from_command_line

    execute_from_command_line(["manage.py", *sys.argv[2:]])


if __name__ == "__main__":
    main()
