# The checks of scripts/test; sourced by bash after common.sh, with the repository as current directory.

TEST_PACKAGES='lua5.4|the stock interpreter that the specs run in
lua-busted|runs the specs
lua-check|checks the Lua sources
clang-format|checks the C sources
expect|tests the prompt through a pseudo-terminal'
IMAGE_PACKAGES='libedit-dev|the other line editor
mmdebstrap|makes the base image where no registry can be reached
buildah|builds and runs the image without a Docker engine'

start_results() {
    RESULTS=$(mktemp -d)
    trap 'rm -rf "$RESULTS"' EXIT
    passed=0 failed=0 started=$SECONDS
}

note() { printf '%s\n' "$*"; }

# Prints the last line and ends the script.
finish_results() {
    note "took $((SECONDS - started)) s"
    note "$passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ] && exit 0
    exit 1
}

# check NAME COMMAND...: one result, left in check_status; the output is shown when it fails. The command runs in the background because
# bash would ignore "set -e" inside it in a condition.
check() {
    local name=$1 log=$RESULTS/check.log from=$SECONDS status=0
    shift
    (
        set -e
        "$@"
    ) >"$log" 2>&1 </dev/null &
    wait $! || status=$?
    check_status=$status
    if [ "$status" = 0 ]; then
        passed=$((passed + 1))
        note "ok   $name ($((SECONDS - from)) s)"
    else
        failed=$((failed + 1))
        note "FAIL $name"
        tail -n 60 "$log" | sed 's/^/     /'
    fi
}

# tally NAME FILE STATUS: counts the lines "ok ..." as passed and "not ok ..." and "FAIL ..." as failed. A run that
# ended badly without a failed line counts as one failure, and so does one that ran no test at all.
tally() {
    local name=$1 file=$2 status=$3 good bad skipped
    skipped=$(grep -c '^ok .*# SKIP' "$file" || true)
    good=$(($(grep -c '^ok ' "$file" || true) - skipped))
    bad=$(grep -cE '^(not ok|FAIL) ' "$file" || true)
    if [ "$bad" = 0 ] && { [ "$status" != 0 ] || [ "$good" = 0 ]; }; then
        bad=1
        printf 'FAIL %s: ended with status %s after %s passed tests\n' "$name" "$status" "$good" >>"$file"
    fi
    passed=$((passed + good))
    failed=$((failed + bad))
    if [ "$bad" = 0 ]; then
        note "ok   $name: $good passed$([ "$skipped" = 0 ] || echo ", $skipped skipped")"
    else
        note "FAIL $name: $good passed, $bad failed"
        grep -v '^ok ' "$file" | tail -n 120 | sed 's/^/     /'
    fi
}

sanitizer_options() {
    export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1:detect_stack_use_after_return=1
    export LSAN_OPTIONS=suppressions=$ROOT/tests/support/lsan.supp:print_suppressions=0
    export UBSAN_OPTIONS=print_stacktrace=1
    export TSAN_OPTIONS=halt_on_error=1
}

run_c_tests() {
    local dir=$1 program status
    for program in "$dir"/tests/c/*; do
        [ -f "$program" ] && [ -x "$program" ] || continue
        status=0
        (sanitizer_options && exec timeout 600 "$program") >"$RESULTS/c.log" 2>&1 </dev/null || status=$?
        tally "$program" "$RESULTS/c.log" "$status"
    done
}

# use_engine DIR: lets a stock Lua 5.4 find the engine of DIR, its libraries and the tests.
use_engine() {
    local dir=$ROOT/$1
    export LUA_PATH="$dir/share/tocha/lua/?.lua;$dir/share/tocha/lua/?/init.lua;$ROOT/?.lua;;"
    export LUA_CPATH="$dir/lib/?.so;;"
    export TOCHA_BUILD=$dir TOCHA_ROOT=$ROOT
    if [[ $1 == *asan* ]]; then
        sanitizer_options
        export TOCHA_QUICK=1
        # The sanitizer looks for the C++ library's exceptions once, at the start.
        LD_PRELOAD=$(gcc -print-file-name=libasan.so):$(gcc -print-file-name=libstdc++.so.6)
        export LD_PRELOAD
    fi
}

# one_spec DIR ISA SPEC OUT: runs one spec file in stock Lua 5.4 with the engine of DIR; OUT gets TAP, OUT.status
# the exit status.
one_spec() {
    local isa=$2 spec=$3 out=$4 status=0
    (
        use_engine "$1"
        if [ -n "$isa" ]; then export TOCHA_ISA=$isa; fi
        export TOCHA_CUDNN_CACHE=0 # nothing is left in the user's caches
        exec timeout 900 lua5.4 -e 'assert(_VERSION == "Lua 5.4")' "$(command -v busted)" -o TAP "$spec"
    ) >"$out" 2>&1 </dev/null || status=$?
    echo "$status" >"$out.status"
}

# run_specs DIR ISA JOBS SPEC...: each spec file in a process of its own, so that a crash costs only its file.
run_specs() {
    local dir=$1 isa=$2 jobs=$3 spec index=0
    shift 3
    for spec in "$@"; do
        while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || true; done
        one_spec "$dir" "$isa" "$spec" "$RESULTS/spec.$index" &
        index=$((index + 1))
    done
    wait
    index=0
    for spec in "$@"; do
        tally "$spec ($dir${isa:+, $isa})" "$RESULTS/spec.$index" "$(cat "$RESULTS/spec.$index.status")"
        index=$((index + 1))
    done
}

# A number that is the same for the same commit.
commit_number() {
    local commit
    commit=$(git rev-parse --short=7 HEAD 2>/dev/null) || commit=1
    echo $((16#$commit))
}

# run_fuzz DIR CALLS SEED: makes CALLS random calls, shared out to a process for each core, whose seeds are SEED and the
# next ones; each process is one result.
run_fuzz() {
    local dir=$1 calls=$2 seed=$3 jobs job status name
    jobs=$(nproc)
    note "fuzz: $calls calls in $jobs processes, seeds from $seed (tests/fuzz/run --seed $seed repeats them)"
    for ((job = 0; job < jobs; job++)); do
        (
            status=0
            (
                use_engine "$dir"
                export TOCHA_MEMORY_LIMIT=256M # a call may well ask for a machine's memory
                exec timeout 3600 lua5.4 tests/fuzz/fuzz.lua --calls $((calls / jobs)) --seed $((seed + job))
            ) >"$RESULTS/fuzz.$job" 2>&1 </dev/null || status=$?
            echo "$status" >"$RESULTS/fuzz.$job.status"
        ) &
    done
    wait
    for ((job = 0; job < jobs; job++)); do
        status=$(cat "$RESULTS/fuzz.$job.status")
        name="fuzz, seed $((seed + job)) ($dir)"
        if [ "$status" = 0 ]; then
            passed=$((passed + 1))
            note "ok   $name: $(tail -n 1 "$RESULTS/fuzz.$job")"
        else
            failed=$((failed + 1))
            note "FAIL $name: ended with status $status"
            tail -n 60 "$RESULTS/fuzz.$job" | sed 's/^/     /'
        fi
    done
}

# family_list I N: every Nth of the harness's families, from the Ith on.
family_list() {
    find tests/harness/samples -name '*.lua' -not -name common.lua -printf '%f\n' | LC_ALL=C sort |
        awk -v i="$1" -v n="$2" 'NR % n == i % n { sub(/[.]lua$/, ""); printf "%s ", $0 }'
}

# run_plan JOBS: runs the lines "DIR|NAME|SETTINGS|SPEC" of standard input, JOBS at a time: SPEC with the engine and the
# stand-in of DIR under SETTINGS (of the environment, in bash's notation), as NAME. It counts results, which a shell at
# the end of a pipe would keep to itself.
run_plan() {
    local jobs=$1 line dir name settings spec index=0
    local -a lines
    mapfile -t lines
    for line in "${lines[@]}"; do
        while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || true; done
        IFS='|' read -r dir name settings spec <<<"$line"
        (
            export TOCHA_HOSTGPU=$ROOT/$dir/lib/tocha/tocha_hostgpu.so TOCHA_DEVICE=cuda
            [ -z "$settings" ] || eval "export $settings"
            one_spec "$dir" "" "$spec" "$RESULTS/plan.$index"
        ) &
        index=$((index + 1))
    done
    wait
    index=0
    for line in "${lines[@]}"; do
        IFS='|' read -r dir name settings spec <<<"$line"
        tally "$spec ($name)" "$RESULTS/plan.$index" "$(cat "$RESULTS/plan.$index.status")"
        index=$((index + 1))
    done
}

# plan_harness DIR NAME SETTINGS SPEC [PARTS]: lines for a walk of the harness in two parts, one for each of two cores, or
# in more, where half of it would take longer than a spec may.
plan_harness() {
    local part parts=${5:-2}
    for ((part = 0; part < parts; part++)); do
        printf '%s|%s|%s TOCHA_FAMILIES="%s"|%s\n' "$1" "$2, part $((part + 1)) of $parts" "$3" \
            "$(family_list "$part" "$parts")" "$4"
    done
}

# What the stand-in runs: everything once as it is, then the values with other orders of threads, and with work that runs
# as late as it can.
plan_hostgpu() {
    local spec
    printf 'build|checkers||tests/hostgpu/planted_spec.lua\n'
    for spec in tests/gpu/*_spec.lua; do printf 'build|CUDA on the CPU||%s\n' "$spec"; done
    plan_harness build "CUDA on the CPU" "" tests/harness/values_spec.lua
    plan_harness build "CUDA on the CPU, late and in reverse" "HOSTGPU_LAZY=1 HOSTGPU_ORDER=reverse TOCHA_QUICK=1" \
        tests/harness/values_spec.lua
    plan_harness build "CUDA on the CPU, in random order" "HOSTGPU_ORDER=random:$(commit_number) TOCHA_QUICK=1" \
        tests/harness/values_spec.lua
    plan_harness build "CUDA on the CPU" "TOCHA_QUICK=1" tests/harness/memory_spec.lua
}

# The same with ThreadSanitizer, which takes every thread of a kernel for one of its own, and with AddressSanitizer.
# io.popen does not work under the former, so TOCHA_FAMILIES says what the folder would.
plan_hostgpu_full() {
    local tsan spec
    tsan=$(gcc -print-file-name=libtsan.so)
    plan_harness build "CUDA on the CPU" "" tests/harness/gradients_spec.lua
    plan_harness build "CUDA on the CPU, races" "TOCHA_QUICK=1 LD_PRELOAD=$tsan TSAN_OPTIONS=halt_on_error=1 \
TOCHA_HOSTGPU=$ROOT/build/lib/tocha/tocha_hostgpu_races.so" tests/harness/values_spec.lua
    for spec in tests/gpu/*_spec.lua; do printf 'build-asan|CUDA on the CPU||%s\n' "$spec"; done
    plan_harness build-asan "CUDA on the CPU" "" tests/harness/values_spec.lua 8
}

# check_hostgpu FULL SPEC...: the CUDA backend, whose kernels run on the CPU: plan_hostgpu and with FULL = 1
# plan_hostgpu_full, or only the specs that are named. Nothing where the CUDA toolkit's headers are missing.
check_hostgpu() {
    local full=$1 spec
    shift
    check "CUDA backend for the CPU" compile_tree build "lib/tocha/core.so tocha_hostgpu hostgpu_planted"
    if [ "$check_status" != 0 ]; then
        if grep -q "unknown target 'tocha_hostgpu'" build/build.log; then
            failed=$((failed - 1))
            note "     left out: the headers of the CUDA toolkit or of cuDNN 9 were not found"
        fi
        return 0
    fi
    if [ $# -gt 0 ]; then
        run_plan "$(nproc)" < <(for spec in "$@"; do printf 'build|CUDA on the CPU||%s\n' "$spec"; done)
        return
    fi
    run_plan "$(nproc)" < <(plan_hostgpu)
    if [ "$full" = 1 ]; then
        check "race checker" compile_tree build tocha_hostgpu_races
        check "sanitizer build of the CUDA backend for the CPU" \
            compile_tree build-asan "lib/tocha/core.so tocha_hostgpu" -DTOCHA_SANITIZE=address -DTOCHA_CUDA=OFF
        run_plan "$(nproc)" < <(plan_hostgpu_full)
    fi
}

# What of the harness runs under compute-sanitizer, which slows kernels down a hundredfold.
SANITIZED_FAMILIES="elementwise index reduce matmul optim"

# check_gpu SPEC...: the CUDA backend on a GPU: the harness and tests/gpu, or only the specs that are named.
check_gpu() {
    local why tool log status
    if ! has_nvidia_device; then
        note "     left out: there is no device: /dev has none of NVIDIA's"
        failed=$((failed + 1))
        return 0
    fi
    check "CUDA backend" compile_tree build all -DTOCHA_CUDA=ON
    [ "$check_status" = 0 ] || return 0
    if ! why=$(build/bin/tocha -e 'local ok, why = tocha.cuda.is_available(); if not ok then print(why); os.exit(1) end'); then
        note "     left out: there is no device: $why"
        failed=$((failed + 1))
        return 0
    fi
    if [ $# = 0 ]; then
        set -- tests/harness/values_spec.lua tests/harness/gradients_spec.lua tests/gpu/*_spec.lua
    fi
    export TOCHA_DEVICE=cuda
    run_specs build "" 1 "$@"
    if ! command -v compute-sanitizer >/dev/null; then
        note "     left out: compute-sanitizer is not installed"
        return 0
    fi
    for tool in memcheck racecheck initcheck; do
        log=$RESULTS/$tool status=0
        (
            use_engine build
            export TOCHA_FAMILIES=$SANITIZED_FAMILIES TOCHA_QUICK=1 TOCHA_GPU_NOCACHE=1
            exec timeout 3600 compute-sanitizer --tool "$tool" --error-exitcode 99 \
                lua5.4 "$(command -v busted)" -o TAP tests/harness/values_spec.lua
        ) >"$log" 2>&1 </dev/null || status=$?
        tally "tests/harness/values_spec.lua (compute-sanitizer, $tool)" "$log" "$status"
    done
}

check_format() {
    find src include tests \( -name '*.[ch]' -o -name '*.cu' -o -name '*.cuh' -o -name '*.cpp' \) -print0 | xargs -0 clang-format --dry-run --Werror
}

# Types of one name in two files of CUDA sources, outside unnamed namespaces, would be taken for one by the linker.
check_type_names() {
    local twice
    twice=$(awk 'FNR == 1 || /^} \/\/ namespace/ { unnamed = 0 }
        /^namespace \{/ { unnamed = 1 }
        !unnamed && match($0, /^(template <.*> )?(struct|class|union) (alignas\(.*\) )?[A-Za-z0-9_]+( |;|$)/) {
            name = substr($0, RSTART, RLENGTH)
            sub(/[ ;]$/, "", name)
            sub(/.* /, "", name)
            if (!seen[name, FILENAME]++ && first[name] != "") { print name ": " first[name] " and " FILENAME }
            if (first[name] == "") { first[name] = FILENAME }
        }' src/gpu/*.cu src/gpu/*.cuh)
    [ -z "$twice" ] || die "types outside unnamed namespaces with one name in two files:"$'\n'"$twice"
}

# The installed tree works from a folder of its own: the program, a stock Lua and a program in C, each with a Fourier
# transform, which needs a module; the C++ library comes with that alone, and core.so has its one export.
check_installed() {
    local prefix=$RESULTS/prefix out isa
    cmake --install build --prefix "$prefix" --strip
    cd "$RESULTS"
    for isa in baseline avx2 avx512; do
        out=$(TOCHA_ISA=$isa "$prefix/bin/tocha" -e 'print(tocha.fft.fft(tocha.ones(2, 4)):abs():sum():item())')
        [ "$out" = 8.0 ] || die "bin/tocha printed $out with TOCHA_ISA=$isa"
    done
    out=$(LUA_PATH="$prefix/share/lua/5.4/?.lua" lua5.4 -e 'local tocha, nn = require "tocha", require "nn"
        print(tocha.fft.fft(tocha.ones(2, 4)):abs():sum():item(), type(nn.Linear))')
    [ "$out" = $'8.0\ttable' ] || die "a stock lua5.4 printed $out"
    if ldd "$prefix/lib/tocha/core.so" | grep libstdc++; then die "core.so loads the C++ library at start-up"; fi
    [ -s "$prefix/share/doc/tocha/NOTICE" ] || die "the licences of others are not installed"
    printf '%s\n' '#include <tocha/tocha.h>' '#include <stdio.h>' 'int main(void) {' 'tocha_init();' \
        'tocha_tensor *x = tocha_ones((int64_t[]){2, 4}, 2, TOCHA_FLOAT32, TOCHA_CPU, false);' \
        'printf("%g\n", tocha_item(tocha_sum(tocha_abs(tocha_fourier_real(x, -1, 1)), NULL, -1, false, TOCHA_NO_DTYPE)));' \
        '}' >program.c
    gcc -I"$prefix/include" program.c -o program -L"$prefix/lib" -ltocha -Wl,-rpath,"$prefix/lib"
    out=$(./program)
    [ "$out" = 8 ] || die "a C program printed $out"
    out=$(nm -D --defined-only "$prefix/lib/tocha/core.so" | awk '$2 != "A" {print $3}')
    [ "$out" = luaopen_tocha_core ] || die "core.so exports $out"
}

# The script states the accuracy on its last line; it must reach LIMIT percent.
reaches() {
    local limit=$1 out accuracy
    shift
    out=$(build/bin/tocha "$@" | tee /dev/stderr | tail -n 1)
    accuracy=$(grep -oE '[0-9]+(\.[0-9]+)? ?%' <<<"$out" | tail -n 1 | tr -d ' %') || accuracy=
    awk -v a="$accuracy" -v l="$limit" 'BEGIN { exit !(a != "" && a + 0 >= l) }' ||
        die "accuracy must be at least $limit %, the last line was: $out"
}

check_digits() { reaches 98 scripts/train_digits.lua; }

# run_mnist FULL: a few hundred steps, or with FULL = 1 the three epochs.
run_mnist() {
    local folder
    if ! folder=$(find_mnist); then
        note "mnist training skipped: no MNIST files (scripts/test --help says where they are looked for)"
    elif [ "$1" = 1 ]; then
        check "mnist training, 3 epochs" reaches 98.9 scripts/train_digits.lua --dataset mnist --data "$folder"
    else
        check "mnist training, 300 steps" reaches 93 scripts/train_digits.lua --dataset mnist --data "$folder" \
            --max-steps 300
    fi
}

find_mnist() {
    local folder
    for folder in "${TOCHA_DATA:+$TOCHA_DATA/mnist}" "${TOCHA_DATA:-}" ~/.cache/tocha/mnist ../shared/data/mnist; do
        if [ -n "$folder" ] && compgen -G "$folder/train-images-idx3-ubyte*" >/dev/null; then
            echo "$folder"
            return 0
        fi
    done
    return 1
}

check_libedit() {
    compile_tree build-libedit all -DTOCHA_LINE_EDITOR=libedit
    ldd build-libedit/bin/tocha | grep -q libedit
    [ "$(echo 'print(6 * 7)' | build-libedit/bin/tocha -)" = 42 ]
}
