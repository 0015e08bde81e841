"""One file for each rule: its docstring is its documentation, its function `check` finds."""
