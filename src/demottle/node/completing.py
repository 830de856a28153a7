"""From objects to series: a series that is complete meets a rule, and waits for the worker or is left alone."""

from demottle.errors import InputError
from demottle.node.configuration import Configuration
from demottle.node.facts import facts_of
from demottle.node.log import tell
from demottle.node.queue import rounds
from demottle.node.queue.arrivals import Complete, complete_series
from demottle.node.queue.store import Queue


def complete(told: Configuration, queue: Queue, since: float = 0.0) -> int:
    """Make the rounds of series that are complete now; return how many. `since`: when the node began to listen."""
    return sum(_complete(told, queue, found) for found in complete_series(queue, told.quiet, since=since))


def _complete(told: Configuration, queue: Queue, found: Complete) -> bool:
    rule, left = None, ""
    try:
        facts = facts_of(told.folder / found.file, found.caller)
        rule = None if facts["own"] else told.rule_for(facts)
        if facts["own"]:
            left = "is demottle's own result"
        elif rule is None:
            left = "meets no rule"
        elif rule.leave:
            left = f"the rule '{rule.name}' leaves it alone"
    except InputError as error:
        left = str(error)
    urgent = found.urgent or (rule is not None and rule.urgent)
    name = None if rule is None else rule.name
    if rounds.begin(queue, found, name, urgent=urgent, left=left) is None:
        return False
    tell(f"series {found.id}: complete with {found.instances} objects, " + (left or f"rule '{name}'"))
    return True
