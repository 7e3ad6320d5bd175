"""Zones as reviewed editions, staff and audit, light services by the hundred."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

#: By these the database itself refuses to change the past of the audit chain.
_SQLITE = (
    "CREATE TRIGGER IF NOT EXISTS audit_entries_stay BEFORE UPDATE ON audit_entries "
    "BEGIN SELECT RAISE(ABORT, 'audit entries are append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_entries_remain BEFORE DELETE ON audit_entries "
    "BEGIN SELECT RAISE(ABORT, 'audit entries are append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_head_advances BEFORE UPDATE ON audit_head "
    "WHEN NEW.seq <> OLD.seq + 1 OR NEW.id <> OLD.id "
    "BEGIN SELECT RAISE(ABORT, 'audit entries are append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_head_remains BEFORE DELETE ON audit_head "
    "BEGIN SELECT RAISE(ABORT, 'audit entries are append-only'); END",
)
_POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'audit entries are append-only' "
    "USING ERRCODE = 'restrict_violation'; END $$",
    "CREATE OR REPLACE TRIGGER audit_entries_stay BEFORE UPDATE OR DELETE ON audit_entries "
    "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_entries_remain BEFORE TRUNCATE ON audit_entries "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_head_advances BEFORE UPDATE ON audit_head FOR EACH ROW "
    "WHEN (NEW.seq <> OLD.seq + 1 OR NEW.id <> OLD.id) EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE TRIGGER audit_head_remains BEFORE DELETE ON audit_head "
    "FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
)


def upgrade() -> None:
    op.create_table(
        "approval_documents",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("branch_code", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("live", sa.Integer(), nullable=True),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_documents")),
        sa.UniqueConstraint(
            "kind", "branch_code", "key", name=op.f("uq_approval_documents_kind_branch_code_key")
        ),
    )
    with op.batch_alter_table("approval_documents", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_approval_documents_branch_code"), ["branch_code"], unique=False
        )

    op.create_table(
        "audit_entries",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("act", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=160), nullable=False),
        sa.Column("branch", sa.String(length=16), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.Column("after", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("previous", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit_entries")),
    )
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_audit_entries_act"), ["act"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entries_actor"), ["actor"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entries_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entries_branch"), ["branch"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entries_subject"), ["subject"], unique=False)

    op.create_table(
        "binding_attempts",
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("phone_digest", sa.String(length=64), nullable=False),
        sa.Column("consent_version", sa.String(length=32), nullable=False),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("openid", name=op.f("pk_binding_attempts")),
    )
    with op.batch_alter_table("binding_attempts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_binding_attempts_ends_at"), ["ends_at"], unique=False)

    op.create_table(
        "binding_limits",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_binding_limits")),
    )
    with op.batch_alter_table("binding_limits", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_binding_limits_since"), ["since"], unique=False)

    op.create_table(
        "bindings",
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("phone_digest", sa.String(length=64), nullable=False),
        sa.Column("consent_version", sa.String(length=32), nullable=False),
        sa.Column("consent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("openid", name=op.f("pk_bindings")),
    )
    with op.batch_alter_table("bindings", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_bindings_phone_digest"), ["phone_digest"], unique=False
        )

    op.create_table(
        "conversations",
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("heard_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("waits", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("openid", name=op.f("pk_conversations")),
    )
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_conversations_heard_at"), ["heard_at"], unique=False)

    op.create_table(
        "emergencies",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("broke_glass", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("next", sa.Integer(), nullable=False),
        sa.Column("live", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=False),
        sa.Column("warned", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergencies")),
        sa.UniqueConstraint("key", name=op.f("uq_emergencies_key")),
    )
    with op.batch_alter_table("emergencies", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_emergencies_state"), ["state"], unique=False)

    op.create_table(
        "emergency_plans",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("edited_by", sa.String(length=64), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_emergency_plans")),
    )
    op.create_table(
        "feedback_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("page", sa.String(length=40), nullable=False),
        sa.Column("answer", sa.String(length=4), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "day", "branch_code", "page", "answer", name=op.f("pk_feedback_counts")
        ),
    )
    op.create_table(
        "follower_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "branch_code", name=op.f("pk_follower_counts")),
    )
    op.create_table(
        "follower_tags",
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("tag", sa.String(length=24), nullable=False),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.PrimaryKeyConstraint("openid", "tag", "source", name=op.f("pk_follower_tags")),
    )
    op.create_table(
        "follower_tastes",
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("scenario", sa.String(length=24), nullable=False),
        sa.Column("weight", sa.Float(), nullable=False),
        sa.Column("stamped", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("openid", "scenario", name=op.f("pk_follower_tastes")),
    )
    with op.batch_alter_table("follower_tastes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_follower_tastes_stamped"), ["stamped"], unique=False)

    op.create_table(
        "follower_words",
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.Column("version", sa.String(length=16), nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("openid", name=op.f("pk_follower_words")),
    )
    op.create_table(
        "menu_frames",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_menu_frames")),
    )
    op.create_table(
        "menu_given",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("menu_id", sa.String(length=32), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_menu_given")),
    )
    op.create_table(
        "service_opens",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "branch_code", "service", name=op.f("pk_service_opens")),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("email", sa.String(length=120), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("password_hash", sa.String(length=160), nullable=True),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.Column("totp_sealed", sa.Text(), nullable=True),
        sa.Column("totp_step", sa.Integer(), nullable=False),
        sa.Column("oidc_subject", sa.String(length=255), nullable=True),
        sa.Column("is_demo", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("signed_in_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff")),
        sa.UniqueConstraint("login", name=op.f("uq_staff_login")),
        sa.UniqueConstraint("oidc_subject", name=op.f("uq_staff_oidc_subject")),
    )
    op.create_table(
        "staff_sso_attempts",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_staff_sso_attempts")),
    )
    op.create_table(
        "staff_throttles",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("strikes", sa.Integer(), nullable=False),
        sa.Column("free_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_staff_throttles")),
    )
    op.create_table(
        "tap_counts",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("button", sa.String(length=64), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "branch_code", "button", name=op.f("pk_tap_counts")),
    )
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_on", sa.Date(), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_api_tokens_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_tokens")),
        sa.UniqueConstraint("digest", name=op.f("uq_api_tokens_digest")),
    )
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_api_tokens_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "approval_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("document_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("base", sa.Integer(), nullable=True),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("maker_id", sa.Integer(), nullable=True),
        sa.Column("maker", sa.String(length=64), nullable=False),
        sa.Column("editors", sa.JSON(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reviewer_id", sa.Integer(), nullable=True),
        sa.Column("reviewer", sa.String(length=64), nullable=False),
        sa.Column("reviewer_login", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("edited_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("live_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=False),
        sa.Column("restores", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["approval_documents.id"],
            name=op.f("fk_approval_versions_document_id_approval_documents"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approval_versions")),
        sa.UniqueConstraint(
            "document_id", "number", name=op.f("uq_approval_versions_document_id_number")
        ),
    )
    with op.batch_alter_table("approval_versions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_approval_versions_maker_id"), ["maker_id"], unique=False
        )
        batch_op.create_index("ix_approval_versions_state", ["state", "scheduled_at"], unique=False)
        batch_op.create_index(
            "uq_approval_versions_live",
            ["document_id"],
            unique=True,
            sqlite_where=sa.text("state = 'live'"),
            postgresql_where=sa.text("state = 'live'"),
        )

    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    op.create_table(
        "emergency_reviews",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("emergency_id", sa.Integer(), nullable=False),
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewer_id", sa.Integer(), nullable=True),
        sa.Column("reviewer", sa.String(length=64), nullable=False),
        sa.Column("justified", sa.Boolean(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["emergency_id"],
            ["emergencies.id"],
            name=op.f("fk_emergency_reviews_emergency_id_emergencies"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_reviews")),
        sa.UniqueConstraint("emergency_id", name=op.f("uq_emergency_reviews_emergency_id")),
    )
    with op.batch_alter_table("emergency_reviews", schema=None) as batch_op:
        batch_op.create_index(
            "uq_emergency_reviews_owed",
            ["person_id", "drill"],
            unique=True,
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )

    op.create_table(
        "emergency_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("emergency_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("started_by", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=64), nullable=False),
        sa.Column("estimate", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("unsure", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["emergency_id"],
            ["emergencies.id"],
            name=op.f("fk_emergency_runs_emergency_id_emergencies"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_runs")),
        sa.UniqueConstraint(
            "emergency_id", "event", name=op.f("uq_emergency_runs_emergency_id_event")
        ),
    )
    op.create_table(
        "emergency_versions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("emergency_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("stage", sa.String(length=10), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("seal", sa.String(length=64), nullable=False),
        sa.Column("hours", sa.Integer(), nullable=True),
        sa.Column("branches", sa.JSON(), nullable=False),
        sa.Column("covered", sa.JSON(), nullable=False),
        sa.Column("certain", sa.Integer(), nullable=False),
        sa.Column("likely", sa.Integer(), nullable=False),
        sa.Column("unknown", sa.Integer(), nullable=False),
        sa.Column("maker_id", sa.Integer(), nullable=False),
        sa.Column("maker", sa.String(length=64), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decider_id", sa.Integer(), nullable=True),
        sa.Column("decider", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["emergency_id"],
            ["emergencies.id"],
            name=op.f("fk_emergency_versions_emergency_id_emergencies"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_versions")),
        sa.UniqueConstraint(
            "emergency_id", "number", name=op.f("uq_emergency_versions_emergency_id_number")
        ),
    )
    with op.batch_alter_table("emergency_versions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_emergency_versions_emergency_id"), ["emergency_id"], unique=False
        )
        batch_op.create_index(
            "uq_emergency_versions_live",
            ["emergency_id"],
            unique=True,
            sqlite_where=sa.text("stage = 'live'"),
            postgresql_where=sa.text("stage = 'live'"),
        )
        batch_op.create_index(
            "uq_emergency_versions_proposed",
            ["emergency_id"],
            unique=True,
            sqlite_where=sa.text("stage = 'proposed'"),
            postgresql_where=sa.text("stage = 'proposed'"),
        )

    op.create_table(
        "local_people",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("outlet_id", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("title", sa.String(length=20), nullable=False),
        sa.Column("url", sa.String(length=512), nullable=False),
        sa.Column("picture", sa.Text(), nullable=False),
        sa.Column("hours", sa.String(length=200), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_code"], ["branches.code"], name=op.f("fk_local_people_branch_code_branches")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_local_people")),
    )
    with op.batch_alter_table("local_people", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_local_people_branch_code"), ["branch_code"], unique=False
        )

    op.create_table(
        "menu_fills",
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("slot", sa.String(length=40), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_code"],
            ["branches.code"],
            name=op.f("fk_menu_fills_branch_code_branches"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("branch_code", "slot", name=op.f("pk_menu_fills")),
    )
    op.create_table(
        "outlet_uploads",
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_code"], ["branches.code"], name=op.f("fk_outlet_uploads_branch_code_branches")
        ),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_outlet_uploads")),
    )
    with op.batch_alter_table("outlet_uploads", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outlet_uploads_added_at"), ["added_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_outlet_uploads_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "own_services",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_code"], ["branches.code"], name=op.f("fk_own_services_branch_code_branches")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_own_services")),
    )
    with op.batch_alter_table("own_services", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_own_services_branch_code"), ["branch_code"], unique=False
        )

    op.create_table(
        "pictures",
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("media_type", sa.String(length=16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_code"], ["branches.code"], name=op.f("fk_pictures_branch_code_branches")
        ),
        sa.PrimaryKeyConstraint("digest", "branch_code", name=op.f("pk_pictures")),
    )
    op.create_table(
        "staff_grants",
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_staff_grants_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("staff_id", "branch_code", "role", name=op.f("pk_staff_grants")),
    )
    op.create_table(
        "staff_recovery_codes",
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_staff_recovery_codes_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("staff_id", "digest", name=op.f("pk_staff_recovery_codes")),
    )
    op.create_table(
        "staff_sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("pending", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_staff_sessions_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_staff_sessions")),
    )
    with op.batch_alter_table("staff_sessions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_staff_sessions_staff_id"), ["staff_id"], unique=False)

    op.create_table(
        "tickets",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=16), nullable=False),
        sa.Column("token", sa.String(length=64), nullable=False),
        sa.Column("category", sa.String(length=24), nullable=False),
        sa.Column("service", sa.String(length=40), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("phone_digest", sa.String(length=64), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["branch_code"], ["branches.code"], name=op.f("fk_tickets_branch_code_branches")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("number", name=op.f("uq_tickets_number")),
        sa.UniqueConstraint("token", name=op.f("uq_tickets_token")),
    )
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.create_index("ix_tickets_answered", ["answered_at"], unique=False)
        batch_op.create_index("ix_tickets_desk", ["branch_code", "state", "due_at"], unique=False)
        batch_op.create_index("ix_tickets_due", ["state", "due_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_openid"), ["openid"], unique=False)
        batch_op.create_index(batch_op.f("ix_tickets_phone_digest"), ["phone_digest"], unique=False)

    op.create_table(
        "emergency_messages",
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["emergency_runs.id"],
            name=op.f("fk_emergency_messages_run_id_emergency_runs"),
        ),
        sa.PrimaryKeyConstraint("run_id", "openid", name=op.f("pk_emergency_messages")),
    )
    with op.batch_alter_table("emergency_messages", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_emergency_messages_openid"), ["openid"], unique=False)

    op.create_table(
        "ticket_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("ticket_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("act", sa.String(length=12), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("reach", sa.String(length=10), nullable=False),
        sa.Column("why", sa.String(length=80), nullable=False),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_ticket_events_ticket_id_tickets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket_events")),
    )
    with op.batch_alter_table("ticket_events", schema=None) as batch_op:
        batch_op.create_index("ix_ticket_events_reach", ["reach"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_events_ticket_id"), ["ticket_id"], unique=False)

    with op.batch_alter_table("menu_account", schema=None) as batch_op:
        batch_op.add_column(sa.Column("default_digest", sa.String(length=64), nullable=True))
        batch_op.add_column(
            sa.Column("sent_digests", sa.JSON(), server_default="[]", nullable=False)
        )
        batch_op.add_column(sa.Column("by_hand_digest", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("drift", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("accepted", sa.JSON(), server_default="[]", nullable=False))
        batch_op.add_column(sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("held_snapshot", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("held_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("moving", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("moving_since", sa.DateTime(timezone=True), nullable=True))
        batch_op.alter_column(
            "requested_at", existing_type=sa.DateTime(timezone=True), nullable=True
        )

    with op.batch_alter_table("menu_snapshots", schema=None) as batch_op:
        batch_op.add_column(sa.Column("current", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("reach", sa.JSON(), server_default="{}", nullable=False))

    with op.batch_alter_table("menu_variants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("next_name", sa.String(length=30), nullable=True))
        batch_op.add_column(
            sa.Column("is_ending", sa.Boolean(), server_default=sa.false(), nullable=False)
        )
        batch_op.drop_column("digest")
        batch_op.drop_column("menu_id")
        batch_op.drop_column("buttons")
        batch_op.drop_column("published_at")

    with op.batch_alter_table("outlets", schema=None) as batch_op:
        batch_op.add_column(sa.Column("accessible", sa.JSON(), server_default="[]", nullable=False))

    with op.batch_alter_table("presences", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_presences_division_cell_south_cell_west"),
            ["division", "cell_south", "cell_west"],
            unique=False,
        )

    with op.batch_alter_table("promotions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("area", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("audience", sa.JSON(), nullable=True))
        batch_op.add_column(
            sa.Column("picture", sa.String(length=32), server_default="", nullable=False)
        )
        batch_op.add_column(
            sa.Column("picture_says", sa.String(length=40), server_default="", nullable=False)
        )
        batch_op.add_column(sa.Column("topics", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("name", sa.String(length=24), nullable=True))
        batch_op.create_unique_constraint(
            batch_op.f("uq_promotions_branch_code_name"), ["branch_code", "name"]
        )

    with op.batch_alter_table("zones", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("kind", sa.String(length=10), server_default="local", nullable=False)
        )
        batch_op.add_column(sa.Column("reach", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("blocks", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("switched_off", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("gather", sa.JSON(), nullable=True))
        batch_op.alter_column(
            "title",
            existing_type=sa.String(length=5),
            type_=sa.String(length=20),
            existing_nullable=False,
        )

    is_postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in _POSTGRESQL if is_postgresql else _SQLITE:
        op.execute(statement)


def downgrade() -> None:
    with op.batch_alter_table("zones", schema=None) as batch_op:
        batch_op.alter_column(
            "title",
            existing_type=sa.String(length=20),
            type_=sa.String(length=5),
            existing_nullable=False,
        )
        batch_op.drop_column("gather")
        batch_op.drop_column("switched_off")
        batch_op.drop_column("blocks")
        batch_op.drop_column("reach")
        batch_op.drop_column("kind")

    with op.batch_alter_table("promotions", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_promotions_branch_code_name"), type_="unique")
        batch_op.drop_column("name")
        batch_op.drop_column("topics")
        batch_op.drop_column("picture_says")
        batch_op.drop_column("picture")
        batch_op.drop_column("audience")
        batch_op.drop_column("area")

    with op.batch_alter_table("presences", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_presences_division_cell_south_cell_west"))

    with op.batch_alter_table("outlets", schema=None) as batch_op:
        batch_op.drop_column("accessible")

    with op.batch_alter_table("menu_variants", schema=None) as batch_op:
        batch_op.add_column(sa.Column("published_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("buttons", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("menu_id", sa.String(length=32), nullable=True))
        batch_op.add_column(sa.Column("digest", sa.String(length=64), nullable=True))
        batch_op.drop_column("is_ending")
        batch_op.drop_column("next_name")

    with op.batch_alter_table("menu_snapshots", schema=None) as batch_op:
        batch_op.drop_column("reach")
        batch_op.drop_column("current")

    with op.batch_alter_table("menu_account", schema=None) as batch_op:
        batch_op.alter_column(
            "requested_at", existing_type=sa.DateTime(timezone=True), nullable=False
        )
        batch_op.drop_column("moving_since")
        batch_op.drop_column("moving")
        batch_op.drop_column("held_at")
        batch_op.drop_column("held_snapshot")
        batch_op.drop_column("looked_at")
        batch_op.drop_column("accepted")
        batch_op.drop_column("drift")
        batch_op.drop_column("by_hand_digest")
        batch_op.drop_column("sent_digests")
        batch_op.drop_column("default_digest")

    with op.batch_alter_table("ticket_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_events_ticket_id"))
        batch_op.drop_index("ix_ticket_events_reach")

    op.drop_table("ticket_events")
    with op.batch_alter_table("emergency_messages", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_emergency_messages_openid"))

    op.drop_table("emergency_messages")
    with op.batch_alter_table("tickets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tickets_phone_digest"))
        batch_op.drop_index(batch_op.f("ix_tickets_openid"))
        batch_op.drop_index("ix_tickets_due")
        batch_op.drop_index("ix_tickets_desk")
        batch_op.drop_index("ix_tickets_answered")

    op.drop_table("tickets")
    with op.batch_alter_table("staff_sessions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_staff_sessions_staff_id"))

    op.drop_table("staff_sessions")
    op.drop_table("staff_recovery_codes")
    op.drop_table("staff_grants")
    op.drop_table("pictures")
    with op.batch_alter_table("own_services", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_own_services_branch_code"))

    op.drop_table("own_services")
    with op.batch_alter_table("outlet_uploads", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outlet_uploads_staff_id"))
        batch_op.drop_index(batch_op.f("ix_outlet_uploads_added_at"))

    op.drop_table("outlet_uploads")
    op.drop_table("menu_fills")
    with op.batch_alter_table("local_people", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_local_people_branch_code"))

    op.drop_table("local_people")
    with op.batch_alter_table("emergency_versions", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_emergency_versions_proposed",
            sqlite_where=sa.text("stage = 'proposed'"),
            postgresql_where=sa.text("stage = 'proposed'"),
        )
        batch_op.drop_index(
            "uq_emergency_versions_live",
            sqlite_where=sa.text("stage = 'live'"),
            postgresql_where=sa.text("stage = 'live'"),
        )
        batch_op.drop_index(batch_op.f("ix_emergency_versions_emergency_id"))

    op.drop_table("emergency_versions")
    op.drop_table("emergency_runs")
    with op.batch_alter_table("emergency_reviews", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_emergency_reviews_owed",
            sqlite_where=sa.text("done_at IS NULL"),
            postgresql_where=sa.text("done_at IS NULL"),
        )

    op.drop_table("emergency_reviews")
    op.drop_table("audit_head")
    with op.batch_alter_table("approval_versions", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_approval_versions_live",
            sqlite_where=sa.text("state = 'live'"),
            postgresql_where=sa.text("state = 'live'"),
        )
        batch_op.drop_index("ix_approval_versions_state")
        batch_op.drop_index(batch_op.f("ix_approval_versions_maker_id"))

    op.drop_table("approval_versions")
    with op.batch_alter_table("api_tokens", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_api_tokens_staff_id"))

    op.drop_table("api_tokens")
    op.drop_table("tap_counts")
    op.drop_table("staff_throttles")
    op.drop_table("staff_sso_attempts")
    op.drop_table("staff")
    op.drop_table("service_opens")
    op.drop_table("menu_given")
    op.drop_table("menu_frames")
    op.drop_table("follower_words")
    with op.batch_alter_table("follower_tastes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_follower_tastes_stamped"))

    op.drop_table("follower_tastes")
    op.drop_table("follower_tags")
    op.drop_table("follower_counts")
    op.drop_table("feedback_counts")
    op.drop_table("emergency_plans")
    with op.batch_alter_table("emergencies", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_emergencies_state"))

    op.drop_table("emergencies")
    with op.batch_alter_table("conversations", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_conversations_heard_at"))

    op.drop_table("conversations")
    with op.batch_alter_table("bindings", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bindings_phone_digest"))

    op.drop_table("bindings")
    with op.batch_alter_table("binding_limits", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_binding_limits_since"))

    op.drop_table("binding_limits")
    with op.batch_alter_table("binding_attempts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_binding_attempts_ends_at"))

    op.drop_table("binding_attempts")
    with op.batch_alter_table("audit_entries", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_audit_entries_subject"))
        batch_op.drop_index(batch_op.f("ix_audit_entries_branch"))
        batch_op.drop_index(batch_op.f("ix_audit_entries_at"))
        batch_op.drop_index(batch_op.f("ix_audit_entries_actor"))
        batch_op.drop_index(batch_op.f("ix_audit_entries_act"))

    op.drop_table("audit_entries")
    with op.batch_alter_table("approval_documents", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_approval_documents_branch_code"))

    op.drop_table("approval_documents")

    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION IF EXISTS audit_refuse() CASCADE")
