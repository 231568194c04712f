"""The shape of a JSON answer: every path in it with the types seen there, over all rows."""

from __future__ import annotations

from collections import defaultdict

Shape = dict[str, set[str]]
TYPES = {str: "string", bool: "boolean", int: "number", float: "number", type(None): "null"}


def shape_of(payload: object) -> Shape:
    shape: Shape = defaultdict(set)
    walk(payload, "", shape)
    return dict(shape)


def walk(value: object, path: str, shape: Shape) -> None:
    if isinstance(value, dict):
        shape[path or "."].add("object")
        for key, inner in value.items():
            # transactiondetails is keyed by transaction id: one path for all of them.
            walk(inner, f"{path}.{'*' if key.isdigit() else key}".lstrip("."), shape)
    elif isinstance(value, list):
        shape[path or "."].add("array")
        for inner in value:
            walk(inner, f"{path}[]", shape)
    else:
        shape[path or "."].add(TYPES[type(value)])


def differences(recorded: Shape, ours: Shape) -> dict[str, str]:
    """What a client used to the recording would trip over, by path.

    A path whose parent the recording never showed (an empty list) cannot be judged and is left out.
    """
    found = {}
    for path in sorted(recorded.keys() | ours.keys()):
        if path not in ours:
            found[path] = "missing"
        elif path not in recorded:
            if parent(path) in recorded:
                found[path] = "extra"
        elif not ours[path] <= recorded[path]:
            found[path] = f"{'|'.join(sorted(ours[path]))} for {'|'.join(sorted(recorded[path]))}"
    return found


def parent(path: str) -> str:
    if path.endswith("[]"):
        return path + "[]"  # an element of an empty recorded list: never judged
    return path.rpartition(".")[0] or "."
