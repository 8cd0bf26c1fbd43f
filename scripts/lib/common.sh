# Shared by scripts/run and scripts/test; sourced by bash with ROOT set to the repository.

say() { printf 'tocha: %s\n' "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# What a build needs: package and reason, one a line.
BUILD_PACKAGES='cmake|configures the build
ninja-build|runs the build
gcc|compiles the engine
g++|compiles the Fourier transforms, and the CUDA backend with its tests
libc6-dev|headers of the C library
liblua5.4-dev|Lua 5.4, the language of the prompt
libreadline-dev|line editing at the prompt
zlib1g-dev|reads gzipped data sets
libjansson-dev|reads and writes the headers of saved tensors
gemmi-dev|has the header of pocketfft, Fourier transforms
libopenblas0-pthread|matrix products'

# Runs a command as root; its output is shown only when it fails.
as_root() {
    local log status=0
    log=$(mktemp)
    if [ "$(id -u)" = 0 ]; then
        "$@" >"$log" 2>&1 </dev/null || status=$?
    else
        sudo "$@" >"$log" 2>&1 || status=$?
    fi
    [ "$status" = 0 ] || tail -n 20 "$log" >&2
    rm -f "$log"
    return "$status"
}

# install_missing YES LIST: installs the packages of LIST (package|reason, one a line) that are not there.
# Asks once when standard input is a terminal, unless YES is 1 or CI is "true"; ends the script where it cannot.
install_missing() {
    local yes=$1 list=$2 installed package reason answer
    local -a missing=()
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
        say "no apt-get here: going on with what is installed (scripts/lib/common.sh names the packages)"
        return 0
    fi
    installed=$(dpkg-query -W -f '${Package} ${db:Status-Status}\n' 2>/dev/null | sed -n 's/ installed$//p')
    while IFS='|' read -r package reason; do
        if ! grep -qxF "$package" <<<"$installed"; then
            say "missing: $package ($reason)"
            missing+=("$package")
        fi
    done <<<"$list"
    [ ${#missing[@]} -gt 0 ] || return 0

    local command="apt-get install --no-install-recommends ${missing[*]}"
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        die "cannot install without root or sudo; as root, type: $command"
    fi
    if [ "$yes" != 1 ] && [ "${CI:-}" != true ] && [ -t 0 ]; then
        read -r -p "Install them with apt-get? [y/N] " answer
        [[ $answer == [yY]* ]] || die "not installed; to do it by hand: $command"
    fi
    if [ "$(id -u)" = 0 ]; then say "installing with apt-get"; else say "installing with sudo apt-get"; fi
    as_root apt-get update -q || say "apt-get update failed; trying with the package lists that are here"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}" ||
        die "the installation failed; to do it by hand: $command"
}

# tree_is_current DIR: whether DIR was built from the present sources. Costs one find, so that a call of scripts/run
# starts at once. Lua files do not count: the build tree links to them. Folders count, so a deleted file is noticed.
tree_is_current() {
    local stamp=$1/.built-from from
    [ -x "$1/bin/tocha" ] && [ -f "$1/lib/tocha/core.so" ] && [ -f "$stamp" ] || return 1
    read -r from <"$stamp"
    [ "$from" = "$ROOT" ] || return 1
    [ -z "$(find "$ROOT/CMakeLists.txt" "$ROOT/cmake" "$ROOT/src" "$ROOT/include" -newer "$stamp" -print -quit)" ]
}

# compile_tree DIR TARGETS CMAKE_ARGS...: configures and builds into DIR; TARGETS are separated by spaces.
# A terminal shows the progress; otherwise the output goes to DIR/build.log and is shown when it fails.
compile_tree() {
    local dir=$1 targets=$2 from='' status=0 shown=0
    shift 2
    if [ -f "$dir/.built-from" ]; then read -r from <"$dir/.built-from"; fi
    if [ -d "$dir" ] && [ -n "$from" ] && [ "$from" != "$ROOT" ]; then
        say "the repository has moved: building anew"
        rm -rf "$dir"
    fi
    mkdir -p "$dir"
    local -a launcher=()
    if command -v ccache >/dev/null; then launcher=(-DCMAKE_{C,CXX,CUDA}_COMPILER_LAUNCHER=ccache); fi
    exec 9>"$dir/.lock"
    flock 9
    printf '%s\n' "$ROOT" >"$dir/.building-from"
    cmake -S "$ROOT" -B "$dir" -G Ninja "${launcher[@]}" "$@" >"$dir/build.log" 2>&1 || status=$?
    if [ "$status" = 0 ]; then
        grep '^-- Tocha:' "$dir/build.log" | sed 's/^-- Tocha: /tocha: /' >&2
        # shellcheck disable=SC2086
        if [ -t 2 ]; then
            shown=1
            ninja -C "$dir" $targets >&2 || status=$?
        else
            ninja -C "$dir" $targets >>"$dir/build.log" 2>&1 || status=$?
        fi
    fi
    if [ "$status" = 0 ]; then
        mv "$dir/.building-from" "$dir/.built-from"
    elif [ "$shown" = 0 ]; then
        tail -n 60 "$dir/build.log" >&2
    fi
    exec 9>&-
    return "$status"
}

# Whether the kernel shows a GPU of NVIDIA's (/dev/dxg: under WSL).
has_nvidia_device() { compgen -G '/dev/nvidia[0-9]*' >/dev/null || [ -e /dev/dxg ]; }

# Prints the path of a Python that has PyTorch, which is installed from PyPI into a cache of its own where it is missing;
# nothing that Tocha does for its users needs it.
find_pytorch() {
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/tocha/pytorch
    if [ ! -x "$cache/bin/python" ] || ! "$cache/bin/python" -c 'import torch' 2>/dev/null; then
        install_missing 0 'python3-venv|holds PyTorch apart from the system'
        say "installing PyTorch into $cache (some gigabytes, once)"
        python3 -m venv "$cache"
        "$cache/bin/pip" install --quiet torch numpy
    fi
    printf '%s\n' "$cache/bin/python"
}
