"""Run by alembic, on the connection and in the transaction that `qpm_lab.ledger.opening` hands over."""

from alembic import context

from qpm_lab.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
