//! What holds of any configuration input.

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use steadis::config::{
    Address, Config, Credentials, DataLogin, Endpoint, Environment, Input, OptionValue, Protocol,
    ReadFrom, RetryWrites, Secret, Seed, SentinelLogin, Target, Tls, all_options,
};

/// Pieces that steer random text into the corners of the parsers.
fn corner() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "redis://",
            "rediss://",
            "redis-sentinel://",
            "redis+sentinel://",
            "sentinel://",
            "unix://",
            "@",
            ":",
            ",",
            ";",
            "/",
            "?",
            "#",
            "&",
            "=",
            "%",
            "%2",
            "[",
            "]",
            "{",
            "}",
            "\"",
            "'",
            " ",
            "\n",
            "::1",
            "[::1]",
            "[\"",
            "]]",
            "node=",
            "db=",
            "master=",
            "sentinel_password=",
            "tcp://",
            "26379",
            "65536",
            "h",
            "mymaster",
            "0",
            "\u{0}",
            "é",
            "5s",
            "*",
            "10.0.0.0/8",
            "-",
        ])
        .prop_map(str::to_owned),
        ".{0,3}",
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn value() -> impl Strategy<Value = OptionValue> {
    let leaf = prop_oneof![
        Just(OptionValue::Null),
        any::<bool>().prop_map(OptionValue::Bool),
        any::<i64>().prop_map(OptionValue::Int),
        any::<f64>().prop_map(OptionValue::Float),
        corner().prop_map(OptionValue::Text),
        any::<Vec<u8>>().prop_map(OptionValue::Bytes),
        any::<Duration>().prop_map(OptionValue::Duration),
    ];
    leaf.prop_recursive(4, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(OptionValue::List),
            prop::collection::vec((option_name(), inner), 0..4).prop_map(OptionValue::Map),
        ]
    })
}

fn option_name() -> impl Strategy<Value = String> {
    let mut names: Vec<String> = all_options()
        .flat_map(|spec| std::iter::once(&spec.name).chain(spec.aliases))
        .map(|name| (*name).to_owned())
        .collect();
    names.extend(
        ["sentinel_kwargs", "socket", "ssl_params", "rejectUnauthorized"].map(str::to_owned),
    );
    prop_oneof![8 => prop::sample::select(names), 1 => corner()]
}

fn variable() -> impl Strategy<Value = String> {
    let names: Vec<String> =
        all_options().flat_map(|spec| spec.env).map(|n| (*n).to_owned()).collect();
    prop_oneof![8 => prop::sample::select(names), 1 => Just("REDIS_PROVIDER".to_owned())]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_url_is_read_or_refused(url in corner()) {
        check(&Input::new(Environment::none()).url(url));
    }

    #[test]
    fn any_environment_is_read_or_refused(
        variables in prop::collection::vec((variable(), corner()), 0..5),
    ) {
        check(&Input::new(variables.into_iter().filter(|(_, v)| !v.contains('\0')).collect()));
    }

    #[test]
    fn any_options_are_read_or_refused(
        options in prop::collection::vec((option_name(), value()), 0..4),
        url in prop::option::of(corner()),
    ) {
        check(&Input { options, url, ..Input::default() });
    }

    #[test]
    fn a_configuration_survives_being_printed(config in config()) {
        let options = config.to_options();
        let read = Config::resolve(&Input { options, ..Input::default() });
        prop_assert_eq!(read.map(|resolved| resolved.config), Ok(Arc::new(config)));
    }

    #[test]
    fn an_address_survives_being_printed(address in address()) {
        let seed = Input::default().option("sentinels", address.to_string());
        let config = Config::resolve(&seed).map(|resolved| resolved.config);
        let expected = Target::Sentinels { seeds: vec![Seed::new(address)], primary: None };
        prop_assert_eq!(config.map(|config| config.target.clone()), Ok(expected));
    }
}

/// Either way, messages are one line, and what was resolved is stable.
fn check(input: &Input) {
    match Config::resolve(input) {
        Ok(resolved) => {
            assert!(resolved.warnings.iter().all(|warning| !warning.contains('\n')));
            let options = resolved.config.to_options();
            let again =
                Config::resolve(&Input { options, ..Input::default() }).expect("our own options");
            assert_eq!(again.config, resolved.config);
        }
        Err(error) => assert!(!error.message().contains('\n'), "{error}"),
    }
}

fn address() -> impl Strategy<Value = Address> {
    let v6 = any::<u128>().prop_map(|bits| std::net::Ipv6Addr::from_bits(bits).to_string());
    let host = prop_oneof!["[a-z][a-z0-9_.-]{0,20}", Just("10.0.0.1".to_owned()), v6];
    (host, 1u16..).prop_map(|(host, port)| Address::new(host, port))
}

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9@:/?#%,; _é-]{1,12}".prop_map(|text| format!("x{text}x"))
}

fn credentials() -> impl Strategy<Value = Option<Credentials>> {
    prop::option::of((prop::option::of(text()), text()).prop_map(|(username, password)| {
        Credentials { username, password: Some(Secret::new(password)) }
    }))
}

fn tls() -> impl Strategy<Value = Option<Tls>> {
    let path = || prop::option::of("/[a-z]{1,8}".prop_map(std::path::PathBuf::from));
    let pair = prop::option::of(("/[a-z]{1,8}", "/[a-z]{1,8}"));
    prop::option::of((path(), pair, prop::option::of("[a-z.]{1,8}")).prop_map(
        |(ca, pair, server_name)| {
            let (cert, key) = pair.unzip();
            Tls { ca, cert: cert.map(Into::into), key: key.map(Into::into), server_name }
        },
    ))
}

fn target() -> impl Strategy<Value = Target> {
    let seed = (address(), credentials(), prop::option::of(any::<bool>()))
        .prop_map(|(address, credentials, tls)| Seed { address, credentials, tls });
    let seeds = prop::collection::vec(seed, 1..5).prop_map(|mut seeds| {
        let mut seen = std::collections::HashSet::new();
        seeds.retain(|seed| seen.insert(seed.address.clone()));
        seeds
    });
    prop_oneof![
        (seeds, prop::option::of("[a-zA-Z0-9_-]{1,12}"))
            .prop_map(|(seeds, primary)| Target::Sentinels { seeds, primary }),
        address().prop_map(|address| Target::Node(Endpoint::Tcp(address))),
        "/[a-z]{1,12}".prop_map(|path| Target::Node(Endpoint::Unix(path.into()))),
    ]
}

fn span() -> impl Strategy<Value = Duration> {
    (1u64..2_000_000_000_000).prop_map(Duration::from_micros)
}

prop_compose! {
    fn config()(
        target in target(),
        (data_credentials, data_tls) in (credentials(), tls()),
        (sentinel_credentials, sentinel_tls) in (credentials(), tls()),
        db in 0u32..1000,
        client_name in prop::option::of("[a-z]{1,8}"),
        (connect, command, failover, lag) in (span(), span(), span(), prop::option::of(span())),
        (always, fence, eager, old) in any::<(bool, bool, bool, bool)>(),
        read_from in prop::sample::select(vec![
            ReadFrom::Primary, ReadFrom::PreferReplica, ReadFrom::Replica, ReadFrom::Nearest,
            ReadFrom::RoundRobin,
        ]),
        limits in prop::array::uniform4(1usize..1_000_000_000),
        lanes in prop::option::of(1usize..64),
    ) -> Config {
        let mut sentinel_tls = sentinel_tls;
        // Sentinels inherit the files of the data nodes, so only what is complete can come back.
        if let (Some(data), Some(sentinel)) = (&data_tls, &mut sentinel_tls) {
            *sentinel = Tls { server_name: sentinel.server_name.clone(), ..data.clone() };
        }
        let mut config = Config::new(target);
        config.data = DataLogin { credentials: data_credentials, tls: data_tls, db, client_name };
        config.sentinel = SentinelLogin { credentials: sentinel_credentials, tls: sentinel_tls };
        config.connect_timeout = connect;
        config.command_timeout = command;
        config.failover_timeout = failover;
        config.max_lag = lag;
        config.retry_writes = if always { RetryWrites::Always } else { RetryWrites::Unsent };
        config.fence = fence;
        config.eager = eager;
        config.protocol = if old { Protocol::Resp2 } else { Protocol::Resp3 };
        config.read_from = read_from;
        [config.max_in_flight, config.max_held, config.max_held_bytes, config.max_reply_bytes] = limits;
        config.lanes = lanes.and_then(std::num::NonZeroUsize::new);
        config
    }
}

#[test]
fn huge_inputs_take_linear_time() {
    let list: String = (0..50_000).map(|n| format!("host-{n}:26379,")).collect();
    assert!(list.len() > 800_000);
    let json =
        format!("[{}]", (0..10_000).map(|n| format!("[\"h{n}\",1]")).collect::<Vec<_>>().join(","));
    let huge = [
        ("REDIS_SENTINEL_LIST", list.clone()),
        ("REDIS_SENTINEL_LIST", json),
        ("REDIS_SENTINEL_LIST", "[".repeat(1 << 20)),
        ("REDIS_SENTINEL_LIST", ":".repeat(1 << 20)),
        ("REDIS_SENTINEL_LIST", "@".repeat(1 << 20)),
        ("REDIS_SENTINEL_LIST", "redis://".repeat(1 << 17)),
        ("REDIS_URL", format!("redis-sentinel://{list}")),
        ("REDIS_URL", "sentinel://h;".repeat(80_000)),
        ("REDIS_URL", format!("redis-sentinel://h?{}", "node=h&".repeat(150_000))),
        ("REDIS_URL", format!("redis://h?{}", "x=y&".repeat(20_000))),
        ("REDIS_URL", "%".repeat(1 << 20)),
        ("REDIS_SENTINEL_LIST", (1000..9999).map(|n| format!("fe80::1:{n},")).collect()),
        ("REDIS_ADDRESS_MAP", "a=b,".repeat(250_000)),
    ];
    for (name, text) in huge {
        let start = text.get(..30).unwrap_or_default().to_owned();
        let at = Instant::now();
        let host = (name == "REDIS_ADDRESS_MAP").then_some(("REDIS_HOST", "h".to_owned()));
        let variables = [(name, text)].into_iter().chain(host);
        let _ = Config::resolve(&Input::new(variables.collect()));
        assert!(at.elapsed() < Duration::from_secs(5), "{name}={start}… took {:?}", at.elapsed());
    }
}

#[test]
fn ten_thousand_sentinels_are_all_there() {
    let list: Vec<String> = (0..10_000).map(|n| format!("host-{n}")).collect();
    let config = Config::resolve(&Input::default().option("sentinels", list)).expect("read").config;
    let Target::Sentinels { seeds, .. } = &config.target else { panic!("no Sentinels") };
    assert_eq!(seeds.len(), 10_000);
}
