"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "api_calls",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("path", sa.String(length=64), nullable=False),
        sa.Column("reserved", sa.Integer(), nullable=False),
        sa.Column("learned", sa.Integer(), nullable=True),
        sa.Column("spent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("day", "path", name=op.f("pk_api_calls")),
    )
    op.create_table(
        "branches",
        sa.Column("code", sa.String(length=8), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("short_name", sa.String(length=20), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("parent_code", sa.String(length=8), nullable=True),
        sa.Column("division", sa.String(length=6), nullable=True),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["parent_code"], ["branches.code"], name=op.f("fk_branches_parent_code_branches")
        ),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_branches")),
        sa.UniqueConstraint("short_name", name=op.f("uq_branches_short_name")),
    )
    op.create_table(
        "credentials",
        sa.Column("name", sa.String(length=96), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("renew_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_by", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_credentials")),
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=128), nullable=False),
        sa.Column("lane", sa.String(length=64), nullable=False),
        sa.Column("openid", sa.String(length=64), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claim", sa.String(length=32), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("last_failure", sa.String(length=400), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
        sa.UniqueConstraint("kind", "key", "state", name=op.f("uq_deliveries_kind_key_state")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.create_index(
            "ix_deliveries_next", ["state", "kind", "lane", "due_at", "id"], unique=False
        )
        batch_op.create_index("ix_deliveries_openid", ["openid"], unique=False)

    op.create_table(
        "departures",
        sa.Column("digest", sa.String(length=32), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_departures")),
    )
    with op.batch_alter_table("departures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_departures_left_at"), ["left_at"], unique=False)

    op.create_table(
        "epochs",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_epochs")),
    )
    op.create_table(
        "followers",
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("followed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place_withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("openid", name=op.f("pk_followers")),
    )
    op.create_table(
        "heartbeats",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_heartbeats")),
    )
    op.create_table(
        "intake_kept",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("fault", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("about", sa.String(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_kept")),
    )
    with op.batch_alter_table("intake_kept", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_intake_kept_about"), ["about"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_intake_kept_received_at"), ["received_at"], unique=False
        )

    op.create_table(
        "intake_nonces",
        sa.Column("signature", sa.String(length=40), nullable=False),
        sa.Column("body", sa.String(length=32), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("signature", name=op.f("pk_intake_nonces")),
    )
    with op.batch_alter_table("intake_nonces", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_intake_nonces_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "intake_receipts",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reply", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_intake_receipts")),
    )
    with op.batch_alter_table("intake_receipts", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_intake_receipts_taken_at"), ["taken_at"], unique=False)

    op.create_table(
        "lanes",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("claim", sa.String(length=32), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("why", sa.String(length=400), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_lanes")),
    )
    op.create_table(
        "menu_account",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wanted", sa.String(length=64), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ceiling", sa.Integer(), nullable=True),
        sa.Column("ceiling_learned_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_menu_account")),
    )
    op.create_table(
        "menu_offers",
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("branch", sa.String(length=16), nullable=False),
        sa.Column("wanted_tag_id", sa.Integer(), nullable=True),
        sa.Column("applied_tag_id", sa.Integer(), nullable=True),
        sa.Column("trying_tag_id", sa.Integer(), nullable=True),
        sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("openid", name=op.f("pk_menu_offers")),
    )
    with op.batch_alter_table("menu_offers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_menu_offers_branch_wanted_tag_id_applied_tag_id_trying_tag_id"),
            ["branch", "wanted_tag_id", "applied_tag_id", "trying_tag_id"],
            unique=False,
        )

    op.create_table(
        "menu_snapshots",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("menus", sa.JSON(), nullable=False),
        sa.Column("tags", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_menu_snapshots")),
    )
    op.create_table(
        "menu_variants",
        sa.Column("tag_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("tag_name", sa.String(length=30), nullable=False),
        sa.Column("menu_id", sa.String(length=32), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("buttons", sa.JSON(), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tag_id", name=op.f("pk_menu_variants")),
    )
    op.create_table(
        "rates",
        sa.Column("table", sa.String(length=16), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.Column("code", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("unit", sa.Integer(), nullable=False),
        sa.Column("buying", sa.String(length=24), nullable=True),
        sa.Column("cash_buying", sa.String(length=24), nullable=True),
        sa.Column("selling", sa.String(length=24), nullable=True),
        sa.Column("annual_percent", sa.String(length=24), nullable=True),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("table", "position", name=op.f("pk_rates")),
    )
    op.create_table(
        "branch_exceptions",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("within", sa.String(length=6), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("outline", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_code"],
            ["branches.code"],
            name=op.f("fk_branch_exceptions_branch_code_branches"),
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_branch_exceptions")),
    )
    op.create_table(
        "branch_territories",
        sa.Column("division_code", sa.String(length=6), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_code"],
            ["branches.code"],
            name=op.f("fk_branch_territories_branch_code_branches"),
        ),
        sa.PrimaryKeyConstraint("division_code", name=op.f("pk_branch_territories")),
    )
    op.create_table(
        "menu_reach",
        sa.Column("branch", sa.String(length=16), nullable=False),
        sa.Column("tag_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tag_id"], ["menu_variants.tag_id"], name=op.f("fk_menu_reach_tag_id_menu_variants")
        ),
        sa.PrimaryKeyConstraint("branch", name=op.f("pk_menu_reach")),
    )
    op.create_table(
        "outlets",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("division", sa.String(length=6), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("address", sa.String(length=200), nullable=False),
        sa.Column("phone", sa.String(length=32), nullable=False),
        sa.Column("lat", sa.Double(), nullable=False),
        sa.Column("lng", sa.Double(), nullable=False),
        sa.Column("hours", sa.String(length=200), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("synthetic", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_code"], ["branches.code"], name=op.f("fk_outlets_branch_code_branches")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outlets")),
    )
    with op.batch_alter_table("outlets", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outlets_branch_code"), ["branch_code"], unique=False)
        batch_op.create_index(batch_op.f("ix_outlets_division"), ["division"], unique=False)

    op.create_table(
        "presences",
        sa.Column("openid", sa.String(length=64), nullable=False),
        sa.Column("branch", sa.String(length=16), nullable=True),
        sa.Column("division", sa.String(length=6), nullable=True),
        sa.Column("cell_south", sa.SmallInteger(), nullable=True),
        sa.Column("cell_west", sa.SmallInteger(), nullable=True),
        sa.Column("source", sa.String(length=8), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("candidate", sa.String(length=16), nullable=True),
        sa.Column("candidate_division", sa.String(length=6), nullable=True),
        sa.Column("candidate_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["branch"], ["branches.code"], name=op.f("fk_presences_branch_branches")
        ),
        sa.ForeignKeyConstraint(
            ["openid"], ["followers.openid"], name=op.f("fk_presences_openid_followers")
        ),
        sa.PrimaryKeyConstraint("openid", name=op.f("pk_presences")),
    )
    with op.batch_alter_table("presences", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_presences_seen_at"), ["seen_at"], unique=False)

    op.create_table(
        "promotions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("divisions", sa.JSON(), nullable=False),
        sa.Column("title", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("url", sa.String(length=1024), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sort", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["branch_code"], ["branches.code"], name=op.f("fk_promotions_branch_code_branches")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotions")),
    )
    with op.batch_alter_table("promotions", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_promotions_branch_code"), ["branch_code"], unique=False
        )

    op.create_table(
        "zones",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=5), nullable=False),
        sa.Column("slogan", sa.String(length=40), nullable=False),
        sa.Column("branch_code", sa.String(length=8), nullable=False),
        sa.Column("services", sa.JSON(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["branch_code"], ["branches.code"], name=op.f("fk_zones_branch_code_branches")
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_zones")),
    )
    with op.batch_alter_table("zones", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_zones_branch_code"), ["branch_code"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("zones", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_zones_branch_code"))

    op.drop_table("zones")
    with op.batch_alter_table("promotions", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_promotions_branch_code"))

    op.drop_table("promotions")
    with op.batch_alter_table("presences", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_presences_seen_at"))

    op.drop_table("presences")
    with op.batch_alter_table("outlets", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_outlets_division"))
        batch_op.drop_index(batch_op.f("ix_outlets_branch_code"))

    op.drop_table("outlets")
    op.drop_table("menu_reach")
    op.drop_table("branch_territories")
    op.drop_table("branch_exceptions")
    op.drop_table("rates")
    op.drop_table("menu_variants")
    op.drop_table("menu_snapshots")
    with op.batch_alter_table("menu_offers", schema=None) as batch_op:
        batch_op.drop_index(
            batch_op.f("ix_menu_offers_branch_wanted_tag_id_applied_tag_id_trying_tag_id")
        )

    op.drop_table("menu_offers")
    op.drop_table("menu_account")
    op.drop_table("lanes")
    with op.batch_alter_table("intake_receipts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_intake_receipts_taken_at"))

    op.drop_table("intake_receipts")
    with op.batch_alter_table("intake_nonces", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_intake_nonces_seen_at"))

    op.drop_table("intake_nonces")
    with op.batch_alter_table("intake_kept", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_intake_kept_received_at"))
        batch_op.drop_index(batch_op.f("ix_intake_kept_about"))

    op.drop_table("intake_kept")
    op.drop_table("heartbeats")
    op.drop_table("followers")
    op.drop_table("epochs")
    with op.batch_alter_table("departures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_departures_left_at"))

    op.drop_table("departures")
    with op.batch_alter_table("deliveries", schema=None) as batch_op:
        batch_op.drop_index("ix_deliveries_openid")
        batch_op.drop_index("ix_deliveries_next")

    op.drop_table("deliveries")
    op.drop_table("credentials")
    op.drop_table("branches")
    op.drop_table("api_calls")
