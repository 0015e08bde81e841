"""Reports on policies for auditors: which control which rule and test serves, and what is open."""
