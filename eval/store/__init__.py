"""The one database of Concours: runs, scores and ratings, behind SQLAlchemy.

SQLite in WAL mode by default, PostgreSQL by URL. Only this package imports sqlalchemy.
"""

from concours.eval.store.engine import Store, open_store

__all__ = ["Store", "open_store"]
