"""The same job put together from libraries as one would in an afternoon: ORM, STRtree, wechatpy.

Verify, freshness, open, parse, drop repetitions, find the county, find the branch, keep presence,
ask for the menu to be changed, answer; what changed is committed before the answer.
"""

from __future__ import annotations

import hashlib
import os
import time

import numpy as np
import shapely
from flask import Flask, abort, request
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.replies import TextReply

from regions import boundaries
from regions.coordinates import Datum, to_gcj02, to_gcj02_many


class Base(DeclarativeBase):
    pass


db = SQLAlchemy(model_class=Base)


class Seen(db.Model):
    key: Mapped[str] = mapped_column(primary_key=True)
    reply: Mapped[str] = mapped_column(default="")


class Place(db.Model):
    openid: Mapped[str] = mapped_column(primary_key=True)
    division: Mapped[str]
    branch: Mapped[str]
    seen_at: Mapped[int]


class Wanted(db.Model):
    openid: Mapped[str] = mapped_column(primary_key=True)
    branch: Mapped[str]


def _shape(county: boundaries.Boundary) -> shapely.Geometry:
    """One county in GCJ-02, its rings told apart by parity."""
    shape = shapely.Polygon()
    for ring in county.rings:
        north, east = to_gcj02_many(ring[:, 1], ring[:, 0], Datum.WGS84)
        polygon = shapely.make_valid(shapely.Polygon(np.column_stack((east, north))))
        shape = shape.symmetric_difference(polygon)
    shapely.prepare(shape)
    return shape


def create_app() -> Flask:
    app = Flask(__name__)
    app.config["SQLALCHEMY_DATABASE_URI"] = os.environ["LIBRARIES_DATABASE_URL"]
    db.init_app(app)
    with app.app_context():
        db.create_all()
        if db.engine.dialect.name == "sqlite":
            with db.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA journal_mode=WAL")
    crypto = WeChatCrypto(
        *(os.environ[n] for n in ("WECHAT_TOKEN", "WECHAT_AES_KEY", "WECHAT_APPID"))
    )
    counties = boundaries.read("district")
    codes = [county.code for county in counties]
    tree = shapely.STRtree([_shape(county) for county in counties])

    @app.post("/wechat")
    def wechat() -> str:
        timestamp, nonce = request.args["timestamp"], request.args["nonce"]
        if abs(time.time() - int(timestamp)) > 300:
            abort(403)
        opened = crypto.decrypt_message(
            request.data, request.args["msg_signature"], timestamp, nonce
        )
        message = parse_message(opened)
        key = hashlib.sha1(opened if isinstance(opened, bytes) else opened.encode()).hexdigest()
        if (seen := db.session.get(Seen, key)) is not None:
            return crypto.encrypt_message(seen.reply, nonce, timestamp) if seen.reply else "success"
        if message.type == "event" and message.event == "location":
            follow(message)
            db.session.add(Seen(key=key))
            db.session.commit()
            return "success"
        if message.type == "event" and message.event == "subscribe":
            db.session.merge(Wanted(openid=message.source, branch=""))
        place = db.session.get(Place, message.source)
        reply = TextReply(content=f"优惠 {place.branch if place else ''}", message=message).render()
        db.session.add(Seen(key=key, reply=reply))
        db.session.commit()
        return crypto.encrypt_message(reply, nonce, timestamp)

    def follow(message: object) -> None:
        latitude, longitude = to_gcj02(message.latitude, message.longitude, Datum.WGS84)
        found = tree.query(shapely.Point(longitude, latitude), predicate="within")
        if not len(found):
            return
        division = codes[found[0]]
        branch = division[:4]
        place = db.session.get(Place, message.source)
        if place is None:
            place = Place(openid=message.source, division="", branch="", seen_at=0)
            db.session.add(place)
        if place.branch != branch:
            db.session.merge(Wanted(openid=message.source, branch=branch))
        place.division, place.branch, place.seen_at = division, branch, int(time.time())

    return app
