//! Compiles the functions that take variable arguments, which Rust cannot define.

fn main() {
    println!("cargo::rerun-if-changed=src/format.c");
    println!("cargo::rerun-if-changed=include/steadis.h");
    cc::Build::new()
        .file("src/format.c")
        .include("include")
        .std("c99")
        .warnings(true)
        .extra_warnings(true)
        .flag_if_supported("-fvisibility=default")
        .compile("steadis_format");
}
