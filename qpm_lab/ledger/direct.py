"""Statements on the path of every job.

SQLAlchemy writes their SQL, once. On SQLite the driver then gets it with its values, which saves most of what a
statement costs: what SQLAlchemy does per call is more than what SQLite does. Elsewhere SQLAlchemy executes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

Values = Mapping[str, Any]
_DIALECT = sqlite.dialect(paramstyle="qmark")


def execute(connection: sa.Connection, statement: sa.UpdateBase, values: Values | Sequence[Values]) -> int:
    """Executes an INSERT, UPDATE or DELETE and returns how many rows it changed.

    Args:
        connection: Within a writing transaction.
        statement: A constant of the module, since its SQL is remembered.
        values: By parameter or column, or a sequence of such with the same names, at least one.
    """
    if connection.dialect.name != "sqlite":
        return connection.execute(statement, values).rowcount
    many = not isinstance(values, Mapping)
    given = cast("Sequence[Values]", values if many else [values])
    sql, names, fixed = _compiled(statement, tuple(given[0]))
    ready = [tuple([row[name] if name in row else fixed[name] for name in names]) for row in given]
    driver: Any = connection.connection.driver_connection
    cursor = driver.executemany(sql, ready) if many else driver.execute(sql, ready[0])
    changed: int = cursor.rowcount
    return changed


def rows(connection: sa.Connection, statement: sa.Select[Any], values: Values) -> Sequence[Sequence[Any]]:
    """The rows of a SELECT of numbers and texts, as tuples in the order of its columns."""
    if connection.dialect.name != "sqlite":
        return connection.execute(statement, values).all()
    sql, names, fixed = _compiled(statement, tuple(values))
    driver: Any = connection.connection.driver_connection
    ready = tuple([values[name] if name in values else fixed[name] for name in names])
    found: Sequence[Sequence[Any]] = driver.execute(sql, ready).fetchall()
    return found


@lru_cache(maxsize=128)
def _compiled(
    statement: sa.UpdateBase | sa.Select[Any], given: tuple[str, ...]
) -> tuple[str, tuple[str, ...], dict[str, Any]]:
    """SQL, its parameters in order, and the values that the statement brings along itself."""
    written = isinstance(statement, (sa.Insert, sa.Update))
    columns = [name for name in given if not name.startswith("p_")] if written else None
    compiled: Any = statement.compile(dialect=_DIALECT, column_keys=columns)
    return str(compiled), tuple(compiled.positiontup), dict(compiled.params)
