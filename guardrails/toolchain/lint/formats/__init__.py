"""How a report of lint is told: to people, to programs, to code hosts and to CI."""
