//! Settings in writing: a line for people, JSON for programs. Passwords are cut unless the
//! caller says otherwise in so many words.

use super::duration;
use super::secret::Secret;
use super::target::Seed;
use super::value::OptionValue;

/// Whether a text may hold passwords.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// `***` instead.
    Cut,
    /// In clear, to compare configurations in tests.
    Shown,
}

/// A value on one line, passwords cut.
pub(super) fn line(value: &OptionValue) -> String {
    match value {
        OptionValue::Text(text) => text.clone(),
        OptionValue::List(items) => items.iter().map(line).collect::<Vec<_>>().join(", "),
        OptionValue::Map(entries) => {
            let pairs = entries.iter().map(|(name, value)| format!("{name}={}", line(value)));
            pairs.collect::<Vec<_>>().join(", ")
        }
        other => json(other, Secrets::Cut).trim_matches('"').to_owned(),
    }
}

/// A value as JSON; a span of time is text such as `"5s"`.
pub(super) fn json(value: &OptionValue, secrets: Secrets) -> String {
    let mut out = String::new();
    write(&mut out, value, secrets);
    out
}

fn write(out: &mut String, value: &OptionValue, secrets: Secrets) {
    match value {
        OptionValue::Null => out.push_str("null"),
        OptionValue::Bool(flag) => out.push_str(&flag.to_string()),
        OptionValue::Int(number) => out.push_str(&number.to_string()),
        OptionValue::Float(number) => out.push_str(&number.to_string()),
        OptionValue::Duration(span) => write_text(out, &duration::print(*span)),
        OptionValue::Text(text) => write_text(out, text),
        OptionValue::Bytes(bytes) => write_text(out, &String::from_utf8_lossy(bytes)),
        OptionValue::Secret(secret) => write_text(out, &secret_text(secret, secrets)),
        OptionValue::List(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write(out, item, secrets);
            }
            out.push(']');
        }
        OptionValue::Map(entries) => {
            out.push('{');
            for (index, (name, value)) in entries.iter().enumerate() {
                out.push_str(if index == 0 { "" } else { "," });
                write_text(out, name);
                out.push(':');
                write(out, value, secrets);
            }
            out.push('}');
        }
    }
}

fn secret_text(secret: &Secret, secrets: Secrets) -> String {
    let revealed = (secrets == Secrets::Shown).then(|| secret.reveal().ok()).flatten();
    match revealed {
        Some(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        None => secret.to_string(),
    }
}

fn write_text(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A Sentinel as one would write it: `host:port`, or a map when there is more to say.
pub(super) fn seed(seed: &Seed) -> OptionValue {
    if seed.credentials.is_none() && seed.tls.is_none() {
        return OptionValue::Text(seed.address.to_string());
    }
    let mut entries = vec![
        ("host".to_owned(), OptionValue::from(seed.address.host.as_str())),
        ("port".to_owned(), OptionValue::from(seed.address.port)),
    ];
    if let Some(credentials) = &seed.credentials {
        entries.push(("username".to_owned(), credentials.username.clone().into()));
        entries.push(("password".to_owned(), credentials.password.clone().into()));
    }
    entries.push(("tls".to_owned(), seed.tls.into()));
    entries.retain(|(_, value)| *value != OptionValue::Null);
    OptionValue::Map(entries)
}
