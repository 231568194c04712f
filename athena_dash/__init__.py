"""athena-dash: pull → keep raw → normalise → upsert → correlate → gaps → worklist; failures are kept and replayable."""
