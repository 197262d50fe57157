//! `docs/configuration.md`: a written frame around the table of options.

use steadis::config::{Kind, Scope, Spec, all_options};

/// The page, with the tables made of the same source that the parser goes by.
pub(crate) fn document() -> String {
    include_str!("configuration.md")
        .replace("{{options}}", &options())
        .replace("{{variables}}", &variables())
        .replace("{{aliases}}", &aliases())
}

fn options() -> String {
    let mut table = "| option | accepts | default | set it when |\n|---|---|---|---|\n".to_owned();
    for spec in all_options() {
        let default = spec.default_text().map_or("–".to_owned(), |text| format!("`{text}`"));
        table += &row(&[&code(spec.name), &accepts(spec), &default, spec.why]);
    }
    table
}

fn variables() -> String {
    let mut table = "| option | variables, the first one preferred |\n|---|---|\n".to_owned();
    for spec in all_options().filter(|spec| !spec.env.is_empty()) {
        table += &row(&[&code(spec.name), &codes(spec.env)]);
    }
    table
}

fn aliases() -> String {
    let mut table = "| option | also accepted |\n|---|---|\n".to_owned();
    for spec in all_options().filter(|spec| !spec.aliases.is_empty()) {
        table += &row(&[&code(spec.name), &codes(spec.aliases)]);
    }
    table
}

fn accepts(spec: &Spec) -> String {
    let unit = match (spec.kind, spec.scope) {
        (Kind::Integer { .. }, Scope::Client) if spec.name.ends_with("_bytes") => ", in bytes",
        _ => "",
    };
    format!("{}{unit}", spec.kind.expected())
}

fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|")).collect();
    format!("| {} |\n", cells.join(" | "))
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn codes(texts: &[&str]) -> String {
    texts.iter().map(|text| code(text)).collect::<Vec<_>>().join(", ")
}
