"""The tables of runs and scores.

A score is a fact about a content: the bytes of an item (its sha256), a metric at a version with
its parameters, and, for metrics that need one, the reference it was held against. It is stored
once however many runs, systems and paths it appears in, so that a rerun, a resumed run and a run
with one more system compute only what is new. A run says which items and which measures belong
to it; the view ``scores`` joins them into the long format (run, system, item, metric, version,
parameters, value, status, reason, n) that people query.

Nothing here depends on the clock or on the order in which workers finish, except the table
``invocation``, the log of who ran what when.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

# A content: the bytes of a file, or of a file and its partners, by the hash of both.
item = Table(
    "item",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", Text, nullable=False, unique=True),
)

# What reading an item gave. A new version of the loaders reads everything afresh.
loading = Table(
    "loading",
    metadata,
    Column("item_id", ForeignKey("item.id"), primary_key=True),
    Column("loader", Text, primary_key=True),
    Column("format", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("warnings", JSON, nullable=False),
    Column("n_notes", Integer),
    Column("seconds", Float),
)

# A metric at a version, with all its parameters, against one context ("" or a reference's hash).
measure = Table(
    "measure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("metric", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("parameters", Text, nullable=False),
    Column("context", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("direction", Text, nullable=False),
    Column("unit", Text, nullable=False),
    UniqueConstraint("metric", "version", "parameters", "context"),
)

score = Table(
    "score",
    metadata,
    Column("item_id", ForeignKey("item.id"), primary_key=True),
    Column("measure_id", ForeignKey("measure.id"), primary_key=True),
    Column("value", Float),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", JSON, nullable=False),
)

run = Table(
    "run",
    metadata,
    Column("id", Text, primary_key=True),
    Column("benchmark", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("config_hash", Text, nullable=False),
    Column("loader", Text, nullable=False),
    Column("manifest", JSON, nullable=False),
    Column("status", Text, nullable=False),
)

run_system = Table(
    "run_system",
    metadata,
    Column("run_id", ForeignKey("run.id"), primary_key=True),
    Column("system", Text, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("is_reference", Integer, nullable=False),
    Column("source", Text, nullable=False),
    Column("card", JSON, nullable=False),
)

run_item = Table(
    "run_item",
    metadata,
    Column("run_id", ForeignKey("run.id"), primary_key=True),
    Column("system", Text, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("path", Text, nullable=False),
    Column("location", Text, nullable=False),
    Column("prompt", Text, nullable=False),
    # no item: the file could not even be read, and `reason` says why
    Column("item_id", ForeignKey("item.id")),
    Column("reason", Text, nullable=False),
    # the item together with its ground truth, target or prompt; scores of pairs belong to it
    Column("pair_id", ForeignKey("item.id")),
    Column("partners", JSON),
    # what the item is cut from, "" for nothing; NULL in runs of versions that kept a pattern alone
    Column("song", Text),
)

# The reference's own items are held against the reference without themselves, which is another
# context; so it is each system of a run that has its measures.
run_measure = Table(
    "run_measure",
    metadata,
    Column("run_id", ForeignKey("run.id"), primary_key=True),
    Column("system", Text, primary_key=True),
    Column("measure_id", ForeignKey("measure.id"), primary_key=True),
    Column("position", Integer, nullable=False),
)

set_score = Table(
    "set_score",
    metadata,
    Column("run_id", ForeignKey("run.id"), primary_key=True),
    Column("system", Text, primary_key=True),
    Column("measure_id", ForeignKey("measure.id"), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("value", Float),
    Column("ci_low", Float),
    Column("ci_high", Float),
    Column("n", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", JSON, nullable=False),
)

invocation = Table(
    "invocation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("run_id", ForeignKey("run.id"), nullable=False),
    Column("started", Text, nullable=False),
    Column("finished", Text),
    Column("computed", Integer),
    Column("environment", JSON, nullable=False),
)

Index("score_by_measure", score.c.measure_id)
Index("run_by_benchmark", run.c.benchmark)

SCORES_VIEW = """
CREATE VIEW scores AS
SELECT ri.run_id AS run, ri.system AS system, i.sha256 AS item, ri.path AS path,
       m.metric AS metric, m.version AS version, m.parameters AS parameters,
       s.value AS value, s.status AS status, s.reason AS reason, 1 AS n
FROM run_item ri
JOIN item i ON i.id = ri.item_id
JOIN run_measure rm ON rm.run_id = ri.run_id AND rm.system = ri.system
JOIN measure m ON m.id = rm.measure_id
JOIN score s ON s.item_id = ri.item_id AND s.measure_id = m.id
UNION ALL
SELECT ri.run_id, ri.system, i.sha256, ri.path, m.metric, m.version, m.parameters,
       s.value, s.status, s.reason, 1
FROM run_item ri
JOIN item i ON i.id = ri.item_id
JOIN run_measure rm ON rm.run_id = ri.run_id AND rm.system = ri.system
JOIN measure m ON m.id = rm.measure_id
JOIN score s ON s.item_id = ri.pair_id AND s.measure_id = m.id
UNION ALL
SELECT t.run_id, t.system, NULL, NULL, m.metric, m.version, m.parameters,
       t.value, t.status, t.reason, t.n
FROM set_score t JOIN measure m ON m.id = t.measure_id
"""
