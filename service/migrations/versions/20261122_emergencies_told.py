"""Emergencies told by several channels, audiences inside a part of a branch, accounts given anew."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_BELOW = (
    ("branches", "parent_code"),
    ("branch_territories", "branch_code"),
    ("branch_exceptions", "branch_code"),
)


def upgrade() -> None:
    op.create_table(
        "chat_offers",
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("openid", name=op.f("pk_chat_offers")),
    )
    with op.batch_alter_table("chat_offers", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_chat_offers_offered_at"), ["offered_at"], unique=False)

    op.create_table(
        "mass_months",
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("month", sa.String(length=7), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("openid", name=op.f("pk_mass_months")),
    )
    with op.batch_alter_table("mass_months", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mass_months_month"), ["month"], unique=False)

    op.create_table(
        "mass_reports",
        sa.Column("msg_id", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=32), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("filtered", sa.Integer(), nullable=False),
        sa.Column("sent", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("msg_id", name=op.f("pk_mass_reports")),
    )
    op.create_table(
        "staff_endings",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_staff_endings")),
    )
    op.create_table(
        "staff_resets",
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"],
            ["staff.id"],
            name=op.f("fk_staff_resets_staff_id_staff"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("staff_id", "what", name=op.f("pk_staff_resets")),
    )
    op.create_table(
        "emergency_batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("client_key", sa.String(length=32), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("msg_id", sa.String(length=32), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["emergency_runs.id"],
            name=op.f("fk_emergency_batches_run_id_emergency_runs"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_batches")),
        sa.UniqueConstraint("client_key", name=op.f("uq_emergency_batches_client_key")),
    )
    with op.batch_alter_table("emergency_batches", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_emergency_batches_run_id"), ["run_id"], unique=False)

    # Whom a telling reached already keeps them from being told again, so it is carried over.
    op.execute(
        "CREATE TABLE emergency_messages_kept AS "
        "SELECT r.emergency_id, r.event, m.openid, m.run_id, m.state, m.at "
        "FROM emergency_messages m JOIN emergency_runs r ON r.id = m.run_id"
    )
    op.drop_table("emergency_messages")
    op.create_table(
        "emergency_messages",
        sa.Column("emergency_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(length=8), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("batch_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"],
            ["emergency_batches.id"],
            name=op.f("fk_emergency_messages_batch_id_emergency_batches"),
        ),
        sa.ForeignKeyConstraint(
            ["emergency_id"],
            ["emergencies.id"],
            name=op.f("fk_emergency_messages_emergency_id_emergencies"),
        ),
        sa.ForeignKeyConstraint(
            ["run_id"],
            ["emergency_runs.id"],
            name=op.f("fk_emergency_messages_run_id_emergency_runs"),
        ),
        sa.PrimaryKeyConstraint(
            "emergency_id", "event", "openid", name=op.f("pk_emergency_messages")
        ),
    )
    with op.batch_alter_table("emergency_messages", schema=None) as batch_op:
        for column in ("batch_id", "openid", "run_id"):
            batch_op.create_index(
                batch_op.f(f"ix_emergency_messages_{column}"), [column], unique=False
            )
        batch_op.create_index(
            "ix_emergency_messages_sending",
            ["run_id"],
            unique=False,
            sqlite_where=sa.text("state = 'sending'"),
            postgresql_where=sa.text("state = 'sending'"),
        )
    op.execute(
        "INSERT INTO emergency_messages (emergency_id, event, openid, run_id, state, at) "
        "SELECT emergency_id, event, openid, run_id, state, at FROM emergency_messages_kept"
    )
    op.drop_table("emergency_messages_kept")

    with op.batch_alter_table("emergency_runs", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("channel", sa.String(length=8), server_default="service", nullable=False)
        )
        batch_op.add_column(sa.Column("reasons", sa.JSON(), server_default="{}", nullable=False))
        batch_op.add_column(sa.Column("version", sa.Integer(), server_default="1", nullable=False))
        batch_op.add_column(
            sa.Column("last_openid", sa.String(length=64), server_default="", nullable=False)
        )
        batch_op.drop_constraint(batch_op.f("uq_emergency_runs_emergency_id_event"), type_="unique")
        batch_op.create_unique_constraint(
            batch_op.f("uq_emergency_runs_emergency_id_event_channel"),
            ["emergency_id", "event", "channel"],
        )

    # Which version an older run told of was not written down: the one that is in force now.
    op.execute(
        "UPDATE emergency_runs SET version = COALESCE("
        "(SELECT e.live FROM emergencies e WHERE e.id = emergency_runs.emergency_id), 1)"
    )

    with op.batch_alter_table("presences", schema=None) as batch_op:
        batch_op.drop_index("ix_presences_division_cell_south_cell_west")
        batch_op.create_index(
            "ix_presences_division_cell_south_cell_west_openid",
            ["division", "cell_south", "cell_west", "openid"],
            unique=False,
        )

    with op.batch_alter_table("menu_offers", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("inside", sa.String(length=8), server_default="", nullable=False)
        )
        batch_op.drop_index(
            batch_op.f("ix_menu_offers_branch_wanted_tag_id_applied_tag_id_trying_tag_id")
        )
        batch_op.create_index(
            "ix_menu_offers_audience",
            ["branch", "inside", "wanted_tag_id", "applied_tag_id", "trying_tag_id"],
            unique=False,
        )

    # What stands below a branch is looked for whenever one is taken away.
    for table, column in _BELOW:
        op.create_index(f"ix_{table}_{column}", table, [column], unique=False)


def downgrade() -> None:
    for table, column in _BELOW:
        op.drop_index(f"ix_{table}_{column}", table_name=table)

    with op.batch_alter_table("menu_offers", schema=None) as batch_op:
        batch_op.drop_index("ix_menu_offers_audience")
        batch_op.create_index(
            batch_op.f("ix_menu_offers_branch_wanted_tag_id_applied_tag_id_trying_tag_id"),
            ["branch", "wanted_tag_id", "applied_tag_id", "trying_tag_id"],
            unique=False,
        )
        batch_op.drop_column("inside")

    with op.batch_alter_table("presences", schema=None) as batch_op:
        batch_op.drop_index("ix_presences_division_cell_south_cell_west_openid")
        batch_op.create_index(
            "ix_presences_division_cell_south_cell_west",
            ["division", "cell_south", "cell_west"],
            unique=False,
        )

    # What the older program cannot say, the channel and the mass messages, is left behind.
    op.execute(
        "CREATE TABLE emergency_messages_kept AS "
        "SELECT m.run_id, m.openid, m.state, m.at FROM emergency_messages m"
    )
    op.drop_table("emergency_messages")
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
    op.execute(
        "INSERT INTO emergency_messages (run_id, openid, state, why, at) "
        "SELECT run_id, openid, state, '', at FROM emergency_messages_kept"
    )
    op.drop_table("emergency_messages_kept")

    with op.batch_alter_table("emergency_batches", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_emergency_batches_run_id"))

    op.drop_table("emergency_batches")
    others = "SELECT id FROM emergency_runs WHERE channel <> 'service'"
    op.execute(f"DELETE FROM emergency_messages WHERE run_id IN ({others})")
    op.execute("DELETE FROM emergency_runs WHERE channel <> 'service'")
    with op.batch_alter_table("emergency_runs", schema=None) as batch_op:
        batch_op.drop_constraint(
            batch_op.f("uq_emergency_runs_emergency_id_event_channel"), type_="unique"
        )
        batch_op.create_unique_constraint(
            batch_op.f("uq_emergency_runs_emergency_id_event"), ["emergency_id", "event"]
        )
        batch_op.drop_column("last_openid")
        batch_op.drop_column("version")
        batch_op.drop_column("reasons")
        batch_op.drop_column("channel")

    op.drop_table("staff_resets")
    op.drop_table("staff_endings")
    op.drop_table("mass_reports")
    with op.batch_alter_table("mass_months", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mass_months_month"))

    op.drop_table("mass_months")
    with op.batch_alter_table("chat_offers", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_chat_offers_offered_at"))

    op.drop_table("chat_offers")
