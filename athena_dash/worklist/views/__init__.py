"""One module per screen; each view asks for its right, starts from the user's practices, and stays small."""
