"""Rego modules as policies, and the seam behind which an engine evaluates them.

`seam.py` is what an engine has to do; `embedded.py` and `opa_server.py` are the two that ship.
"""
