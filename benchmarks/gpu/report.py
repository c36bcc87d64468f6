"""report.py WORK GPU COMMIT NAME: what `measure` left in WORK becomes NAME.json and NAME.md."""

import json
import pathlib
import sys


def read(work, name):
    file = work / name
    return file.read_text() if file.exists() else ""


def load(work, name):
    text = read(work, name)
    return json.loads(text) if text else {}


def find(bench, tokens, operation, kernel, shape="pythia-6.9b"):
    """Sum of the medians of one operation's kernels, milliseconds; None where it was not timed."""
    found = [
        one for one in bench.get("measurements", [])
        if one["shape"] == shape and one["tokens"] == tokens and one["operation"] == operation
        and one["kernel"].startswith(kernel)
    ]
    return found or None


def teraflops(found):
    return sum(one["operations"] for one in found) / sum(one["median_ms"] for one in found) / 1e9


def milliseconds(found):
    return sum(one["median_ms"] for one in found)


def targets(bench, spectra, torch):
    """Rows (what, asked, measured, met)."""
    rows = []

    def row(what, asked, measured, unit, met):
        rows.append((what, asked, "not measured" if measured is None else f"{measured:.4g} {unit}",
                     "" if measured is None else "yes" if met(measured) else "NO"))

    forward = find(bench, 8192, "attention, observed", "attention_forward")
    speed = forward and teraflops(forward)
    row("attention_forward, all statistics, T = 8,192", ">= 330 TFLOP/s", speed, "TFLOP/s", lambda x: x >= 330)
    ratio = forward and torch and torch["flash"] / milliseconds(forward)
    row("its speed over PyTorch's flash attention without statistics", ">= 0.9", ratio, "x", lambda x: x >= 0.9)
    columns = find(bench, 8192, "attention, observed", "attention_columns")
    row("attention_columns, T = 8,192", ">= 300 TFLOP/s", columns and teraflops(columns), "TFLOP/s", lambda x: x >= 300)
    layer = find(bench, 131072, "statistics", "")
    row("attention_statistics, 32 layers of 32 heads, T = 131,072", "< 20 s",
        layer and 32 * milliseconds(layer) / 1e3, "s", lambda x: x < 20)
    observed = find(bench, 8192, "attention, observed", "")
    eager = observed and torch and torch["eager"] / milliseconds(observed)
    row("speed over the eager route with whole maps, T = 8,192", ">= 20", eager, "x", lambda x: x >= 20)
    for n, least in ((32, 2), (128, 2), (512, 1)):
        found = find(spectra, n, "symmetric spectrum", "symmetric_", shape="spectra")
        ratio = found and torch and torch[f"eigvalsh {n}"] / milliseconds(found)
        row(f"1,024 symmetric spectra, n = {n}, over torch.linalg.eigvalsh", f">= {least}", ratio, "x",
            lambda x, least=least: x >= least)
    plain = find(bench, 8192, "attention", "")
    cost = observed and plain and milliseconds(observed) / milliseconds(plain)
    row("attention with statistics over attention without, T = 8,192", "reported", cost, "x", lambda x: True)
    return rows


def main():
    work, gpu, commit, name = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    bench, spectra, torch = load(work, "bench.json"), load(work, "spectra.json"), load(work, "torch.json")
    rows = targets(bench, spectra, torch)
    parts = [f"# {gpu}, commit {commit}", "",
             "`benchmarks/gpu/measure` wrote this. bf16, causal, head width 128, 32 heads unless said.", "",
             "| what | asked | measured | met |", "|---|---|---|---|"]
    parts += ["| " + " | ".join(row) + " |" for row in rows]
    for dtype in ("f32", "bf16", "f16"):
        parts += ["", f"## selftest, {dtype}", "", read(work, f"selftest-{dtype}.md").strip()]
    for tool in ("memcheck", "racecheck"):
        verdict = read(work, f"{tool}.verdict").strip() or "not run"
        parts += ["", f"## compute-sanitizer {tool}", "", "```", verdict, "```"]
    parts += ["", "## bench", "", "```", read(work, "bench.txt").rstrip(), read(work, "spectra.txt").rstrip(), "```"]
    parts += ["", "## PyTorch, milliseconds", "", "```", read(work, "torch.json").strip() or "not installed", "```", ""]
    pathlib.Path(name + ".md").write_text("\n".join(parts))
    pathlib.Path(name + ".json").write_text(json.dumps(
        {"gpu": gpu, "commit": commit, "targets": rows, "bench": bench, "spectra": spectra, "torch": torch}, indent=2))


main()
