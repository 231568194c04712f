"""Screens of the billing desk: today, visits, one visit."""
