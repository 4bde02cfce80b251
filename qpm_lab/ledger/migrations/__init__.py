"""The database's revisions, oldest first; alembic is only imported when one is missing."""

REVISIONS = ("0001", "0002", "0003", "0004")
HEAD = REVISIONS[-1]
