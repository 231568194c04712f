"""Which encounter, claim and result belong to which visit, and what that visit still lacks."""
