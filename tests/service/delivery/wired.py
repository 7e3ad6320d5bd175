"""A process put together for tests of deliveries: a database of its own, and the tables given."""

from __future__ import annotations

from sqlalchemy import Table, create_engine

from config import Settings
from service.db import Model, engine_options, prepare, reading_engine
from service.delivery.ledger import Lane, Row
from service.delivery.quotas import Calls
from service.wechat.token import Credential
from service.wiring import Tables, Wiring

TABLES: list[Table] = [
    Model.metadata.tables[model.__tablename__] for model in (Row, Lane, Calls, Credential)
]


def wire(settings: Settings, tables: Tables | None = None) -> Wiring:
    """The wiring of one process on the settings' database."""
    url = settings.database
    return Wiring(
        settings=settings,
        engine=prepare(create_engine(url, **engine_options(url))),
        reader=reading_engine(url),
        tables=tables or Tables(),
    )


def create_tables(wiring: Wiring) -> None:
    Model.metadata.drop_all(wiring.engine, tables=TABLES)
    Model.metadata.create_all(wiring.engine, tables=TABLES)
