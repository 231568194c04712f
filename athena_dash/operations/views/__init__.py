"""Screens of support and admins, one module per noun."""
