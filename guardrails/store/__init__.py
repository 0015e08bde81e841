"""Tables in SQLite or PostgreSQL: connections, transactions, and schemas with their migrations."""
