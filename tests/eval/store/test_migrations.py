"""A database of an earlier version opens, keeps what it holds, and takes pairs."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import text

from concours.eval.store import open_store

OLD_ITEMS = """
CREATE TABLE run_item (run_id TEXT NOT NULL, system TEXT NOT NULL, position INTEGER NOT NULL,
  path TEXT NOT NULL, location TEXT NOT NULL, prompt TEXT NOT NULL, item_id INTEGER,
  reason TEXT NOT NULL, PRIMARY KEY (run_id, system, position))
"""


def test_a_store_without_pairs_gets_them(tmp_path: Path) -> None:
    file = tmp_path / "old.db"
    open_store(f"sqlite:///{file}").close()
    with closing(sqlite3.connect(file)) as old, old:
        old.execute("DROP VIEW scores")
        old.execute("DROP TABLE run_item")
        old.execute(OLD_ITEMS)
        old.execute("INSERT INTO run_item VALUES ('r', 's', 0, 'a.mid', '/a.mid', '', NULL, 'x')")
        old.execute("CREATE VIEW scores AS SELECT 1 AS run")
        (number,) = old.execute("SELECT number FROM migration WHERE name = 'pairs'").fetchone()
        old.execute("DELETE FROM migration WHERE number >= ?", (number,))
    with open_store(f"sqlite:///{file}") as store, store.reading() as connection:
        row = connection.execute(text("SELECT path, pair_id, partners FROM run_item")).one()
        assert tuple(row) == ("a.mid", None, None)
        assert connection.execute(text("SELECT count(*) FROM scores")).scalar() == 0
