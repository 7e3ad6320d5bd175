"""What a zone's landing page is made of: blocks in an order, each of one of five kinds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load, validate

from lightservices import rich_text
from lightservices.links import fault_of
from service import wording
from service.wording import FAULTS, Part, phrase

MOST_BLOCKS: Final = 12
MOST_TILES: Final = 12
MOST_TEXT: Final = 2_000
#: Pictures are named by the digest of their bytes.
PICTURE: Final = r"^[0-9a-f]{32}$"


class BlockKind(StrEnum):
    """What a block shows; its value is how it is written down."""

    BANNER = "banner"
    SERVICES = "services"
    PROMOTIONS = "promotions"
    OUTLETS = "outlets"
    TEXT = "text"


#: How editors call them.
TITLES: Final[Mapping[BlockKind, str]] = {
    BlockKind.BANNER: "横幅",
    BlockKind.SERVICES: "服务宫格",
    BlockKind.PROMOTIONS: "优惠列表",
    BlockKind.OUTLETS: "附近网点",
    BlockKind.TEXT: "图文说明",
}


@dataclass(frozen=True, slots=True)
class Block:
    """One block; which of the fields mean something depends on its kind."""

    kind: BlockKind
    #: A heading above the block; a banner's large words.
    title: str = ""
    #: A banner's small words, or a text in Markdown.
    text: str = ""
    #: Where a banner leads.
    link: str = ""
    picture: str = ""
    #: What a picture shows, for those who cannot see it.
    picture_says: str = ""
    #: The services of a grid; none stands for those the zone offers.
    services: tuple[str, ...] = ()

    @property
    def html(self) -> str:
        """A text as clean HTML."""
        return rich_text.rendered(self.text)


#: How a page looks before a branch arranges it.
USUAL: Final = (
    Block(BlockKind.SERVICES),
    Block(BlockKind.PROMOTIONS, title="正在进行的优惠"),
    Block(BlockKind.OUTLETS, title="离您最近的网点"),
)


class BlockInput(Part):
    """One block as it is written down."""

    kind = fields.Enum(
        BlockKind, by_value=True, required=True, error_messages=wording.CHOICE_FAULTS
    )
    title = phrase(16)
    text = phrase(MOST_TEXT)
    link = phrase(1_024)
    picture = fields.String(
        load_default="",
        error_messages=FAULTS,
        validate=validate.Regexp(rf"{PICTURE}|^$", error="请重新上传图片"),
    )
    picture_says = phrase(40)
    services = fields.List(
        fields.String(error_messages=FAULTS),
        load_default=list,
        error_messages=FAULTS,
        validate=validate.Length(max=MOST_TILES, error=f"最多 {MOST_TILES} 项服务"),
    )

    @post_load
    def _make(self, data: dict[str, Any], **_: Any) -> Block:
        block = Block(**data | {"services": tuple(data["services"])})
        if fault := _fault(block):
            raise ValidationError(*fault)
        return block


def _fault(block: Block) -> tuple[str, str] | None:
    """What is missing in this kind of block, and in which field."""
    if block.link and (fault := fault_of(block.link)):
        return fault, "link"
    if block.picture and not block.picture_says.strip():
        return "图片要有一句说明，读屏软件会念给看不见的客户听", "picture_says"
    if block.kind is BlockKind.BANNER and not (block.title.strip() or block.picture):
        return "横幅要有标题或图片", "title"
    if block.kind is BlockKind.TEXT:
        if not block.text.strip():
            return "请填写内容", "text"
        if faults := rich_text.faults(block.text):
            return "；".join(faults), "text"
    return None


def read(raw: Sequence[Mapping[str, Any]]) -> tuple[Block, ...]:
    """Blocks as they are written down.

    Raises:
        ValidationError: with each fault under the number of its block and the name of its field.
    """
    return tuple(BlockInput(many=True).load(raw))


def write(blocks: Sequence[Block]) -> list[dict[str, Any]]:
    """The blocks as JSON, without what is empty."""
    written = []
    for block in blocks:
        plain = {name: value for name, value in asdict(block).items() if value}
        plain["kind"] = block.kind.value
        if block.services:
            plain["services"] = list(block.services)
        written.append(plain)
    return written
