"""pull → keep raw → normalise → upsert → correlate → gaps → worklist; what fails is kept and replayable."""
