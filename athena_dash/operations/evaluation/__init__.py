"""How right are we? A synthetic practice through the real pipeline, scored against the truth written as it
lived."""
