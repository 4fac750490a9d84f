#!/usr/bin/env bash
# Set everything up, then run linters and tests. The closing lines say how the time was spent.
# Usage: scripts/test.sh [--slow] [options of pytest]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
setup test,synth,cocotb,bitstream,docs g++ clang verilator iverilog make tcl
cd "$root"
select=()
if [ "${1:-}" = "--slow" ]; then
  shift
  select=(-m slow)
fi
start=$SECONDS
.venv/bin/ruff check .
.venv/bin/ruff format --check .
echo "ruff: $((SECONDS - start)) s"
start=$SECONDS
.venv/bin/mypy
echo "mypy: $((SECONDS - start)) s"
# Everything is installed: a test that is skipped for want of a tool fails (tests/support/skips.py).
export CRQ_ALL_TOOLS=1
# Two processes, a file at a time: fixtures of a file are made once.
exec .venv/bin/python -m pytest -n 2 --dist loadfile "${select[@]}" "$@"
