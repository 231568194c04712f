"""Speaks athenaOne v1: client → session (auth → transport) → pages of raw records → typed payloads.

Nothing here keeps state besides a token; what is pulled, when, and what becomes of it is up to the
caller.
"""
