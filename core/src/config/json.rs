//! JSON as it is found in environment variables: also with single quotes, as Python prints
//! lists. Becomes an [`OptionValue`], so that text and host-language lists take one path.

use super::value::OptionValue;

/// Deeper than any list of addresses.
const DEEPEST: usize = 8;

/// Reads one JSON value; the error tells the position.
pub(super) fn parse(text: &str) -> Result<OptionValue, String> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.expected("the end")),
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    /// The next character that is no blank.
    fn peek(&mut self) -> Option<char> {
        let rest = self.text.get(self.at..)?;
        let trimmed = rest.trim_start();
        self.at += rest.len() - trimmed.len();
        trimmed.chars().next()
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn expected(&self, what: &str) -> String {
        format!("character {} is not {what}", self.text[..self.at].chars().count() + 1)
    }

    fn value(&mut self, depth: usize) -> Result<OptionValue, String> {
        if depth > DEEPEST {
            return Err(format!("it is nested more than {DEEPEST} deep"));
        }
        match self.peek() {
            Some('[') => self.list(depth),
            Some('{') => self.map(depth),
            Some('"' | '\'') => self.string().map(OptionValue::Text),
            _ => self.word(),
        }
    }

    fn list(&mut self, depth: usize) -> Result<OptionValue, String> {
        let mut items = Vec::new();
        self.take('[');
        while !self.take(']') {
            items.push(self.value(depth + 1)?);
            if !self.take(',') && self.peek() != Some(']') {
                return Err(self.expected("a comma or ]"));
            }
        }
        Ok(OptionValue::List(items))
    }

    fn map(&mut self, depth: usize) -> Result<OptionValue, String> {
        let mut entries = Vec::new();
        self.take('{');
        while !self.take('}') {
            self.peek();
            let key = self.string()?;
            if !self.take(':') {
                return Err(self.expected("a colon"));
            }
            entries.push((key, self.value(depth + 1)?));
            if !self.take(',') && self.peek() != Some('}') {
                return Err(self.expected("a comma or }"));
            }
        }
        Ok(OptionValue::Map(entries))
    }

    fn string(&mut self) -> Result<String, String> {
        let mut chars = self.text[self.at..].char_indices();
        let quote = match chars.next() {
            Some((_, quote @ ('"' | '\''))) => quote,
            _ => return Err(self.expected("a quote")),
        };
        let mut string = String::new();
        while let Some((offset, c)) = chars.next() {
            match c {
                '\\' => match chars.next() {
                    Some((_, 'n')) => string.push('\n'),
                    Some((_, 't')) => string.push('\t'),
                    Some((_, 'u')) => {
                        let digits: String = chars.by_ref().take(4).map(|(_, c)| c).collect();
                        let code = u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32);
                        string.push(code.ok_or_else(|| self.expected("text with sound escapes"))?);
                    }
                    Some((_, c)) if matches!(c, '"' | '\'' | '\\' | '/') => string.push(c),
                    _ => return Err(self.expected("text with sound escapes")),
                },
                c if c == quote => {
                    self.at += offset + quote.len_utf8();
                    return Ok(string);
                }
                c => string.push(c),
            }
        }
        Err(self.expected("the begin of a string that ends"))
    }

    fn word(&mut self) -> Result<OptionValue, String> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "+-.".contains(c)));
        let word = &rest[..end.unwrap_or(rest.len())];
        let value = match word {
            "true" | "True" => OptionValue::Bool(true),
            "false" | "False" => OptionValue::Bool(false),
            "null" | "None" => OptionValue::Null,
            _ => match (word.parse(), word.parse()) {
                (Ok(whole), _) => OptionValue::Int(whole),
                (_, Ok(number)) if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
                    OptionValue::Float(number)
                }
                _ => return Err(self.expected("a value")),
            },
        };
        self.at += word.len();
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OptionValue::{Float, Int, List, Map, Text};

    #[test]
    fn what_people_paste() {
        assert_eq!(
            parse(r#" [["a", 1], ['b' ,2.5,], {"host":"c\u0041\n"}] "#),
            Ok(List(vec![
                List(vec![Text("a".into()), Int(1)]),
                List(vec![Text("b".into()), Float(2.5)]),
                Map(vec![("host".into(), Text("cA\n".into()))]),
            ]))
        );
        assert_eq!(parse("[]"), Ok(List(vec![])));
    }

    #[test]
    fn what_is_broken_is_refused_with_its_place() {
        for text in
            ["", "[", "[1", "[,]", "{1:2}", "\"a", "[1] 2", "{\"a\"}", "[1 2]", "\"\\ud800\""]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse("[1 2]"), Err("character 4 is not a comma or ]".into()));
        assert!(parse(&"[".repeat(1_000_000)).is_err());
    }
}
