"""Conditions: the Common Expression Language, read, checked and compiled."""
