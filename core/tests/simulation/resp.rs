//! The server's side of the protocol, as little of it as the nodes need.

/// The next whole command and its length.
pub(crate) fn command(input: &[u8]) -> Option<(Vec<Vec<u8>>, usize)> {
    let (count, mut at) = header(input, b'*')?;
    let mut args = Vec::with_capacity(count);
    for _ in 0..count {
        let (length, start) = header(input.get(at..)?, b'$')?;
        let (start, end) = (at + start, at + start + length);
        args.push(input.get(start..end)?.to_vec());
        at = end + 2;
    }
    (at <= input.len()).then_some((args, at))
}

fn header(input: &[u8], mark: u8) -> Option<(usize, usize)> {
    let end = input.iter().position(|&byte| byte == b'\n')?;
    assert_eq!(input[0], mark, "a client that speaks nonsense: {:?}", input.escape_ascii());
    let number = std::str::from_utf8(&input[1..end - 1]).ok()?.parse().ok()?;
    Some((number, end + 1))
}

pub(crate) fn bulk(text: &str) -> String {
    format!("${}\r\n{text}\r\n", text.len())
}

/// Bytes as a person reads them.
pub(crate) fn shown(bytes: &[u8]) -> String {
    let words = bytes.split(|&byte| byte == b'\n').map(|line| line.trim_ascii_end());
    let plain = words.filter(|word| !word.is_empty() && !b"*$".contains(&word[0]));
    let mut shown: Vec<_> = plain.map(|word| String::from_utf8_lossy(word)).collect();
    shown.truncate(40);
    shown.join(" ")
}
