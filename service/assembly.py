"""Putting one Flask application together from settings and the tables of ``wsgi.py``."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

import click
from flask import Blueprint, Flask
from flask_migrate import Migrate
from werkzeug.routing import IntegerConverter, Map

from config import HOME, Settings
from service import journal, refusals
from service.api import document
from service.api.blueprint import ApiBlueprint
from service.console import guard
from service.db import LAST_ID, db, engine_options, prepare, reading_engine
from service.headers import stamping
from service.webhook.door import Door
from service.wiring import Tables, Wiring


class IdConverter(IntegerConverter):
    """A number in an address; one that no database would take as an id leads nowhere."""

    def __init__(self, map: Map, max: int = LAST_ID, min: int | None = None) -> None:
        super().__init__(map, max=max, min=min)


def assemble(
    settings: Settings,
    tables: Tables,
    *,
    blueprints: Iterable[Blueprint] = (),
    commands: Iterable[click.Command] = (),
) -> Flask:
    """An application that serves, with its wiring under ``extensions["wiring"]``."""
    journal.set_up(settings)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    app = Flask("wsgi", root_path=str(HOME), static_folder=None, template_folder=None)
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SQLALCHEMY_DATABASE_URI=settings.database,
        SQLALCHEMY_ENGINE_OPTIONS=engine_options(settings.database),
        SESSION_COOKIE_NAME="visit",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.speaks_https,
        PERMANENT_SESSION_LIFETIME=timedelta(hours=12),
        # Renewed with every answer, one visitor's cookie would ride on assets that caches share.
        SESSION_REFRESH_EACH_REQUEST=False,
        MAX_CONTENT_LENGTH=64 * 1024,
    )
    # The redirect to a path with single slashes would name whatever host the request claimed.
    app.url_map.merge_slashes = False
    app.url_map.converters["int"] = IdConverter
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # the default provider has it
    db.init_app(app)
    Migrate(app, db, directory=str(HOME / "service" / "migrations"), render_as_batch=True)
    with app.app_context():
        engine = prepare(db.engine)
    wiring = Wiring(
        settings=settings,
        engine=engine,
        reader=reading_engine(settings.database),
        tables=tables,
    )
    app.extensions["wiring"] = wiring
    app.wsgi_app = Door(app.wsgi_app, wiring)  # type: ignore[method-assign]  # Flask's own way
    refusals.register(app)
    app.before_request(guard.check)
    app.after_request(stamping(settings))
    described = document.of(app)
    for blueprint in blueprints:
        if isinstance(blueprint, ApiBlueprint):
            described.register_blueprint(blueprint)
        else:
            app.register_blueprint(blueprint)
    for command in commands:
        app.cli.add_command(command)
    for begin in tables.warming:
        begin()
    return app
