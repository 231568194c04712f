"""Conditions that hold now → alerts opened and closed → messages by e-mail and webhook; never one without a change."""
