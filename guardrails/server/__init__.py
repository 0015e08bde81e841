"""The inbox in a browser: where people see what agents ask for, and decide.

Nothing is imported here: `app` makes the application, `run` serves it.
"""
