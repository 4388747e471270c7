"""The thirty tables of the site, and what fills them."""

from dataclasses import dataclass

KEYS = {
    "bigint": ("BigAutoField(primary_key=True)", "{n}"),
    "uuid": (
        "UUIDField(primary_key=True, default=uuid.uuid4)",
        "('00000000-0000-4000-8000-' || lpad(to_hex({n}), 12, '0'))::uuid",
    ),
    "text": ("CharField(max_length=40, primary_key=True)", "md5('row ' || {n})"),
}


@dataclass(frozen=True)
class Table:
    """One model: where it is, how many of a thousand rows it holds, its key, its parent."""

    app: str
    model: str
    share: float = 1
    key: str = "bigint"
    parent: str = ""
    on_delete: str = "CASCADE"

    @property
    def name(self) -> str:
        return f"{self.app}_{self.model.lower()}"


TABLES = [
    Table("accounts", "Token", 200),
    Table("accounts", "Session", 200, "text"),
    Table("accounts", "Invitation", 5, "uuid"),
    Table("accounts", "Passcode", 100),
    Table("accounts", "Device"),
    Table("accounts", "DeviceSetting", parent="Device"),
    Table("accounts", "Consent"),
    Table("accounts", "Address"),
    Table("accounts", "Bounce", 20),
    Table("accounts", "Login", 50),
    Table("shop", "Cart", 100),
    Table("shop", "CartItem", 100, parent="Cart"),
    Table("shop", "Coupon", 5, "text"),
    Table("shop", "Draft", 50, "uuid"),
    Table("shop", "DraftPicture", 20, "uuid", "Draft"),
    Table("shop", "Product", 5),
    Table("shop", "Price", 5, parent="Product"),
    Table("shop", "Stock", 5, parent="Product", on_delete="PROTECT"),
    Table("shop", "Review", 5, parent="Product", on_delete="SET_NULL"),
    Table("shop", "Wish", 5),
    Table("desk", "AuditLog", 60),
    Table("desk", "Export", 5, "uuid"),
    Table("desk", "Job", 20),
    Table("desk", "JobStep", 20, parent="Job"),
    Table("desk", "Mail", 10),
    Table("desk", "Ticket", 2),
    Table("desk", "Reply", 2, parent="Ticket"),
    Table("desk", "Report", 2),
    Table("desk", "Search", 2),
    Table("desk", "Setting", 1),
]


def model_text(table: Table) -> str:
    """The model class, as its owner would have written it."""
    key, _ = KEYS[table.key]
    lines = [
        f"class {table.model}(models.Model):",
        f"    id = models.{key}",
        "    name = models.CharField(max_length=60)",
        "    state = models.CharField(max_length=10, default='draft')",
        "    created_at = models.DateTimeField(auto_now_add=True)",
        "    expires_at = models.DateTimeField(null=True)",
    ]
    if table.parent:
        lines.append(
            f"    parent = models.ForeignKey({table.parent!r}, models.{table.on_delete}, null=True)"
        )
    return "\n".join(lines)


def fill(table: Table, rows: int) -> tuple[str, int]:
    """SQL that fills the table, and with how many rows: one in twenty is past its end."""
    count = max(10, int(rows * table.share / sum(each.share for each in TABLES)))
    key = KEYS[table.key][1].format(n="n")
    columns, parent = "id, name, state, created_at, expires_at", ""
    if table.parent:
        above = next(t for t in TABLES if (t.app, t.model) == (table.app, table.parent))
        most = max(10, int(rows * above.share / sum(each.share for each in TABLES)))
        columns += ", parent_id"
        parent = ", " + KEYS[above.key][1].format(n=f"(1 + n % {most})")
    return (
        f"INSERT INTO {table.name} ({columns})"
        f" SELECT {key}, 'name ' || n, CASE WHEN n % 3 = 0 THEN 'done' ELSE 'draft' END,"
        " now() - random() * interval '380 days',"
        f" now() + (random() - 0.05) * interval '200 days'{parent}"
        f" FROM generate_series(1, {count}) AS n",
        count,
    )
