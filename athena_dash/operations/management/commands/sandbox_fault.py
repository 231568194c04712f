"""Switches faults of the running sandbox on and off, and lists them with how often each has fired."""

from __future__ import annotations

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from athena_dash.operations import sandbox

EXAMPLES = """
examples:
  sandbox_fault list
  sandbox_fault on html --path /claims --times 3
  sandbox_fault on corrupt_record --path /claims --record 1007 --param field=claimid --param as=null
  sandbox_fault on rate_limited --probability 0.3 --param retry_after=2
  sandbox_fault off                (all of them)
"""


class Command(BaseCommand):
    help = (
        "Make the sandbox misbehave: rate limits, time-outs, broken records, unknown codes, stalled feeds …"
        + EXAMPLES
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument(
            "--url", help="the sandbox's address; default: the one of this state directory's demo"
        )
        verbs = parser.add_subparsers(dest="verb", required=True)
        verbs.add_parser("list", help="what is on, and which kinds there are")
        on = verbs.add_parser("on", help="switch a fault on")
        on.add_argument("kind")
        on.add_argument("--name", help="default: the kind")
        on.add_argument("--practice", help="athena's practice id")
        on.add_argument("--path", default="", help="regular expression searched in the path")
        on.add_argument("--record", help="id of one record in the answer")
        on.add_argument("--probability", type=float, default=1.0)
        on.add_argument("--times", type=int, help="at most so many firings")
        on.add_argument(
            "--param", action="append", default=[], metavar="NAME=VALUE", help="the dose, per kind"
        )
        off = verbs.add_parser("off", help="switch one fault off, or all")
        off.add_argument("name", nargs="?")

    def handle(self, *args: Any, verb: str, url: str | None, **options: Any) -> None:
        try:
            base_url = url or sandbox.url()
            if verb == "on":
                fault = sandbox.switch_on(base_url, fault_from(options))
                self.stdout.write(f"on: {fault['name']}")
            elif verb == "off":
                self.stdout.write(f"{sandbox.switch_off(base_url, options['name'])} switched off")
            else:
                self.show(sandbox.faults(base_url))
        except (sandbox.SandboxAway, ValueError) as error:
            raise CommandError(str(error)) from None

    def show(self, known: dict[str, Any]) -> None:
        for fault in known["faults"]:
            where = fault.get("match", {}).get("path", "everywhere")
            self.stdout.write(
                f"{fault['name']}: {fault['kind']} at {where}, fired {fault.get('fired', 0)} times"
            )
        if not known["faults"]:
            self.stdout.write("no fault is on")
        self.stdout.write("kinds: " + ", ".join(known["kinds"]))


def fault_from(options: dict[str, Any]) -> dict[str, Any]:
    match = {name: options[name] for name in ("practice", "path", "record") if options[name]}
    fault = {
        "name": options["name"] or options["kind"],
        "kind": options["kind"],
        "match": match,
        "probability": options["probability"],
        "params": dict(parameter(text) for text in options["param"]),
    }
    return fault | ({"times": options["times"]} if options["times"] is not None else {})


def parameter(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"--param {text}: write it as NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
