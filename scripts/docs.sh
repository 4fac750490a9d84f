#!/usr/bin/env bash
# Write the generated pages anew, then build the site into site/. A broken link or anchor is an error.
# The pages about the code need crq itself; g++ searches their adder graphs.
# Usage: scripts/docs.sh [options of `mkdocs build`]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
setup docs g++
cd "$root"
.venv/bin/python -m scripts.docs
export NO_MKDOCS_2_WARNING=1
exec .venv/bin/python -m mkdocs build --strict --clean "$@"
