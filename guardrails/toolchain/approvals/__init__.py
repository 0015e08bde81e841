"""Requests for approval told to people in a terminal, and to programs as JSON."""
