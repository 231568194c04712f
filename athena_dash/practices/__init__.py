"""A practice, who works in it, how it is connected to athena, and its policies."""
