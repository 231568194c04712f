"""What the other systems say: frozen facts in, typed rows out, one table per noun."""
