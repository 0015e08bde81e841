"""This library held against suites that others wrote."""
