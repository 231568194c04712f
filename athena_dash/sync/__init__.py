"""Pull, keep raw, normalise, upsert; remember cursors; keep every failure replayable."""
