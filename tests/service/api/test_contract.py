"""What the document promises is kept, whatever is asked: generated requests of every operation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import APIOperation

from tests.service.api.programs import HERE, Bank, Program

QUICK: Final = settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
load_all_checks()
#: No fault of ours; no status, type, header or shape that the document does not name.
KEPT: Final = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    )
]
#: Names of things that are there, so that requests come further than the door.
THERE: Final = {"code": "B440000", "kind": "zone", "key": "-", "number": 1}


@pytest.fixture(scope="module")
def busy(premises: Bank) -> Iterator[Bank]:
    """The bank with a version in each state of the way."""
    premises.clear()
    editor, checker = premises.program("gd.editor"), premises.program("gd.checker")
    for slogan in ("一", "二"):
        draft = editor.post(f"{HERE}/drafts")
        zone = {**draft["content"]["zone"], "slogan": slogan}
        saved = editor.write(draft["id"], {"zone": zone}).json
        proposed = editor.post(
            f"/versions/{saved['id']}/propose", {"why": "试", "hash": saved["hash"]}
        )
        checker.post(f"/versions/{saved['id']}/approve", {"seal": proposed["seal"]})
    THERE["number"] = editor.post(f"{HERE}/drafts")["id"]
    yield premises
    premises.clear()


def operations(bank: Bank) -> Iterator[APIOperation[Any, Any, Any, Any]]:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", bank.app)
    for found in schema.get_all_operations():
        yield found.ok()


def examine(operation: APIOperation[Any, Any, Any, Any], program: Program) -> int:
    """Send generated requests, sound and broken ones; how many were sent."""
    sent = 0
    cases = st.one_of(
        operation.as_strategy(generation_mode=mode)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    )

    @QUICK
    @given(cases, st.booleans())
    def ask(case: Any, is_there: bool) -> None:
        nonlocal sent
        if is_there and case.path_parameters:
            case.path_parameters = {name: THERE[name] for name in case.path_parameters}
        headers = {"Authorization": f"Bearer {program.token}"}
        answer = case.call(headers=headers)
        # Nobody answers for WeChat here, and the plan says so.
        is_away = operation.path.endswith("/menu-plan") and answer.status_code == 503
        case.validate_response(answer, checks=KEPT[1:] if is_away else KEPT)
        sent += 1

    ask()
    return sent


@pytest.mark.parametrize("login", ["gd.editor", "ops.wang"])
def test_every_operation_keeps_what_the_document_promises(busy: Bank, login: str) -> None:
    program = busy.program(login)
    found = list(operations(busy))
    assert len(found) >= 20
    assert sum(examine(operation, program) for operation in found) >= 5 * len(found)


def test_the_document_names_every_operation_there_is(busy: Bank) -> None:
    told = {(one.method.upper(), one.path) for one in operations(busy)}
    there = {
        (method, str(rule).replace("<int:", "{").replace("<", "{").replace(">", "}"))
        for rule in busy.app.url_map.iter_rules()
        if rule.endpoint.startswith("api_") and str(rule).startswith("/api/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    there.discard(("GET", "/api/v1/openapi.json"))
    assert told == there
