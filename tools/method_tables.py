"""What the documentation says of methods that stands on their cards: the sidebar, and the tables of docs/methods/index.md.

    python tools/method_tables.py

writes them anew; a test holds both files against the cards.
"""

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from demottle.methods.card import CLAUSES, MethodInfo
from demottle.methods.registry import OWN

ROOT = Path(__file__).parents[1]
SIDEBAR, OVERVIEW = ROOT / "mkdocs.yml", ROOT / "docs" / "methods" / "index.md"
GROUPS: dict[str, Callable[[MethodInfo], bool]] = {
    "From the scan itself": lambda card: not card.rival and card.learns_from == "the image itself",
    "From sets of scans": lambda card: card.is_trained,
    "Filters": lambda card: not card.rival and card.learns_from == "nothing",
    "For comparison": lambda card: card.rival and not card.is_trained,
}
_FOR = {"volumes": "volumes", "sequences": "runs of frames, series of volumes", "both": "volumes, runs of frames"}


def sidebar(cards: Sequence[MethodInfo] = OWN) -> str:
    """The groups of methods as lines of the navigation."""
    return "".join(
        f"      - {group}:\n" + "".join(f"          - methods/{card.name}.md\n" for card in cards if fits(card))
        for group, fits in GROUPS.items()
    )


def methods(group: str, cards: Sequence[MethodInfo] = OWN) -> str:
    """The table of a group."""
    rows = "".join(
        f"| [{card.name}]({card.name}.md) | {_FOR[card.images]}{'' if card.live else ', not live'} | {card.learns_from} "
        f"| {card.title.split('; for comparison')[0]} |\n"
        for card in cards
        if GROUPS[group](card)
    )
    return f"| method | for | learns from | in short |\n|---|---|---|---|\n{rows}"


def promises() -> str:
    """The table of what is promised of every method."""
    rows = "".join(f"| {name} | {what} |\n" for name, what in CLAUSES.items())
    return f"| clause | what it promises |\n|---|---|\n{rows}"


def excuses(cards: Sequence[MethodInfo] = OWN) -> str:
    """The table of who does not keep what."""
    rows = [
        f"| [{card.name}]({card.name}.md) | {', '.join(name for name, why in excused.items() if why == reason)} | {reason} |\n"
        for card in cards
        for excused in (card.contract.excused,)
        for reason in dict.fromkeys(excused.values())
    ]
    return f"| method | does not keep | because |\n|---|---|---|\n{''.join(rows)}"


def with_sidebar(text: str) -> str:
    """The site's settings with the sidebar of the cards."""
    return re.sub(
        r"(?<=      - methods/index\.md\n).*?(?=  - Benchmark:\n)", lambda _: sidebar(), text, flags=re.DOTALL
    )


def with_tables(text: str) -> str:
    """The overview with the tables of the cards, each between the comments that name it."""
    tables = {**{group: methods(group) for group in GROUPS}, "promises": promises(), "excuses": excuses()}
    for name, table in tables.items():
        begin, end = f"<!-- table: {name} -->\n", "<!-- end -->\n"
        before, _, rest = text.partition(begin)
        text = before + begin + "\n" + table + "\n" + end + rest.partition(end)[2]
    return text


if __name__ == "__main__":
    SIDEBAR.write_text(with_sidebar(SIDEBAR.read_text()))
    OVERVIEW.write_text(with_tables(OVERVIEW.read_text()))
