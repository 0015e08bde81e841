"""What people must decide: requests, who may vote, votes, and the store that they outlive us in.

Nothing is imported here: `request`, `terms` and `vote` are light, `sql_store` brings SQLAlchemy.
"""
