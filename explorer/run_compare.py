"""What several runs were set to, where they differ."""

from collections.abc import Mapping, Sequence
from typing import Any

from stylegan.training import RunFacts

GONE = "–"  # a setting that one run has and another has not


def settings(facts: RunFacts) -> dict[str, str]:
    """All settings of a run by dotted name, in words."""
    found: dict[str, str] = {"data": str(facts.data.get("name", GONE)), "preset": str(facts.plan.get("preset", GONE))}
    found |= _flat("", facts.config.to_json())
    for name in list(found):  # what generator and discriminator share is said once
        twin = name.replace("discriminator.", "generator.")
        if name != twin and found.get(twin) == found[name]:
            del found[name]
    begun = facts.plan.get("init_from")
    return found | ({"init_from": str(begun)} if begun else {})


def differing(runs: Sequence[RunFacts]) -> list[tuple[str, tuple[str, ...]]]:
    """(name, the value in each run) of the settings that are not the same in all."""
    tables = [settings(facts) for facts in runs]
    names = dict.fromkeys(name for table in tables for name in table)
    rows = [(name, tuple(table.get(name, GONE) for table in tables)) for name in names]
    return [(name, values) for name, values in rows if len(set(values)) > 1]


def _flat(prefix: str, data: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, Mapping) and key in ("generator", "discriminator"):
            found |= _flat(f"{key}.", value)
        else:
            found[prefix + key] = _words(value)
    return found


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {_words(inner)}" for key, inner in value.items()) or GONE
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_words, value)) or GONE
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: GONE}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)
