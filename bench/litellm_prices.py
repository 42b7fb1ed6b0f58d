"""Our prices against LiteLLM's map, rate by rate, on the models of OpenAI, Anthropic and Google; each difference with its reason.

LiteLLM is not imported (it would fetch its map from the network): the map in its wheel is read.
`pip install --no-deps --target DIR litellm`, then `python bench/litellm_prices.py DIR/litellm`. Prints the table of README.md.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections import Counter, defaultdict
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from token_otel.prices import LayeredBook
from token_otel.prices.layers import list_prices, over

PROVIDERS = {
    "anthropic": "anthropic",
    "gemini": "google",
    "openai": "openai",
    "text-completion-openai": "openai",
    "vertex_ai-language-models": "google",
}
RATES = {
    "input_cost_per_token": "input",
    "output_cost_per_token": "output",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "output_cost_per_reasoning_token": "reasoning",
    "input_cost_per_audio_token": "audio_input",
    "output_cost_per_audio_token": "audio_output",
    "cache_read_input_audio_token_cost": "audio_cache_read",
    "input_cost_per_image_token": "image_input",
    "output_cost_per_image_token": "image_output",
    "cache_read_input_image_token_cost": "image_cache_read",
    "input_cost_per_video_token": "video_input",
    "output_cost_per_video_token": "video_output",
}
KEY = re.compile(rf"({'|'.join(RATES)})(?:_above_(\d+)k_tokens)?(?:_(batches|flex|priority|ultrafast|decisions))?")

# What a difference looks like, `model rate[@tier][>threshold]`, and why it is there; the first that fits counts.
REASONS: tuple[tuple[str, str], ...] = (
    (r"(embedding|ada-002)\S* output", "embeddings have no output: LiteLLM writes 0, we say it is not priced"),
    (r"(gemma|moderation)", "free at LiteLLM; genai-prices lists them without any price, and unpriced is not free"),
    (
        r"gemini\S* \S+@(flex|priority)",
        "Gemini's flex and priority: genai-prices has them for four models; the others are charged the standard price",
    ),
    (r"\S+ \S+@decisions", "OpenAI's decisions endpoint is a provider of its own in genai-prices (`openai-decisions`)"),
    (r"gpt-5.5-pro\S* \S+@batch>", "genai-prices knows one batch price, for every size of prompt"),
    (r"\S+ \S+@batch", "no batch price in genai-prices: charged the standard price, or for a part the input's"),
    (r"gpt-5.6-cyber \S+>272k", "LiteLLM doubles it above 272k, genai-prices has one size"),
    (
        r"(image|nano-banana)\S* (cache_read|audio_input)",
        "image models: LiteLLM has the text model's cache and audio prices, genai-prices none: charged as input",
    ),
    (r"gemini-3-pro-image\S* \S+>200k", "image models: LiteLLM has the text model's prices above 200k, genai-prices one size"),
    (
        r"tts\S* (cache_read|audio_input)",
        "speech models: LiteLLM has the text model's cache and audio prices, genai-prices none: charged as input",
    ),
    (
        r"gemini-(2.5-pro|3.1-pro)\S* cache_write_5m>200k",
        "LiteLLM has the price of a cache read above 200k under writes; in genai-prices a write costs what input does",
    ),
    (r"gemini-2.5-flash audio_input>200k", "LiteLLM has the price of text for audio above 200k, genai-prices one size"),
    (r"gpt-4o\S*-transcribe\S* audio_input", "LiteLLM charges audio as text; genai-prices has its own rate"),
    (r"gpt-4o-mini-tts\S* output", "LiteLLM has another price for the speech that comes out: $10 a million tokens against $12"),
    (r"gpt-4o-search-preview\S* cache_read", "LiteLLM has gpt-4o's cached input, genai-prices none: charged as input"),
    (r"ft:gpt-4o-2024-11-20 cache_write_5m", "LiteLLM has the price of a cache read under writes"),
)


class Difference(NamedTuple):
    """One rate, in USD per million tokens."""

    model: str
    what: str
    theirs: Decimal
    ours: Decimal | None

    @property
    def reason(self) -> str:
        return next((reason for pattern, reason in REASONS if re.search(pattern, f"{self.model} {self.what}")), "UNEXPLAINED")


def compare(models: dict[str, dict[str, Any]], book: LayeredBook) -> tuple[Counter[str], list[Difference], list[str]]:
    """Return how many rates were compared, which differ, and which models have no price with us."""
    now, compared = time.time_ns(), Counter[str]()
    differences: list[Difference] = []
    unpriced: list[str] = []
    for key, entry in models.items():
        provider = PROVIDERS.get(entry.get("litellm_provider", ""))
        if provider is None:
            continue
        model = re.sub(r"^(gemini|openai|anthropic|vertex_ai)/", "", key)
        if book.find(provider=provider, model=model, at_ns=now) is None:
            unpriced.append(f"{key} ({entry.get('mode')})")
            continue
        compared[provider + " models"] += 1
        for name, usd in entry.items():
            match = KEY.fullmatch(name)
            if match is None or not isinstance(usd, int | Decimal):
                continue
            rate, above, tier = RATES[match[1]], int(match[2] or 0) * 1_000, match[3]
            tier = "batch" if tier == "batches" else tier
            tariff = book.find(provider=provider, model=model, at_ns=now, service_tier=tier)
            ours = None if tariff is None else tariff.rates(above + 1 if above else 0).of(rate)
            theirs = Decimal(usd) * 1_000_000
            compared["equal" if ours is not None and abs(ours - theirs) <= theirs / 1_000_000 else "different"] += 1
            if ours is None or abs(ours - theirs) > theirs / 1_000_000:
                what = f"{rate}{f'@{tier}' if tier else ''}{f'>{match[2]}k' if above else ''}"
                differences.append(Difference(model, what, theirs.normalize(), ours))
    return compared, differences, unpriced


def table(differences: list[Difference]) -> str:
    """Return the differences by reason, as a table for README.md, with an example each: LiteLLM's rate and ours."""
    by_reason: defaultdict[str, list[Difference]] = defaultdict(list)
    for difference in differences:
        by_reason[difference.reason].append(difference)
    lines = ["| why | rates | models | for instance: LiteLLM, ours |", "|---|---|---|---|"]
    for reason, found in sorted(by_reason.items(), key=lambda item: -len(item[1])):
        first = found[0]
        ours = "-" if first.ours is None else f"{first.ours.normalize():f}"
        example = f"`{first.model}` {first.what}: {first.theirs:f}, {ours}"
        lines.append(f"| {reason} | {len(found)} | {len({item.model for item in found})} | {example} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("litellm", nargs="?", help="the folder of the package; the installed one by default")
    parser.add_argument("--unpriced", action="store_true", help="list the models that LiteLLM prices and we do not")
    options = parser.parse_args()
    spec = None if options.litellm else find_spec("litellm")
    folder = options.litellm or (str(Path(spec.origin).parent) if spec is not None and spec.origin else None)
    if folder is None:
        print("needs LiteLLM's map: pip install --no-deps --target DIR litellm, then name DIR/litellm")
        return
    text = (Path(folder) / "model_prices_and_context_window_backup.json").read_text(encoding="utf-8")
    compared, differences, unpriced = compare(json.loads(text, parse_float=Decimal), over(list_prices(), []))
    print(", ".join(f"{count} {what}" for what, count in compared.items()), f"({len({d.model for d in differences})} models differ)\n")
    print(table(differences))
    kinds = Counter(name.rpartition("(")[2].rstrip(")") for name in unpriced)
    print(f"\nno price with us: {len(unpriced)} ({', '.join(f'{count} {kind}' for kind, count in kinds.most_common())})")
    if options.unpriced:
        print("\n".join(unpriced))
    for difference in differences:
        if difference.reason == "UNEXPLAINED":
            print(difference)


if __name__ == "__main__":
    main()
