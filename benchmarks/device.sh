#!/usr/bin/env bash
# Everything that needs a GPU, most telling first, in two calls for a machine that is lent for minutes.
#
#   OUT=folder benchmarks/device.sh first               at most 8 minutes
#   OUT=folder benchmarks/device.sh second              at most 9 minutes
#   RAW=folder OUT=folder benchmarks/device.sh real     config/real_gpu.yaml, at most 12 minutes; RAW holds MNIST/raw and so on
#   OUT=folder benchmarks/device.sh claims              config/claims.yaml: tuning, training, measuring; at most 13 minutes
#   OUT=folder benchmarks/device.sh first --device cpu  the same at toy size, without a GPU: the rehearsal
#   PATIENCE=5 OUT=...                                  five times as long for every part: a rehearsal on a busy machine
#   PARTS="agreement forms" OUT=...                     some parts only
#   SITE=folder OUT=...                                 with packages that an earlier call has installed there
#
# Each part writes its result as soon as it is there. A part that fails does not stop the next; a part whose time is up
# is cut. What Python lacks is installed from the wheels in .whl/ (`make device-wheels`), into a folder of its own. No setting
# of the card is touched.
set -u
cd "$(dirname "$0")/.."
call=${1:?first, second, real or claims}
device=cuda
[ "${2:-}" = --device ] && device=$3
out=$(mktemp -d) # packed into OUT at the end, in a few files
trap 'pack "$out" results' EXIT
export PYTHONUNBUFFERED=1 MPLBACKEND=agg
started=$SECONDS

pack() { # DIRECTORY NAME: one archive, in pieces of 15 MB
  mkdir -p "${OUT:=results/device}"
  tar -czf - --exclude=.snakemake --exclude=data ${UNPACKED:-} -C "$1" . | split -b 15000000 - "$OUT/$2.tgz."
}
python=python3
if [ -z "${SITE:-}" ] && [ "$device" != cpu ] && ls .whl/*.whl >/dev/null 2>&1; then
  SITE=$(mktemp -d)
  $python -m pip install -q --no-index --no-deps --no-compile --no-cache-dir --upgrade --target "$SITE" .whl/*.whl ||
    echo "some wheels could not be installed"
fi
[ -z "${SITE:-}" ] || export PYTHONPATH="$PWD/src:$SITE" PATH="$SITE/bin:$PATH"

# part NAME SECONDS COMMAND...: run it, cut it after so many seconds, keep its output and its time.
part() {
  local name=$1 limit=$(($2 * ${PATIENCE:-1})) before=$SECONDS left=$((${budget:-9999} - (SECONDS - started)))
  shift 2
  [ "$left" -ge 5 ] || { echo "no time is left for $name" && return 0; }
  [ "$limit" -le "$left" ] || limit=$left
  [[ -z ${PARTS:-} || " $PARTS " == *" $name "* ]] || return 0
  timeout --kill-after=5 "$limit" "$@" >"$out/$name.log" 2>&1
  local status=$?
  printf '%s,%s,%s,%s\n' "$name" "$status" "$((SECONDS - before))" "$limit" >>"$out/parts.csv"
  printf '\n== %s: status %s after %s s (at most %s)\n' "$name" "$status" "$((SECONDS - before))" "$limit"
  tail -n "${SHOWN:-12}" "$out/$name.log" | cut -c 1-240
}
echo "part,status,seconds,limit" >"$out/parts.csv"

gpu() { # NAME SECONDS ARGUMENTS...: questions of benchmarks/gpu.py
  local name=$1 limit=$2
  shift 2
  part "$name" "$limit" $python benchmarks/gpu.py --device "$device" --output "$out" "$@"
}
cases="synthetic mnist convolutional" counts="1 2 4 8 16" steps=2000 configfile=config/paper_cpu.yaml shorter="" small=synthetic_small
if [ "$device" = cpu ]; then
  cases=toy small=toy counts="1 2" steps=50 configfile=config/smoke.yaml shorter="--steps 120 --every 60"
fi

pipeline() { # DIRECTORY ARGUMENTS...
  local directory=$1
  shift
  $python -m snakemake --cores all --directory "$directory" --configfile "$@"
}
export -f pipeline
export python

# Runs of a configuration side by side on one device; the pipeline draws and judges them later, on any machine.
sweep() { # NAME SECONDS ARGUMENTS...
  local name=$1 limit=$2
  shift 2
  part "${name}_data" 60 bash -c "pipeline $out/$name $configfile --quiet all --until prepare_synthetic"
  part "$name" "$limit" $python benchmarks/train_side_by_side.py --configfile $configfile --directory "$out/$name" \
    --device "$device" --output "$out/gpu_$name.csv" "$@"
}

# Runs of config/real_gpu.yaml side by side, then what the pipeline measures of all that are trained so far.
real() { # NAME SECONDS ARGUMENTS...
  local name=$1 limit=$2
  shift 2
  part "$name" "$limit" $python benchmarks/train_side_by_side.py --configfile "$real" --directory "$out/real" \
    --device "$device" "$@"
  part "${name}_measured" 90 bash -c "cd $out/real && targets=\$(ls results/runs/*/*/*/run.json |
    sed 's/run.json/metrics.csv/p; s/metrics.csv/samplers.csv/') && cd - >/dev/null &&
    pipeline $out/real $real --rerun-triggers mtime --keep-going --quiet all -- \$targets"
}

case $call in
first)
  gpu rates 40 --cases $cases --questions rates
  SHOWN=30 part tests 90 $python -m pytest -q -m gpu -p no:cacheprovider tests/training
  gpu agreement 60 --cases $cases --questions agreement
  gpu forms 60 --cases $cases --questions forms
  part sharing_streams 60 $python benchmarks/sharing.py --device "$device" --case "$small" --seeds 10 --ways streams \
    --counts $counts --steps $steps --output "$out/sharing_streams.csv"
  gpu mnist 60 --cases $cases --questions mnist
  gpu training 80 --cases ${cases%% *} --questions "training_${cases%% *}"
  gpu rivals 60 --cases $cases --questions rivals
  part smoke 90 bash -c "pipeline $out/smoke config/smoke.yaml --resources gpu=1"
  ;;
second)
  gpu profile 60 --cases $cases --questions profile
  gpu convolutions 90 --cases $cases --questions convolutions
  gpu grid 120 --cases $cases --questions grid
  part sharing_processes 60 $python benchmarks/sharing.py --device "$device" --case "$small" --seeds 10 --ways processes \
    --counts 1 4 --steps $steps --output "$out/sharing_processes.csv"
  SHOWN=30 part tests_inception 150 $python -m pytest -q -m gpu -p no:cacheprovider tests/evaluation
  sweep paper "${SWEEP:-300}" ${SWEEP_ARGUMENTS:-$shorter}
  ;;
real)
  # Weights of these nets are gigabytes and stay behind: numbers and pictures come back.
  UNPACKED="--exclude=*.safetensors --exclude=*.pt"
  real=config/real_gpu.yaml
  if [ "$device" = cpu ]; then # digits, tiny nets, a few steps
    real=$(mktemp --suffix=.yaml)
    sed -E 's/1024, 1024, 1024, 1024/16/g; s/source: .*mnist/source: digits/; s/(steps|every): [0-9]+/\1: 10/g' \
      config/real_gpu.yaml | sed -E 's/samples: 10000/samples: 100/; s/seeds: .*/seeds: [0, 1]/' >"$real"
  fi
  mkdir -p "$out/real/results/data"
  [ -z "${RAW:-}" ] || ln -s "$(realpath "$RAW")" "$out/real/results/data/raw"
  budget=$((720 * ${PATIENCE:-1}))
  part real_data 150 bash -c "pipeline $out/real $real --quiet all --until reference_statistics"
  real real_capacities 200 --datasets mnist --models wae maae
  real real_rivals 60 --datasets mnist --models vae vae_fixed vae_learned vae_flow two_stage_vae wae_mmd wae_gan aae rae
  real real_fashion 130 --datasets fashion --models wae maae vae two_stage_vae wae_mmd rae
  real real_paper 180 --datasets mnist_paper
  part real_drawn 120 bash -c "pipeline $out/real $real --rerun-triggers mtime --keep-going --quiet all --resources gpu=1"
  ;;
claims)
  UNPACKED="--exclude=*.safetensors --exclude=*.pt"
  claims=config/claims.yaml
  [ "$device" != cpu ] || claims=config/smoke.yaml
  budget=$((780 * ${PATIENCE:-1}))
  part claims_data 60 bash -c "pipeline $out/claims $claims --quiet all --until prepare_synthetic prepare_digits"
  part claims_tuned 420 bash -c "pipeline $out/claims $claims --keep-going --quiet all --resources gpu=1 --until tune"
  part claims 300 $python benchmarks/train_side_by_side.py --configfile "$claims" --directory "$out/claims" \
    --device "$device" --output "$out/gpu_claims.csv"
  part claims_drawn 180 bash -c "pipeline $out/claims $claims --rerun-triggers mtime --keep-going --quiet all --resources gpu=1 \
    -- claims table2 fig4 cuts"
  ;;
*)
  echo "first, second, real or claims, not $call" >&2
  exit 2
  ;;
esac
cat "$out/parts.csv"
echo "$((SECONDS - started)) s in all"
