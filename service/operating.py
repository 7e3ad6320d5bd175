"""The commands that run, watch and look after the program itself, for the table in ``wsgi.py``."""

from __future__ import annotations

from typing import Final

import click

from service.audit.commands import audit_group
from service.delivery.commands import worker_group
from service.demo import demo
from service.doctor import doctor
from service.sandbox.commands import sandbox_group
from service.staff.commands import staff_group
from service.webhook.commands import intake_group

OPERATING: Final[tuple[click.Command, ...]] = (
    *(doctor, demo, worker_group, intake_group, sandbox_group),
    *(staff_group, audit_group),
)
