"""What every stage stands on and no stage owns: clock, secrets, safe logs, HTTP middleware, embedded services."""
