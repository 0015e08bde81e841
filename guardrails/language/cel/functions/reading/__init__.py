"""Readers of what an argument means: the commands, statements, places and secrets in a text.

An agent that is refused one writing of a thing tries another. A reader answers for every writing
that it knows, and is an error on any other, so that the rule which asked fails closed.
"""
