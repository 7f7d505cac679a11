"""The table of trust cards."""

from __future__ import annotations

from sqlalchemy import JSON, Column, Connection, Integer, MetaData, Table, Text

metadata = MetaData()

trust_card = Table(
    "trust_card",
    metadata,
    Column("benchmark", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("card", JSON, nullable=False),
)


def create_trust_tables(connection: Connection) -> None:
    metadata.create_all(connection)
