# Sourced by demo.sh and test.sh: makes .venv with pinned versions, once. Usage: setup EXTRAS DEBIAN_PACKAGE...
# Sets $PYTHON to the environment's interpreter.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PYTHON=$root/.venv/bin/python

# Install Debian packages where that is possible; otherwise print the one command to run and stop.
debian() {
  local missing=()
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing+=("$package")
  done
  [ ${#missing[@]} -eq 0 ] && return
  local command="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
  local sudo=""
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null || ! sudo -n true 2>/dev/null; then
      printf 'Missing Debian packages. As root, run:\n  %s\nthen run this script again.\n' "$command" >&2
      exit 1
    fi
    sudo=sudo
  fi
  echo "Installing Debian packages: ${missing[*]}"
  local log
  log=$(mktemp)
  $sudo env DEBIAN_FRONTEND=noninteractive bash -c "$command" >"$log" 2>&1 || {
    cat "$log" >&2
    exit 1
  }
  rm -f "$log"
}

# A usable Python: 3.11 or later, with venv.
python3_command() {
  for candidate in python3.11 python3.12 python3.13 python3; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      echo "$candidate"
      return
    fi
  done
  echo "Python 3.11 to 3.13 is needed; on Debian 12: apt-get install python3 python3-venv" >&2
  exit 1
}

setup() {
  local extras=$1
  shift
  if command -v dpkg-query >/dev/null; then
    local python_packages=()
    command -v python3 >/dev/null || python_packages=(python3)
    # Debian splits venv off; other Pythons bring it along.
    python3 -c 'import ensurepip, venv' 2>/dev/null || python_packages+=(python3-venv)
    debian "${python_packages[@]}" "$@"
  fi
  local stamp=$root/.venv/.crq-setup
  local want
  want=$(cat "$root/pyproject.toml" "$root/scripts/constraints.txt" "$root/scripts/setup.sh" | sha256sum)" "$extras
  # What the tests need includes what the demo needs.
  if [ -x "$PYTHON" ] && [ -f "$stamp" ] && grep -qxF -e "$want" -e "${want% *} test,synth,cocotb,bitstream,docs" "$stamp"; then
    return
  fi
  echo "Setting up $root/.venv (a few minutes the first time)"
  [ -x "$PYTHON" ] || "$(python3_command)" -m venv "$root/.venv"
  local pip=("$PYTHON" -m pip --disable-pip-version-check install --quiet --progress-bar off)
  # The CPU build of torch: the default one brings gigabytes of CUDA. First where pip looks anyway, then PyTorch's own
  # index; platforms without a +cpu build (macOS) have a small default one.
  local torch
  torch=$(grep '^torch==' "$root/scripts/constraints.txt")
  "${pip[@]}" "$torch+cpu" 2>/dev/null ||
    "${pip[@]}" "$torch+cpu" --extra-index-url https://download.pytorch.org/whl/cpu 2>/dev/null ||
    "${pip[@]}" "$torch"
  "${pip[@]}" -c "$root/scripts/constraints.txt" -e "$root${extras:+[$extras]}"
  # timm's networks are test subjects. Without its dependencies: they are torchvision, which must match torch to the
  # digit, and download tools, and the networks need neither.
  [[ ",$extras," != *,test,* ]] || "${pip[@]}" -c "$root/scripts/constraints.txt" --no-deps timm
  echo "$want" >"$stamp"
}
