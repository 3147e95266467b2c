# /// script
# requires-python = ">=3.11"
# dependencies = ["genai-prices==0.2.3"]
# ///
"""Writes the price table of the library, and cases that it has to agree on with where it comes from.

    uv run xtask/prices.py          (or: pip install genai-prices, and python xtask/prices.py)

The table is crates/instructor/data/prices.json, in the format of `instructor::Prices`; the cases are
suite/tests/data/prices.jsonl, with what genai-prices says that they cost.
"""

import datetime
import json
import random
import re
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path

from genai_prices import Usage
from genai_prices.data import providers
from genai_prices.types import (
    ClauseAnd, ClauseContains, ClauseEndsWith, ClauseEquals, ClauseOr, ClauseRegex, ClauseStartsWith,
    StartDateConstraint, TieredPrices, TimeOfDateConstraint,
)

ROOT = Path(__file__).resolve().parent.parent
TODAY = datetime.date.today()

# Our id, the id of the source, and whose prices hold for what is in neither.
PROVIDERS = [
    ("openai", "openai", []),
    ("openai_responses", None, ["openai"]),
    ("anthropic", "anthropic", []),
    ("gemini", "google", []),
    ("vertexai", None, ["gemini"]),
    ("vertexai_anthropic", None, ["anthropic"]),
    ("groq", "groq", []),
    ("azure_openai", "azure", ["openai"]),
    ("azure_deployments", None, ["azure_openai", "openai"]),
    ("azure_responses", None, ["azure_openai", "openai"]),
    ("mistral", "mistral", []),
    ("together", "together", []),
    ("fireworks", "fireworks", []),
    ("cerebras", "cerebras", []),
    ("deepseek", "deepseek", []),
    ("xai", "x-ai", []),
    ("xai_responses", None, ["xai"]),
    ("databricks", "databricks", []),
    ("cloudflare", "cloudflare", []),
    ("moonshot", "moonshotai", []),
    ("zai", "zai", []),
    ("minimax", "minimax", []),
    ("baseten", "baseten", []),
    ("cohere", "cohere", []),
    ("bedrock", "aws", []),
    ("perplexity", "perplexity", []),
]

RATES = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cached": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
}
# What is paid for besides tokens of these kinds: such a model is left out.
BESIDE = ("requests_kcount", "audio_hours", "input_audio_hours", "input_mchars", "output_citation_mtok")


def patterns(clause):
    match clause:
        case ClauseEquals():
            return [clause.equals]
        case ClauseStartsWith():
            return [clause.starts_with + "*"]
        case ClauseEndsWith():
            return ["*" + clause.ends_with]
        case ClauseContains():
            return ["*" + clause.contains + "*"]
        case ClauseOr():
            return [pattern for inner in clause.or_ for pattern in patterns(inner)]
        case ClauseAnd():
            return [pattern for inner in clause.and_[:1] for pattern in patterns(inner)]
        case ClauseRegex():
            # A date after a name, which every name may have; or a digit.
            plain = re.sub(r"(-|\[-@\])(\\d\{8\}|\\d\{4\}-\\d\{2\}-\\d\{2\})\$$", "", clause.regex.removeprefix("^"))
            plain = re.sub(r"-\\d$", "-001", plain)
            return [plain.replace("\\.", ".")]


def number(price):
    text = format(price.normalize(), "f")
    assert len(text.partition(".")[2]) <= 6, text
    return float(text) if "." in text else int(text)


def at(price, tokens):
    """What holds from so many input tokens on."""
    if not isinstance(price, TieredPrices):
        return price
    return next((tier.price for tier in reversed(price.tiers) if tokens >= tier.start), price.base)


def terms(prices):
    tiers = {0}
    for value in prices.__dict__.values():
        if isinstance(value, TieredPrices):
            tiers |= {tier.start for tier in value.tiers}

    def rates(tokens):
        have = {ours: getattr(prices, theirs) for ours, theirs in RATES.items()}
        return {ours: number(at(price, tokens)) for ours, price in have.items() if price is not None}

    said = {"price": rates(0)}
    above = [{"tokens": tokens, "price": rates(tokens)} for tokens in sorted(tiers - {0})]
    return said | ({"above": above} if above else {})


def conditional(prices):
    """What holds now, what comes, and what holds at some hours."""
    if not isinstance(prices, list):
        return [(None, prices)]
    dated = [(c.constraint.start_date if c.constraint else None, c.prices)
             for c in prices if not isinstance(c.constraint, TimeOfDateConstraint)]
    now = [one for one in dated if one[0] is None or one[0] <= TODAY][-1:] or dated[:1]
    later = [one for one in dated if one[0] is not None and one[0] > TODAY]
    hours = [(c.constraint, c.prices) for c in prices if isinstance(c.constraint, TimeOfDateConstraint)]
    return [(None, now[0][1])] + later + hours


def entry(model):
    said = conditional(model.prices)
    if any(getattr(prices, key) is not None for _, prices in said for key in BESIDE):
        return None
    if any(prices.input_mtok is None or prices.output_mtok is None for _, prices in said):
        return None
    names = list(dict.fromkeys(patterns(model.match)))
    covered = [p for p in names if p.endswith("*") and not p.startswith("*")]
    names = [n for n in names if n in covered or not any(n.startswith(p[:-1]) for p in covered) or "*" not in n]
    row = {"models": names} | terms(said[0][1])
    changes = []
    for when, prices in said[1:]:
        if isinstance(when, datetime.date):
            changes.append({"from": when.isoformat()} | terms(prices))
        else:
            hours = [f"{t.hour:02}:{t.minute:02}" for t in (when.start_time, when.end_time)]
            changes.append({"hours": hours} | terms(prices))
    return row | ({"changes": changes} if changes else {})


def table(source):
    head = {
        "format": 1,
        "as_of": TODAY.isoformat(),
        "currency": "USD",
        "source": f"genai-prices {version('genai-prices')}, MIT, https://github.com/pydantic/genai-prices",
    }
    lines = [json.dumps(head)[:-1] + ',\n "providers": {']
    for i, (ours, theirs, also) in enumerate(PROVIDERS):
        rows = [row for row in map(entry, source[theirs].models) if row] if theirs else []
        lines.append(f'  {json.dumps(ours)}: {{"also": {json.dumps(also)}, "models": [')
        for j, row in enumerate(rows):
            lines.append("   " + json.dumps(row, separators=(",", ":")) + ("," if j + 1 < len(rows) else ""))
        lines.append("  ]}" + ("," if i + 1 < len(PROVIDERS) else ""))
    return "\n".join(lines) + "\n }\n}\n"


def cases(source):
    """A case for each name in the source, and some that its patterns are for."""
    dice = random.Random(7)
    moments = [datetime.datetime(2026, 12, 5, 2, 30), datetime.datetime(2026, 12, 5, 12, 0),
               datetime.datetime(2027, 2, 3, 8, 0)]
    for ours, theirs, also in PROVIDERS:
        theirs = theirs or next(t for o, t, _ in PROVIDERS if o == also[0])
        provider = source[theirs]
        models = [model for model in provider.models if entry(model)]
        for model in models:
            names = [p.replace("*", "") if not p.startswith("*") else "x" + p.replace("*", "") for p in
                     patterns(model.match)][:2]
            for name in names:
                found = provider.find_model(name, all_providers=providers)
                if found is None or entry(found) is None:
                    continue
                moment = dice.choice(moments)
                cached, written, hour = dice.choice([(0, 0, 0), (1000, 0, 0), (317, 2000, 0), (40, 900, 600)])
                total = cached + written + dice.choice([17, 5000, 150_000, 250_000, 300_000])
                output = dice.choice([1, 321, 4096])
                reasoning = dice.choice([0, output // 2])
                price = found.calc_price(
                    Usage(input_tokens=total, cache_read_tokens=cached, cache_write_tokens=written,
                          cache_write_1h_tokens=hour, output_tokens=output, output_reasoning_tokens=reasoning),
                    provider, genai_request_timestamp=moment,
                )
                yield {
                    "provider": ours, "model": name, "at": int(moment.replace(tzinfo=datetime.UTC).timestamp()),
                    "usage": [total, output, cached, written, hour, reasoning],
                    "usd": format(price.total_price.normalize(), "f"),
                }


def main():
    source = {provider.id: provider for provider in providers}
    (ROOT / "crates/instructor/data/prices.json").write_text(table(source))
    rows = [json.dumps(case) for case in cases(source)]
    (ROOT / "suite/tests/data/prices.jsonl").write_text("\n".join(rows) + "\n")
    print(len(rows), "cases")


main()
