//! `explain` names the source of every setting.

use steadis::config::{Config, Environment, Explanation, Input};

fn explained(variables: &[(&str, &str)], input: impl Fn(Input) -> Input) -> Explanation {
    let environment: Environment = variables.iter().copied().collect();
    Config::resolve(&input(Input::new(environment))).expect("a configuration").explain()
}

fn source(explanation: &Explanation, name: &str) -> String {
    let row = explanation.rows.iter().find(|row| row.name == name);
    row.unwrap_or_else(|| panic!("no row {name}")).source()
}

#[test]
fn each_source_is_named_the_way_its_owner_wrote_it() {
    let explanation = explained(
        &[
            ("REDIS_SENTINELS", "a"),
            ("REDIS_SENTINEL_URL", "redis-sentinel://:p@b/m"),
            ("REDIS_URL", "redis://old.example/3"),
            ("REDIS_CLIENT_NAME", "app"),
        ],
        |input| {
            input
                .option("commandTimeout", 2)
                .option("tls", true)
                .option("tls_ca", "/ca.pem")
                .option("sentinel_tls", true)
        },
    );
    let expected = [
        ("sentinels", "REDIS_SENTINELS, REDIS_SENTINEL_URL"),
        ("primary_name", "REDIS_SENTINEL_URL"),
        ("password", "REDIS_SENTINEL_URL"),
        ("db", "REDIS_URL"),
        ("client_name", "REDIS_CLIENT_NAME"),
        ("command_timeout", "the option commandTimeout"),
        ("connect_timeout", "default"),
        ("sentinel_tls_ca", "as tls_ca"),
    ];
    for (name, wanted) in expected {
        assert_eq!(source(&explanation, name), wanted, "{name}");
    }
}

#[test]
fn parts_of_a_url_and_of_a_group_are_told_apart() {
    let explanation = explained(&[("REDIS_HOST", "unused")], |input| {
        let group = steadis::config::OptionValue::Map(vec![
            ("user".into(), "u".into()),
            ("password".into(), "p".into()),
        ]);
        input.url("redis-sentinel://h1").option("sentinel_kwargs", group)
    });
    assert_eq!(source(&explanation, "sentinels"), "the url argument");
    assert_eq!(source(&explanation, "sentinel_username"), "the option sentinel_kwargs.user");
}

#[test]
fn the_table_is_aligned_and_the_json_is_json() {
    let explanation = explained(&[("REDIS_URL", "redis://:p@h:7000")], |input| input);
    let table = explanation.to_string();
    let columns: Vec<usize> = table
        .lines()
        .filter(|line| line.ends_with("default"))
        .filter_map(|line| line.find("default"))
        .collect();
    assert!(columns.len() > 5 && columns.windows(2).all(|pair| pair[0] == pair[1]), "{table}");
    assert!(table.contains("password") && table.contains("***"));
    let json: serde_json::Value = serde_json::from_str(&explanation.to_json()).expect("JSON");
    assert_eq!(
        json[1],
        serde_json::json!({"name": "port", "value": "7000", "source": "REDIS_URL"})
    );
}
