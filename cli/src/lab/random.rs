//! Random bytes from the kernel.

use rustix::rand::{GetRandomFlags, getrandom};

use super::error::{Doing, Result};

/// `N` random bytes.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom(&mut bytes, GetRandomFlags::empty()).doing("read random bytes")?;
    Ok(bytes)
}

/// Forty random hexadecimal digits, the form of a Redis run id.
pub(crate) fn hex() -> Result<String> {
    Ok(bytes::<20>()?.iter().map(|byte| format!("{byte:02x}")).collect())
}
