# Installs the library into a folder with a blank in its name, and builds programs on it.
# shellcheck shell=sh

target=${CARGO_TARGET_DIR:-$PWD/target}
out=$target/c/test
prefix="$out/in stalled"
mkdir -p "$out"
PROFILE=dev PREFIX="$prefix" DESTDIR="" bindings/c/install
export PKG_CONFIG_PATH="$prefix/lib/pkgconfig"
export LD_LIBRARY_PATH="$prefix/lib"

cargo build --quiet --locked --package steadis-cli
export STEADIS_LAB="$target/debug/steadis"

warnings="-Wall -Wextra -Wpedantic -Werror"
tests=""
for file in bindings/c/tests/*.c; do
    name=$(basename "$file" .c)
    case $name in
        harness | include | vectors) ;;
        *) tests="$tests $name" ;;
    esac
done

# What pkg-config says has its blanks escaped, for a shell to read.
flags=$(pkg-config --cflags --libs steadis)

# A locale with another decimal point than C's.
export LOCPATH="$out/locales"
if [ ! -e "$LOCPATH/de_DE.UTF-8" ]; then
    mkdir -p "$LOCPATH"
    localedef -i de_DE -f UTF-8 "$LOCPATH/de_DE.UTF-8"
fi

# program NAME OUTPUT
program() {
    eval "cc -std=c11 -D_POSIX_C_SOURCE=200809L $warnings -g -o \"\$2\" \
        \"bindings/c/tests/\$1.c\" bindings/c/tests/harness.c bindings/c/tests/vectors.c $flags -lcjson -lpthread"
}

# sanitized NAME OUTPUT: with format.c, the part of the library that is C, under the sanitizers too;
# so it is linked with what cargo makes, in which the rest can be reached.
sanitized() {
    sanitizers=address,undefined
    # The address sanitizer's own allocator does not survive a fork() among threads (gcc 12).
    [ "$1" != fork ] || sanitizers=undefined
    cc -std=c11 -D_POSIX_C_SOURCE=200809L $warnings -g -O1 -fno-omit-frame-pointer \
        -fsanitize=$sanitizers -fno-sanitize-recover=all -o "$2" -I"$prefix/include" \
        "bindings/c/tests/$1.c" bindings/c/tests/harness.c bindings/c/tests/vectors.c \
        bindings/c/src/format.c "$target/debug/libsteadis_c.a" \
        -lcjson -lpthread -lgcc_s -lutil -lrt -lm -ldl
}

# example NAME: into a folder of its own, as its first lines say.
example() {
    extra=""
    [ "$1" != hiredis ] || extra=-lhiredis
    mkdir -p "$out/examples"
    eval "cc -std=gnu99 $warnings -o \"$out/examples/\$1\" \"examples/c/\$1.c\" $flags $extra"
}
