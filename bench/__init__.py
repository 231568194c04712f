"""What is measured: each module has `run() -> Iterable[dict]`, one dict of figures (baseline too) a line."""
