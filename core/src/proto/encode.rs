//! Arguments become the bytes of a command, straight into the out-buffer.

/// Appends one command to `out`.
pub fn command<A: AsRef<[u8]>>(out: &mut Vec<u8>, args: &[A]) {
    let payload: usize = args.iter().map(|arg| arg.as_ref().len()).sum();
    out.reserve(payload + 16 * (args.len() + 1));
    header(out, args.len());
    for arg in args {
        argument(out, arg.as_ref());
    }
}

/// Appends the head of a command; `count` arguments must follow.
pub fn header(out: &mut Vec<u8>, count: usize) {
    length(out, b'*', count);
}

/// Appends one argument.
#[inline]
pub fn argument(out: &mut Vec<u8>, bytes: &[u8]) {
    length(out, b'$', bytes.len());
    out.extend_from_slice(bytes);
    out.extend_from_slice(b"\r\n");
}

/// Appends one argument, an integer.
pub fn integer(out: &mut Vec<u8>, number: i64) {
    // A sign and 19 digits.
    let mut digits = [0; 20];
    let (mut at, mut rest) = (digits.len(), number.unsigned_abs());
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        at -= 1;
        digits[at] = b'-';
    }
    argument(out, &digits[at..]);
}

#[inline]
fn length(out: &mut Vec<u8>, mark: u8, number: usize) {
    match number {
        // Nearly all of them.
        0..10 => out.extend_from_slice(&[mark, digit(number), b'\r', b'\n']),
        10..100 => {
            out.extend_from_slice(&[mark, digit(number / 10), digit(number), b'\r', b'\n']);
        }
        _ => long_length(out, mark, number),
    }
}

#[cold]
fn long_length(out: &mut Vec<u8>, mark: u8, mut number: usize) {
    let mut line = [0; 24];
    let mut at = line.len() - 2;
    line[at] = b'\r';
    line[at + 1] = b'\n';
    while number > 0 {
        at -= 1;
        line[at] = digit(number);
        number /= 10;
    }
    at -= 1;
    line[at] = mark;
    out.extend_from_slice(&line[at..]);
}

/// The last decimal digit.
fn digit(number: usize) -> u8 {
    b'0' + (number % 10) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_an_array_of_bulk_strings() {
        let mut out = Vec::new();
        command(&mut out, &["SET", "clé", ""]);
        assert_eq!(out, "*3\r\n$3\r\nSET\r\n$4\r\nclé\r\n$0\r\n\r\n".as_bytes());
    }

    #[test]
    fn integers_of_any_size_are_written_in_full() {
        for number in [0, 7, -7, 10, 1999, i64::MAX, i64::MIN] {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            integer(&mut ours, number);
            argument(&mut theirs, number.to_string().as_bytes());
            assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn lengths_of_any_size_are_written_in_full() {
        for number in [0, 9, 10, 99, 12_345, usize::MAX] {
            let mut out = Vec::new();
            length(&mut out, b'$', number);
            assert_eq!(out, format!("${number}\r\n").as_bytes());
        }
    }
}
