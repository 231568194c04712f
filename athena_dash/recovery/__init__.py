"""Groups of failures, replays of them, and the verified report of what each replay changed."""
