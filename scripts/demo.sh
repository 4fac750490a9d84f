#!/usr/bin/env bash
# Set everything up, then run the main job on real data: train → export → build → simulate → report.
# Usage: scripts/demo.sh [options of `crq run digits`]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
setup "" g++
cd "$root"
exec .venv/bin/crq run digits "$@"
