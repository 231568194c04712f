#!/usr/bin/env python
"""Runs one Django command, with PostgreSQL and Valkey there while it runs (embedded, or where URLs say)."""

import os
import sys

# These read code and files only. `demo` and `torture` start services themselves.
WITHOUT_SERVICES = frozenset(
    {"check", "collectstatic", "demo", "diffsettings", "help", "makemigrations", "torture", "version"}
)


def needs_services(arguments: list[str]) -> bool:
    return bool(arguments) and not (
        WITHOUT_SERVICES & set(arguments[:1]) or {"--help", "-h", "--version"} & set(arguments)
    )


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "athena_dash.settings")
    if needs_services(sys.argv[1:]):
        from athena_dash.core.embedded.attach import ServicesUnavailable, attach

        try:
            attach()
        except ServicesUnavailable as error:
            sys.exit(f"manage.py: {error}")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
