"""`manage.py lifecycle simulate`: what all policies end until a day; and what came of it."""

from argparse import ArgumentParser
from datetime import datetime, timedelta
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from lifecycle.exceptions import LifecycleError
from lifecycle.insight.declared import stages
from lifecycle.management.arguments import add_actor, add_json, add_policy
from lifecycle.management.output import local_time, write_json
from lifecycle.management.targets import duration, moment
from lifecycle.policy.databases import is_at
from lifecycle.policy.registry import all_policies, get_policy
from purge.forecasts.compare import Compared, compare
from purge.forecasts.simulate import Simulated, beside, changed, simulate, store
from purge.models import Forecast

HELP = "What the policies will end until a day, without touching a row; --compare: what came of it."


def add_arguments(parser: ArgumentParser) -> None:
    """Options of the subcommand."""
    parser.add_argument("--until", metavar="DATE", help="default: the end of this day")
    parser.add_argument("--past", action="store_true", help="also the days on which rows were due")
    add_policy(parser, "only this one")
    parser.add_argument("--age", type=duration, metavar="TIME", help="of the policy: with this age")
    parser.add_argument("--grace", type=duration, metavar="TIME", help="the same, with this grace")
    parser.add_argument("--store", action="store_true", help="keep it, for --compare")
    parser.add_argument(
        "--compare", nargs="?", type=int, const=0, metavar="FORECAST",
        help="what came of a forecast; default: of the last one",
    )  # fmt: skip
    add_actor(parser)
    add_json(parser)


def run(command: BaseCommand, options: dict[str, Any]) -> None:
    """Simulate, and print it; or compare."""
    using = options["database"]
    if options["compare"] is not None:
        _compare(command, options, *compare(options["compare"] or None, using))
    elif options["age"] is not None or options["grace"] is not None:
        _change(command, options, using)
    else:
        _simulate(command, options, using)


def _simulate(command: BaseCommand, options: dict[str, Any], using: str) -> None:
    until, name = _until(options), options["policy"]
    policies = [get_policy(name)] if name else [p for p in all_policies() if is_at(p.model, using)]
    found = simulate(policies, until, options["past"], using)
    stored = store(found, until, options["actor"], using) if options["store"] else None
    if options["json"]:
        kept = {"forecast": stored.pk} if stored else {}
        write_json(command, {"until": until, **kept, "policies": [one.data for one in found]})
        return
    command.stdout.write(f"Until {local_time(until)}, rows that end:")
    for one in found:
        command.stdout.write(f"  {one.policy}: {_told(one)}")
        if said := stages(get_policy(one.policy)):
            command.stdout.write(f"    {said}")
    if stored:
        command.stdout.write(
            f"Forecast {stored.pk}; later `manage.py lifecycle simulate --compare`"
        )


def _change(command: BaseCommand, options: dict[str, Any], using: str) -> None:
    """The policy as it is beside the same with another age or grace."""
    if not options["policy"]:
        raise LifecycleError("--age and --grace are of one --policy.")
    until, policy = _until(options), get_policy(options["policy"])
    other = changed(policy, options["age"], options["grace"])
    now, then = beside(policy, other, until, using)
    if now.unread or then.unread:
        raise LifecycleError(f"{policy.name}: {now.unread or then.unread}.")
    if options["json"]:
        write_json(command, {"until": until, "now": now.data, "changed": then.data})
        return
    more = then.rows - now.rows
    about = "" if now.estimate is None and then.estimate is None else "about "
    words = f"{about}{abs(more)} {'more' if more >= 0 else 'fewer'} rows end until"
    command.stdout.write(f"{policy.name}, with {_with(options)}: {words} {local_time(until)}.")
    command.stdout.write(f"  as it is: {_told(now)}")
    command.stdout.write(f"  changed:  {_told(then)}")
    if about:
        command.stdout.write("  An estimate, by the planner's statistics: nothing was counted.")


def _with(options: dict[str, Any]) -> str:
    given = {"an age of": options["age"], "a grace of": options["grace"]}
    return " and ".join(f"{name} {span}" for name, span in given.items() if span is not None)


def _told(one: Simulated) -> str:
    if one.unread:
        return one.unread
    words = [f"about {one.estimate} (an estimate)" if one.estimate is not None else str(one.rows)]
    for name in ("held", "kept", "restored"):
        if count := getattr(one, name):
            words.append(f"{count} {name}")
    if past := sum(count for day, count in one.days.items() if day < 0):
        words.append(f"{past} of them were due before today")
    if one.state != "enabled":
        words.append(f"if it were enabled ({one.state})")
    return ", ".join(words)


def _compare(
    command: BaseCommand, options: dict[str, Any], found: Forecast, over: int,
    compared: list[Compared],
) -> None:  # fmt: skip
    if options["json"]:
        told = [{"policy": c.policy, "forecast": c.forecast, "happened": c.happened,
                 "difference": c.difference} for c in compared]  # fmt: skip
        data = {"forecast": found.pk, "made_at": found.made_at, "until": found.until}
        write_json(command, data | {"days": over, "policies": told})
        return
    command.stdout.write(f"Forecast {found.pk} of {local_time(found.made_at)}, {over} days of it:")
    for each in compared:
        said, came = sum(each.forecast.values()), sum(each.happened.values())
        command.stdout.write(f"  {each.policy}: {said} said, {came} ended ({each.difference:+})")


def _until(options: dict[str, Any]) -> datetime:
    """The moment that was given; else the end of this day of the site."""
    tomorrow = timezone.localtime() + timedelta(days=1)
    tonight = tomorrow.replace(hour=0, minute=0, second=0, microsecond=0)
    return moment(options["until"]) or tonight
