fn main() {
    napi_build::setup();
    // The background thread must not lose its code when the worker that loaded it ends.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
