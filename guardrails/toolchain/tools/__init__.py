"""The decorated tools of a program, held against the policies: listed, checked, declared."""
