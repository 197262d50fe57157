//! Any bytes in any pieces: refused, or found and read, the same however they are cut.

#![no_main]

use libfuzzer_sys::fuzz_target;
use steadis::proto::read::{Frame, Reader};
use steadis::proto::reply::Reply;
use steadis::proto::scan::{Limits, Malformed, Scanner};

const LIMITS: Limits = Limits { bytes: 1 << 16, depth: 16 };

/// The replies in `bytes`, fed in pieces of the given size.
fn scan(bytes: &[u8], piece: usize) -> Result<Vec<Vec<u8>>, Malformed> {
    let (mut scanner, mut buffer, mut found) = (Scanner::new(LIMITS), Vec::new(), Vec::new());
    for piece in bytes.chunks(piece.max(1)) {
        buffer.extend_from_slice(piece);
        while let Some(length) = scanner.scan(&buffer)? {
            assert!(length > 0 && length <= buffer.len());
            found.push(buffer.drain(..length).collect());
        }
    }
    Ok(found)
}

fuzz_target!(|input: &[u8]| {
    let Some((&size, bytes)) = input.split_first() else { return };
    let whole = scan(bytes, bytes.len());
    assert_eq!(whole, scan(bytes, usize::from(size)));
    assert_eq!(whole, scan(bytes, 1));
    for reply in whole.into_iter().flatten() {
        let frame = Frame::check(&reply, LIMITS).expect("what was found is whole");
        let mut reader = Reader::new(frame);
        let built = Reply::next(&mut reader).expect("one reply");
        assert!(Reply::next(&mut reader).is_none());
        assert_eq!(frame.error().is_some(), matches!(built, Reply::Error(_)));
        assert_eq!(frame.is_push(), matches!(built, Reply::Push(_)));
    }
});
