"""What every stage stands on: clock, secrets, PHI-safe logs, HTTP middleware, embedded services."""
