"""Screens of support and admins, and the commands for sandbox, demo and evaluation."""
