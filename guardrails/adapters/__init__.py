"""Ways for a host's tools to reach the guard."""
