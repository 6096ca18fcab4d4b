"""`python -m tests.bench [NAME...] [--scale 0.1]`: one line of JSON a measurement, on standard output."""

import argparse
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import (
    api,
    bulk,
    cache,
    cluster,
    identifiers,
    imports,
    load,
    memory,
    metrics,
    pages,
    pages_large,
    quality,
    rates,
    records,
    red_flags,
    sglang,
    single,
)

BENCHES: dict[str, Callable[[Path, float], dict[str, Any]]] = {
    "embedded": rates.embedded,
    "stand-in": rates.stand_in_best,
    "sequential": rates.stand_in_sequential,
    "faults": bulk.faults,
    "two-endpoints": bulk.two_endpoints,
    "repeats": bulk.repeats,
    "warm-cache": bulk.warm_cache,
    "note-beside-run": bulk.note_beside_a_run,
    "redis-cache": cache.redis_cache,
    "ray": cluster.two_workers,
    "sglang": sglang.classify,
    "note-beside-run-sglang": sglang.note_beside_a_run,
    "assess": single.assess,
    "api-adds": api.adds,
    "api-rate": api.rate,
    "metrics": metrics.scrape,
    "metrics-hooks": metrics.hooks,
    "audit-write": records.audit_write,
    "explain": single.explain,
    "red-flags": red_flags.red_flags,
    "identifiers": identifiers.identifiers,
    "memory": memory.memory,
    "memory-parquet": memory.memory_parquet,
    "imports": imports.imports,
    "page-rerun": pages.rerun,
    "page-answer": pages.click_to_answer,
    "page-upload": pages_large.upload,
    "page-map": pages_large.large_map,
    "load": load.load,
    "page-memory": pages_large.memory_of_uploads,
    "quality": quality.quality,
    "messages": quality.messages,
}


def main() -> None:
    """Run the benches named, or all."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(BENCHES)}; none: all")
    parser.add_argument("--scale", type=float, default=1.0, help="share of the full size")
    parser.add_argument("--folder", type=Path, help="keep trained bundles here for the next run")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        for name in options.names or BENCHES:
            print(json.dumps(BENCHES[name](folder, options.scale), ensure_ascii=False), flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
