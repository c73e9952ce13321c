"""Makes `memu/app/_sync_verbs.py` of `memu/app/_verbs.py`, or checks that it is up to date.

    python python/scripts/generate_sync.py [--check]
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

APP = Path(__file__).resolve().parent.parent / "memu" / "app"


def generated(source: str) -> str:
    """The verbs without `async` and `await`."""
    _, _, body = source.split('"""', 2)
    body = body.replace("async def ", "def ").replace("await ", "")
    body = body.replace("class AsyncVerbs:", "class SyncVerbs:")
    body = body.replace('"""The verbs, to be awaited."""', '"""The verbs, which wait."""')
    head = '"""The verbs of a service, which wait. Made of `_verbs.py`: do not edit."""'
    # What fits one line without the words that are gone is one.
    body = re.sub(
        r"    def (\w+)\(\n        ([^\n]+)\n    \) -> ([^\n]+):\n",
        _joined,
        body,
    )
    return head + body


def _joined(match: re.Match[str]) -> str:
    line = f"    def {match[1]}({match[2]}) -> {match[3]}:\n"
    return line if len(line) <= 101 else match[0]


def main() -> int:
    target = APP / "_sync_verbs.py"
    text = generated((APP / "_verbs.py").read_text(encoding="utf-8"))
    if "--check" not in sys.argv[1:]:
        target.write_text(text, encoding="utf-8")
        return 0
    if target.read_text(encoding="utf-8") == text:
        return 0
    print(f"{target} is not what generate_sync.py makes; run it", file=sys.stderr)
    return 1


if __name__ == "__main__":
    raise SystemExit(main())
