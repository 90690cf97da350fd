"""A target as it is, its changelog, and how a case that failed is told."""

from collections.abc import Set
from dataclasses import dataclass

from kit.flink import DATABASE
from kit.flinkcases.cases import DELETES_ROWS, Case, World
from kit.flinkcases.fold import Fold, compare
from kit.flinkcases.sources import Row
from sluiceway.warehouse.client import Client


@dataclass
class Failure:
    """A case whose target is not what it must be, and all that is needed to look into it."""

    case: Case
    moment: str
    problems: list[str]
    world: World

    def __str__(self) -> str:
        shown = [*self.problems[:12], *(["…"] if len(self.problems) > 12 else [])]
        return "\n".join(
            [
                f"SLUICEWAY_KIT_SEED={self.case.number} SLUICEWAY_KIT_CASES=1: {self.case}",
                f"  world {self.world.number}: {self.world.settings}",
                f"  sources: { {n: self.world.story.layouts[n] for n in self.case.sources} }",
                *(f"  {each.text}" for each in self.case.selects),
                f"  {self.moment}:",
                *(f"    {problem}" for problem in shown),
            ]
        )


def rows(client: Client, table: str) -> list[Row]:
    """Return the rows of a target as a scan reads them."""
    found = client.read(DATABASE, table)
    return list(zip(*(column.to_pylist() for column in found.columns), strict=True))


def changelog_problems(
    client: Client, table: str, case: Case, until: int, steady: Set[Row]
) -> list[str]:
    """Say what is wrong with a target's changelog, or with the target if that is right.

    `steady` keys never leave: where deletes are applied, none of them may have been away.
    """
    keys = len(case.key)
    folds = [_fold(client, table, shard, until, keys) for shard in range(case.layout.shards)]
    problems = compare(folds, {row[:keys]: row for row in rows(client, table)})
    if case.strategy in DELETES_ROWS and not case.partial:
        gone = set().union(*(fold.deleted for fold in folds)) & steady
        problems += [f"changelog: {key} went and came back" for key in sorted(gone)]
    return problems


def _fold(client: Client, table: str, shard: int, until: int, keys: int) -> Fold:
    fold = Fold(keys)
    with client.changelog(DATABASE, table, shard=shard, until=until) as changes:
        for change in changes.changes():
            columns = [column.to_pylist() for column in change.batch.columns]
            codes, values = columns[0], columns[3:]
            fold.take(zip(codes, zip(*values, strict=True), strict=True))
    fold.end()
    return fold
