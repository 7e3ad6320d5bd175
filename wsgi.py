"""The composition root: who reacts to what, who answers what, who performs what. No logic.

Run by ``flask`` and by ``gunicorn 'wsgi:create_app()'``.
"""

from __future__ import annotations

import click
from flask import Blueprint, Flask

import config
from lightservices import answers, counts, pictures, promotions, rates, taps, zones
from lightservices import deliveries as figures
from lightservices.api import offers as api_offers
from lightservices.binding import deliveries as core_deliveries
from lightservices.binding import operations as bindings
from lightservices.catalogue.own_section import SERVICES_KIND
from lightservices.commands import outlets_group, rates_group, services_group
from lightservices.console import emergency_home
from lightservices.console.blueprints import BRANCH_FILES, BRANCH_PAGES, EMERGENCY_WRITING
from lightservices.console.emergency import watch
from lightservices.console.emergency_messages import messages_console
from lightservices.coresandbox.commands import core_group
from lightservices.emergency import duty, in_force, messages, overlays, snapshot
from lightservices.emergency import operations as emergencies
from lightservices.emergency import queries as emergency_queries
from lightservices.emergency import reports as mass_reports
from lightservices.emergency.commands import emergency_group
from lightservices.emergency.deliveries import TELLING
from lightservices.emergency.models import EmergencyChanged
from lightservices.emergency.overlays import InsidersChanged
from lightservices.emergency.pages import emergency_pages
from lightservices.foryou import operations as tastes
from lightservices.foryou.commands import followers_group
from lightservices.handoff import people as local_people
from lightservices.handoff.section import PEOPLE as LOCAL_PEOPLE
from lightservices.knowledge import choosing, ready
from lightservices.outlets import sample as outlet_sample
from lightservices.outlets import uploads
from lightservices.outlets.section import OUTLETS_KIND
from lightservices.pages.assets import assets
from lightservices.pages.binding_pages import binding
from lightservices.pages.doors import doors
from lightservices.pages.picture_pages import picture_pages
from lightservices.pages.views import pages
from lightservices.tickets import console as desk
from lightservices.tickets import operations as tickets
from lightservices.tickets import windows
from lightservices.tickets.blueprints import PEOPLE
from lightservices.tickets.deliveries import DELIVER
from lightservices.tickets.reminding import reminding
from menus import offers, progress, publication, regrouping, status, tagging
from menus.api import menus as api_menus
from menus.commands import menus_group
from menus.console import kinds as edited
from menus.console.blueprints import EDITORS, FILES
from regions import jurisdiction, outlines, presence, sample
from regions.branches import TerritoriesChanged
from regions.commands import regions_group
from regions.moves import FollowerMoved, FollowerShifted
from service import assembly, followers, heartbeat, notices
from service.api.views import reference
from service.approvals import console as approvals
from service.approvals import schedule
from service.approvals.api import changes as api_changes
from service.audit.api import entries as api_audit
from service.audit.console import audit_pages
from service.console.blueprints import CONSOLE
from service.delivery import claims, learning, ledger, quotas
from service.delivery.ledger import Performer
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
    Viewed,
)
from service.operating import OPERATING
from service.readiness import readiness
from service.staff import cast, endings, oidc, sessions, throttle
from service.staff.api import staff as api_staff
from service.staff.grants_section import GRANTS
from service.webhook import intake, kept, nonces, receipts
from service.wiring import NavigationEntry, Tables

TABLES = Tables(
    reactions={
        Subscribed: [
            *(followers.arrive, presence.follow_scene, offers.offer_on_arrival),
            *(tastes.follow_scene, windows.sense),
        ],
        FollowerMoved: [offers.offer_local_menu],
        FollowerShifted: [offers.offer_by_place],
        EmergencyChanged: [publication.keep_up_with, overlays.tell_of_insiders],
        TerritoriesChanged: [publication.keep_up_with, overlays.tell_of_territories],
        InsidersChanged: [regrouping.regroup],
        Scanned: [presence.follow_scene, tastes.follow_scene, windows.sense],
        TextReceived: [windows.hear],
        MediaReceived: [windows.hear],
        LocationReported: [presence.follow_to],
        AccountWarned: [notices.warn],
        MessageSettled: [notices.settle, mass_reports.report],
        PermissionRevoked: [followers.withdraw_place, presence.revoke],
        # Whoever points at the follower goes first, the follower last. Places, offers and
        # deliveries come in the order in which walks take them; so they do above.
        Unfollowed: [
            kept.forget,
            presence.forget,
            bindings.forget,
            *(tickets.forget, windows.forget, tastes.forget, messages.forget),
            choosing.forget,
            *(offers.forget, regrouping.forget, ledger.forget),
            followers.depart,
        ],
    },
    answers={
        Subscribed: answers.welcomed,
        Scanned: answers.scanned,
        Clicked: reminding(answers.clicked),
        Viewed: taps.viewed,
        TextReceived: answers.texted,
        MediaReceived: answers.media,
        LocationReported: answers.located,
    },
    glances={LocationReported: presence.is_settled},
    warming=(ready.warm,),
    deliveries={
        "intake.replay": Performer(intake.replay_kept),
        "menus.settle_menus": Performer(publication.settle_menus),
        "menus.look": Performer(publication.look),
        "menus.settle_offer": Performer(tagging.settle_offers, batch=tagging.BATCH),
        "menus.reoffer": Performer(offers.walk, batch=20),
        "menus.regroup": Performer(regrouping.walk, batch=20),
        "quotas.learn": learning.LEARN,
        "binding.end": core_deliveries.TELL_END,
        "binding.agree": core_deliveries.TELL_AGREED,
        "tickets.reply": DELIVER,
        "emergency.page": duty.PAGE,
        "emergency.tell": TELLING,
        "figures.followers": figures.COUNT,
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
        "menus.look": (3600, publication.ask_for_a_look),
        "deliveries.tidy": (86_400, claims.tidy),
        "binding.tidy": (300, bindings.forget_old),
        "quotas.ask": (21_600, learning.ask),
        "quotas.tidy": (86_400, quotas.tidy),
        "counts.tidy": (86_400, counts.tidy),
        "figures.followers": (3600, figures.ask),
        "outlets.uploads": (3600, uploads.forget_old),
        "pictures.tidy": (86_400, pictures.tidy),
        "tickets.escalate": (60, tickets.escalate_overdue),
        "tickets.forget": (3600, tickets.forget_old),
        "tickets.windows": (3600, windows.forget_old),
        "tastes.tidy": (86_400, tastes.forget_old),
        "chat.offers": (300, choosing.forget_old),
        "emergency.expire": (15, emergencies.expire),
        "emergency.snapshot": (snapshot.EVERY_SECONDS, snapshot.keep),
        "emergency.messages": (60, messages.forget_old),
        "emergency.stuck": (60, messages.end_stuck),
        "staff.sessions": (600, sessions.tidy),
        "staff.endings": (3600, endings.tidy),
        "staff.throttles": (3600, throttle.tidy),
        "staff.sso": (3600, oidc.tidy),
        "approvals.due": (schedule.EVERY_SECONDS, schedule.due),
    },
    seeds=(
        ("样例银行的分行", sample.seed),
        ("各分行的本地专区", zones.seed),
        ("示例优惠", promotions.seed),
        ("示例牌价和利率", rates.seed),
        ("示例网点", outlet_sample.seed),
        ("示例客户经理", local_people.seed),
        ("后台的示范账号", cast.seed),
        ("菜单", publication.request_publication),
    ),
    lineage=jurisdiction.lineage,
    branch_names=jurisdiction.names,
    watched=in_force.partly_inside,
    navigation=(
        NavigationEntry("审批", "approvals.shelf", "read"),
        NavigationEntry("本地专区", "editors.zone", "edit", "内容"),
        NavigationEntry("活动会场", "venues.campaigns", "edit", "内容"),
        NavigationEntry("菜单框架", "frames.frame", "publish_frame", "内容"),
        NavigationEntry("自建服务", "console_own_services.listing", "read", "内容"),
        NavigationEntry("网点名单", "console_outlets.page", "read", "内容"),
        NavigationEntry("数据", "console_figures.page", "read", "内容"),
        NavigationEntry("工单", "console_tickets.listing", desk.ACT, "服务"),
        NavigationEntry("客户经理", "console_contacts.listing", "read", "服务"),
        NavigationEntry("应急专区", "console_emergency.listing", "read", "服务"),
        NavigationEntry("人员", "console_people.listing", "manage_staff", "管理"),
        NavigationEntry("审计", "audit.page", "read_audit", "管理"),
        NavigationEntry("接口", "api_reference.page", "manage_staff", "管理"),
    ),
    inbox=(approvals.waiting, approvals.returned, desk.inbox, emergency_queries.waiting),
    standing=(emergency_home.standing,),
    changes={
        "grants": GRANTS,
        "people": LOCAL_PEOPLE,
        "zone": edited.ZONE,
        "frame": edited.FRAME,
        "campaign": edited.CAMPAIGN,
        "outlets": OUTLETS_KIND,
        "services": SERVICES_KIND,
    },
    overlays=(overlays.entries,),
    parts=overlays.parts,
    menu_progress=progress.of,
    followers_to_move=progress.to_move,
    console_files={**FILES, **BRANCH_FILES},
    openings=(("发布菜单", publication.request_publication),),
    backdrop=outlines.backdrop,
    checks={"worker": heartbeat.heard, "menus": status.undisturbed},
)

#: The pages and consoles each package brings.
BLUEPRINTS: tuple[Blueprint, ...] = (
    *(readiness, assets, doors, pages, emergency_pages, watch, picture_pages, binding, *PEOPLE),
    *(*CONSOLE, *EDITORS, *BRANCH_PAGES, *EMERGENCY_WRITING, approvals.changes, audit_pages),
    *(messages_console, reference, api_staff, api_changes, api_menus, api_offers, api_audit),
)

#: ``flask <group> <verb>``.
COMMANDS: tuple[click.Command, ...] = (
    *OPERATING,
    regions_group,
    *(services_group, rates_group, outlets_group, core_group, emergency_group, followers_group),
    menus_group,
)


def create_app(settings: config.Settings | None = None) -> Flask:
    """The whole program as one WSGI application, set up from the environment unless told how."""
    return assembly.assemble(
        settings or config.from_environment(config.HOME / ".env"),
        TABLES,
        blueprints=BLUEPRINTS,
        commands=COMMANDS,
    )
