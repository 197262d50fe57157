# What is installed: names, symbols, versions, headers in both languages, CMake, the static library.
# shellcheck shell=sh disable=SC2154

includes="bindings/c/tests/include.c"
header="$prefix/include/steadis.h"

only_ours() {
    nm -D --defined-only "$prefix/lib/libsteadis.so" | awk '{ sub(/@.*/, "", $3); print $3 }' |
        grep -v '^STEADIS_0$' | sort >"$out/symbols"
    sed -n 's/^        \(steadis_[a-z_]*\);$/\1/p' bindings/c/steadis.map | sort | diff - "$out/symbols"
}
note "the shared library exports our functions and nothing else" "$(only_ours >&2; echo $?)"

static_only_ours() {
    nm -g --defined-only "$prefix/lib/libsteadis.a" | awk 'NF == 3 { print $3 }' | sort |
        diff - "$out/symbols"
}
note "nor does the static library" "$(static_only_ours >&2; echo $?)"

soname=$(readelf -d "$prefix/lib/libsteadis.so" | sed -n 's/.*soname: \[\(.*\)\]/\1/p')
note "the soname" "$([ "$soname" = libsteadis.so.0 ]; echo $?)"
needed=$(readelf -d "$prefix/lib/libsteadis.so" | grep NEEDED | grep -vcE 'libc\.so|libgcc_s|ld-linux|libm\.so' || true)
note "it needs the C library alone" "$([ "$needed" = 0 ]; echo $?)"

includes_found=$(sed -n 's/^#include <\(.*\)>/\1/p' "$header" | sort | tr '\n' ' ')
note "the header needs three others" \
    "$([ "$includes_found" = "stdbool.h stddef.h stdint.h " ]; echo $?)"
unprefixed=$(grep -oE '^(typedef|struct|enum|#define) .*' "$header" | grep -viE 'steadis|^#define_*$' || true)
note "every name has its prefix" "$([ -z "$unprefixed" ]; echo $?)"

for standard in c99 c11 c17; do
    note "the header is clean $standard" \
        "$(cc -std=$standard $warnings -fsyntax-only -I"$prefix/include" $includes >&2; echo $?)"
done
for standard in c++11 c++17 c++20; do
    note "the header is clean $standard" \
        "$(c++ -x c++ -std=$standard $warnings -fsyntax-only -I"$prefix/include" $includes >&2; echo $?)"
done

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
note "pkg-config knows the version" "$([ "$(pkg-config --modversion steadis)" = "$version" ]; echo $?)"
note "the library knows the version" "$(
    eval "cc -std=c99 $warnings -o \"$out/include\" $includes $flags" >&2 && "$out/include" "$version" >&2
    echo $?
)"
note "a C++ program through pkg-config" "$(
    eval "c++ -x c++ -std=c++11 $warnings -o \"$out/include++\" $includes $flags" >&2 &&
        "$out/include++" "$version" >&2
    echo $?
)"
with_cmake() {
    cmake -S bindings/c/tests/cmake -B "$out/cmake" -DCMAKE_PREFIX_PATH="$prefix" >"$out/log" 2>&1 &&
        cmake --build "$out/cmake" >>"$out/log" 2>&1 || {
        cat "$out/log" >&2
        return 1
    }
    "$out/cmake/shared" "$version" && "$out/cmake/static" "$version" && "$out/cmake/shared++" "$version"
}
note "programs through CMake, shared, static, C and C++" "$(with_cmake >&2; echo $?)"

destination() {
    rm -rf "$out/dest"
    PROFILE=dev PREFIX=/opt/x DESTDIR="$out/dest" bindings/c/install &&
        [ -e "$out/dest/opt/x/lib/libsteadis.so.0" ] &&
        grep -q '^prefix=/opt/x$' "$out/dest/opt/x/lib/pkgconfig/steadis.pc"
    status=$?
    rm -rf "$out/dest"
    return $status
}
note "DESTDIR is where it is put, PREFIX where it will be" "$(destination >&2; echo $?)"
