"""Takes the steps on the connection that `core.records.schema` holds, within its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
