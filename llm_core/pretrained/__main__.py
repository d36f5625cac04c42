"""Fetch published files ahead of a class: python -m llm_core.pretrained fetch smollm2 gpt2 …"""

import argparse
import sys

from llm_core.pretrained.asset_table import ASSETS, Asset
from llm_core.pretrained.assets import Progress, cache_folder, fetch, is_present


def build_parser() -> argparse.ArgumentParser:
    """Describe the commands."""
    parser = argparse.ArgumentParser(
        prog="python -m llm_core.pretrained",
        description="Fetch the published models and vocabularies that the course uses.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    fetching = commands.add_parser("fetch", help="bring the named ones into the cache")
    fetching.add_argument("names", nargs="+", choices=list(ASSETS), metavar="NAME")
    commands.add_parser("list", help="tell which there are, and which are here")
    return parser


def describe(asset: Asset) -> str:
    """One line about an asset."""
    state = "here" if is_present(asset.name) else "not here"
    megabytes = asset.download / 1e6
    return (
        f"{asset.name:12} {state:9} {megabytes:5.1f} MB  {asset.requirement:26} "
        f"{asset.licence:11} {asset.title}; from {asset.source}"
    )


def show_progress(progress: Progress) -> None:
    """Overwrite the terminal's line with the share that has come."""
    if sys.stderr.isatty():
        print(f"\r{progress.fraction:4.0%} of {progress.title} ", end="", file=sys.stderr)


def fetch_all(names: list[str]) -> int:
    """Fetch one after the other; return 1 if any of them cannot be had."""
    status = 0
    for name in names:
        try:
            folder = fetch(name, on_progress=show_progress)
            print(f"{name}: {folder}", flush=True)
        except ValueError as error:
            status = 1
            print(f"{name}: {error}", file=sys.stderr)
            if error.__cause__ is not None:
                print(f"  tried: {error.__cause__}", file=sys.stderr)
    return status


def main() -> int:
    """Run the command; return the exit status."""
    options = build_parser().parse_args()
    if options.command == "fetch":
        return fetch_all(options.names)
    print(f"Cache: {cache_folder()}")
    for asset in ASSETS.values():
        print(describe(asset))
    return 0


if __name__ == "__main__":
    sys.exit(main())
