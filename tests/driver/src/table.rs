//! Columns of text, and the words for figures.

use std::collections::BTreeMap;
use std::time::Duration;

/// The first column to the left, the others to the right.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let cell = |row: &Vec<String>, column: usize| row.get(column).cloned().unwrap_or_default();
    let width = |column| rows.iter().map(|row| cell(row, column).chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = widths.iter().enumerate().map(|(column, &width)| match column {
            0 => format!("{:<width$}", cell(row, column)),
            _ => format!("{:>width$}", cell(row, column)),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// 0.09 s, to be read down a column.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{:.2} s", time.as_secs_f64())
}

/// "8 MaybeExecuted", or a dash.
pub(crate) fn errors(kinds: &BTreeMap<String, u64>) -> String {
    let each: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    if each.is_empty() { "–".into() } else { each.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let rows = [vec!["a".into(), "b".into()], vec!["long".into(), "10".into()], vec![]];
        assert_eq!(table(&rows), "a      b\nlong  10\n\n");
        assert_eq!(seconds(Duration::from_millis(91)), "0.09 s");
        assert_eq!(errors(&BTreeMap::new()), "–");
        assert_eq!(errors(&[("Timeout".to_owned(), 2)].into()), "2 Timeout");
    }
}
