"""The last lines of the report: the sums, and what they do not know."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from token_otel.report import words
from token_otel.report.model import Report
from token_otel.report.unread_table import total_tokens


def show_summary(report: Report, console: Console) -> None:
    """Print the total: what a person looks at first, where the terminal ends."""
    console.print()
    totals = report.totals
    where = [words.plural(totals.calls, "model call"), words.plural(len(report.traces), "trace")]
    named = sum(each.id is not None for each in report.conversations)
    if named:
        where.append(words.plural(named, "conversation"))
    console.print(Text.assemble(("Total  ", "bold"), ", ".join(where)))
    for name, figure in _sums(report):
        console.print(Text.assemble("       ", (f"{name:<8}", "dim"), (figure, "bold" if name else "dim")), soft_wrap=True)
    for remark in _remarks(report):
        console.print(Text.assemble("       ", (remark, "yellow")), soft_wrap=True)
    links = ", ".join(f"{count:,} {words.shown(kind)}" for kind, count in report.links.items())
    spans = [words.plural(report.spans, "span"), f"links: {links}" if links else "no links"]
    if report.foreign_spans:
        spans.append(words.plural(report.foreign_spans, "span") + " of others")
    console.print(Text.assemble("       ", (", ".join(spans), "dim")), soft_wrap=True)


def _sums(report: Report) -> Iterator[tuple[str, str]]:
    totals = report.totals
    yield "input", f"{totals.input:,} tokens"
    cached = f"{totals.cache_read:,} read from a cache, {totals.cache_write:,} written to it"
    yield "", f"{cached}, {words.share(totals.reread_share)} re-read"
    yield "output", f"{totals.output:,} tokens"
    for fate in _fates(report):
        yield "", fate
    yield "cost", ("" if totals.complete else "at least ") + words.exact_usd(totals.cost_usd)
    decimals = words.places([totals.cost_usd])
    unsplit_usd = totals.input_usd - totals.new_usd - totals.reread_usd
    parts = (
        (totals.new_usd, "to read"),
        (totals.reread_usd, "to re-read"),
        (unsplit_usd, "for input not told apart"),
        (totals.output_usd, "to put out"),
    )
    if totals.reread_usd:
        yield "", ", ".join(f"{words.usd(usd, decimals)} {what}" for usd, what in parts if usd)
    caching = [f"caching saved {words.usd(totals.caching_saved_usd, decimals)}"] if totals.caching_saved_usd else []
    if totals.broken_tokens:
        lost = words.usd(totals.broken_usd, decimals) if totals.broken_usd else f"{totals.broken_tokens:,} tokens"
        caching.append(f"broken or expired prefixes cost {lost}")
    if caching:
        yield "", "; ".join(caching)


def _fates(report: Report) -> Iterator[str]:
    """Yield what became of what was put out."""
    speed = report.velocity.reads_per_token
    if speed:
        yield f"velocity {speed:,.1f}: reads per token that agents and tools put out"
    for kind, what, reader in (("final", "final answer", "their user"), ("unread", "output", "nobody here")):
        outputs = [each for each in report.unread if each.kind == kind]
        if outputs:
            yield f"{total_tokens(outputs):,} in {words.plural(len(outputs), what)}, read by {reader}"


def _remarks(report: Report) -> list[str]:
    """Say what the sums do not know."""
    totals = report.totals
    calls, remarks = words.plural, list[str]()
    if not report.traces:
        remarks.append("no span of token-otel is in these files")
    if totals.unreported:
        guess = f": by our estimate {totals.guessed_input:,} in, {totals.guessed_output:,} out" if totals.guessed_input else ""
        remarks.append(f"{calls(totals.unreported, 'call')} unreported, in no sum{guess}")
    if totals.unpriced:
        remarks.append(f"{calls(totals.unpriced, 'call')} unpriced: the tokens are in the sums, the cost is not")
    if totals.estimated:
        remarks.append(f"{calls(totals.estimated, 'call')} estimated: no usage was reported, the sums hold our own count")
    if totals.local:
        remarks.append(f"{calls(totals.local, 'call')} to local models, without a price per token")
    if totals.cached:
        saved = f", {words.exact_usd(totals.saved_usd)} saved" if totals.saved_usd else ""
        remarks.append(f"{calls(totals.cached, 'answer')} from the framework's own cache{saved}")
    if totals.cancelled:
        remarks.append(f"{calls(totals.cancelled, 'call')} cancelled: billed with what was seen")
    if totals.errors:
        remarks.append(f"{calls(totals.errors, 'call')} failed")
    if report.unseen_calls:
        remarks.append(f"{calls(report.unseen_calls, 'call')} counted by agents, but their spans are not in these files")
    if report.torn_lines:
        remarks.append(f"{calls(report.torn_lines, 'line')} broken off: their spans are missing")
    return remarks
