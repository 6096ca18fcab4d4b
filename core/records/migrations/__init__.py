"""The steps that bring a database of the records up to date, for Alembic. `core.records.schema` takes them."""
