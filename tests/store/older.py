"""Files as older versions would have left them: without the tables and columns that came since."""

from __future__ import annotations

import re
import sqlite3
from importlib.resources import files

SINCE = {2: "library.sql", 3: "media.sql", 4: "signals.sql", 5: "days.sql", 6: "told.sql", 7: "shelf.sql",
         8: "calls.sql", 9: "pointers.sql"}  # fmt: skip
"""What each version of the schema added."""


def take_back(connection: sqlite3.Connection, version: int) -> None:
    """Make a fresh file one of `version`."""
    for number, name in SINCE.items():
        if number <= version:
            continue
        script = (files("collector.store") / name).read_text()
        for view in re.findall(r"create view (\w+)", script):
            connection.execute(f"drop view {view}")
        for index in re.findall(r"create index (\w+)", script):
            connection.execute(f"drop index if exists {index}")
        for table, column in re.findall(r"alter table (\w+) add column (\w+)", script):
            connection.execute(f"alter table {table} drop column {column}")
        for table in re.findall(r"create table (\w+)", script):
            connection.execute(f"drop table {table}")
    if version < 4:
        connection.execute("delete from meta where key like 'signals_%'")
    connection.execute(f"pragma user_version = {version}")
    connection.commit()
