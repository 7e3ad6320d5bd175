"""The composition root: who reacts to what, who answers what, who performs what. No logic.

Run by ``flask`` and by ``gunicorn 'wsgi:create_app()'``.
"""

from __future__ import annotations

import click
from flask import Blueprint, Flask

import config
from lightservices import answers, promotions, rates, zones
from lightservices.commands import outlets_group, rates_group, services_group
from lightservices.outlets import sample as outlet_sample
from lightservices.pages.assets import assets
from lightservices.pages.doors import doors
from lightservices.pages.views import pages
from menus import offers, publication, tagging
from menus.commands import menus_group
from regions import outlines, presence, sample
from regions.commands import regions_group
from regions.presence import FollowerMoved
from service import assembly, followers, heartbeat, notices
from service.delivery import claims, learning, ledger, quotas
from service.delivery.commands import worker_group
from service.delivery.ledger import Performer
from service.demo import demo
from service.doctor import doctor
from service.happenings import (
    AccountWarned,
    Clicked,
    LocationReported,
    MediaReceived,
    MessageSettled,
    PermissionRevoked,
    Scanned,
    Subscribed,
    TextReceived,
    Unfollowed,
)
from service.readiness import readiness
from service.sandbox.commands import sandbox_group
from service.webhook import intake, kept, nonces, receipts
from service.webhook.commands import intake_group
from service.wiring import Tables

TABLES = Tables(
    reactions={
        Subscribed: [followers.arrive, offers.offer_on_arrival, presence.follow_scene],
        FollowerMoved: [offers.offer_local_menu],
        Scanned: [presence.follow_scene],
        LocationReported: [presence.follow_to],
        AccountWarned: [notices.warn],
        MessageSettled: [notices.settle],
        PermissionRevoked: [followers.withdraw_place, presence.revoke],
        # Whoever points at the follower goes first, the follower last.
        Unfollowed: [ledger.forget, kept.forget, presence.forget, offers.forget, followers.depart],
    },
    answers={
        Subscribed: answers.welcomed,
        Scanned: answers.scanned,
        Clicked: answers.clicked,
        TextReceived: answers.texted,
        MediaReceived: answers.media,
        LocationReported: answers.located,
    },
    glances={LocationReported: presence.is_settled},
    deliveries={
        "intake.replay": Performer(intake.replay_kept),
        "menus.settle_menus": Performer(publication.settle_menus),
        "menus.settle_offer": Performer(tagging.settle_offers, batch=tagging.BATCH),
        "menus.reoffer": Performer(offers.walk, batch=20),
        "quotas.learn": learning.LEARN,
    },
    chores={
        "heartbeat": (heartbeat.EVERY_SECONDS, heartbeat.beat),
        "intake.replay": (5, intake.ask_for_replay),
        "intake.receipts": (60, receipts.forget_old),
        "intake.nonces": (60, nonces.forget_old),
        "intake.kept": (3600, kept.forget_old),
        "followers.departures": (600, followers.forget_departures),
        "presence.expire": (300, presence.expire),
        "menus.keep_up": (60, publication.keep_up),
        "deliveries.tidy": (86_400, claims.tidy),
        "quotas.ask": (21_600, learning.ask),
        "quotas.tidy": (86_400, quotas.tidy),
    },
    seeds=(
        ("样例银行的分行", sample.seed),
        ("各分行的本地专区", zones.seed),
        ("示例优惠", promotions.seed),
        ("示例牌价和利率", rates.seed),
        ("示例网点", outlet_sample.seed),
        ("菜单", publication.request_publication),
    ),
    openings=(("发布菜单", publication.request_publication),),
    backdrop=outlines.backdrop,
    checks={"worker": heartbeat.heard},
)

#: The pages and consoles each package brings.
BLUEPRINTS: tuple[Blueprint, ...] = (readiness, assets, doors, pages)

#: ``flask <group> <verb>``.
COMMANDS: tuple[click.Command, ...] = (
    doctor,
    demo,
    intake_group,
    regions_group,
    sandbox_group,
    services_group,
    rates_group,
    outlets_group,
    menus_group,
    worker_group,
)


def create_app(settings: config.Settings | None = None) -> Flask:
    """The whole program as one WSGI application, set up from the environment unless told how."""
    return assembly.assemble(
        settings or config.from_environment(), TABLES, blueprints=BLUEPRINTS, commands=COMMANDS
    )
