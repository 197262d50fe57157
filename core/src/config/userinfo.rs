//! The `user:password@` of a URL.

use super::secret::{Credentials, Secret};
use super::text::percent_decoded;

/// What stands before the last `@`, and what is odd about it.
pub(super) struct UserInfo {
    pub(super) credentials: Credentials,
    /// Ends of sentences that begin with where the text is.
    pub(super) oddities: Vec<&'static str>,
}

/// Splits at the first `:`. Without one it is a password, as most clients for servers without
/// users have it. An empty user is the user `default`.
pub(super) fn parse(text: &str) -> Result<UserInfo, &'static str> {
    let mut oddities = Vec::new();
    let (user, password) = text.split_once(':').unwrap_or_else(|| {
        if !text.is_empty() {
            oddities.push(
                "has one word before the @, which is taken as the password; \
                 write :password@ or user:password@",
            );
        }
        ("", text)
    });
    let (user, password) = (percent_decoded(user), percent_decoded(password));
    if user.lone_percent || password.lone_percent {
        oddities.push(
            "has a % without two hex digits in its user or password, \
             which is taken as it is; write %25",
        );
    }
    let user = user.text().ok_or("has a user name that is not UTF-8; write it percent-encoded")?;
    Ok(UserInfo {
        credentials: Credentials {
            username: Some(user).filter(|user| !user.is_empty()),
            password: Some(password.bytes).filter(|bytes| !bytes.is_empty()).map(Secret::new),
        },
        oddities,
    })
}

/// The rest of a text after its last `@`, with what was before.
pub(super) fn split(text: &str) -> (Option<&str>, &str) {
    match text.rsplit_once('@') {
        Some((userinfo, rest)) => (Some(userinfo), rest),
        None => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Option<String>, Option<Vec<u8>>, usize) {
        let info = parse(text).unwrap();
        let password = info.credentials.password.map(|secret| secret.reveal().unwrap());
        (info.credentials.username, password, info.oddities.len())
    }

    #[test]
    fn users_and_passwords() {
        assert_eq!(read("u:p%40s:s"), (Some("u".into()), Some(b"p@s:s".to_vec()), 0));
        assert_eq!(read(":p"), (None, Some(b"p".to_vec()), 0));
        assert_eq!(read("p"), (None, Some(b"p".to_vec()), 1));
        assert_eq!(read("u:%"), (Some("u".into()), Some(b"%".to_vec()), 1));
        assert_eq!(read(""), (None, None, 0));
        assert!(parse("%ff:p").is_err());
    }
}
