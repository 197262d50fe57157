//! No password is ever printed, and those that can change are asked for anew.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use steadis::config::{Config, Credentials, Environment, Input, OptionValue, Secret, Secrets};

const CANARY: &str = "hunter2";

/// Every way a password gets in, sound and broken.
fn inputs(folder: &str) -> Vec<Input> {
    let urls = [
        "redis://:{}@h",
        "redis://u:{}@h:1/2",
        "redis://{}@h",
        "redis://{}:x@h:0",
        "redis://u:{}@h:x",
        "redis://:{}",
        "redis://u:{}",
        "redis://:{}@h/x",
        "redis://:{}/@h",
        "redis://:x/{}@h",
        "redis://:x?{}@h",
        "redis://:x#{}@h",
        "redis://:x?y={}@h",
        "redis://:1?y={}@h",
        "redis://:1/{}@h",
        "redis://:%{}@h",
        "redis://u:{}@a,b/0",
        "redis://u:{},x@h",
        "redis://u:x {}@h",
        "redis://h?password={}",
        "redis://h?password={}&password=x",
        "redis://h?pasword={}",
        "redis://h?sentinel_password={}",
        "redis://:{}\u{1}@h",
        "redis://:{}@h\u{1}",
        "redis-sentinel://:{}@h1,h2/m",
        "redis-sentinel://u:{}@h1,h2:0",
        "redis-sentinel://u:{}",
        "redis-sentinel://{}@h",
        "redis-sentinel://:{}@m@h",
        "redis+sentinel://{}@h",
        "redis-sentinel://:x/{}@h",
        "redis-sentinel://:x,{}@h",
        "redis-sentinel://:x;{}@h",
        "redis-sentinel://h1?node=redis://:{}@h2",
        "redis-sentinel://h1?node=redis://:{}@h2:0",
        "redis-sentinel://h1?node=:{}@h2",
        "sentinel://:{}@h1;sentinel://:x@h2",
        "sentinel://h1;redis://:{}@h2:x",
        "sentinel://:x@h1;sentinel://:{}@h2",
        "unix://:{}@/r.sock",
        "unix://:{}@r",
        "http://:{}@h",
        "u:{}@h",
        ":{}@h",
        "{}@h",
        "https://default:{}@eu1-x.upstash.io",
    ];
    let lists = [
        "redis://:{}@a:1",
        "redis://:{}@a:0",
        "redis://:{}",
        "a:1,redis://:{}@b:x",
        ":{}@a",
        "a:1,u:{}@b",
        "redis://:{},x@b",
        "redis://:x,{}@b",
        "redis://:{} x@b",
        "u:{},x@b",
        "redis://:{}@a/0",
        "amqp://:{}@a",
        r#"[{"host":"a","port":0,"password":"{}"}]"#,
        r#"[{"host":"a","pasword":"{}"}]"#,
        r#"[{"host":"a","password":"{}"}]"#,
        r#"[{"password":"{}"}]"#,
        r#"[{"host":"a","password":"{}""#,
    ];
    let fill = |text: &str| text.replace("{}", CANARY);
    let mut inputs: Vec<Input> = Vec::new();
    for url in urls.map(fill) {
        inputs.push(Input::default().url(url.as_str()));
        inputs.push(Input::default().option("url", url.as_str()).option("db", "x"));
        for name in [
            "REDIS_URL",
            "REDIS_TLS_URL",
            "REDIS_SENTINEL_URL",
            "REDIS_SENTINEL_LIST",
            "REDIS_PROVIDER",
            "REDIS_HOST",
            "REDIS_DB",
            "REDIS_PORT",
            "REDIS_ADDRESS_MAP",
            "REDIS_ALLOW_PRIMARIES",
            "REDIS_TLS",
            "REDIS_COMMAND_TIMEOUT",
        ] {
            inputs.push(Input::new(
                [("REDIS_HOST", "h"), (name, url.as_str())].into_iter().collect(),
            ));
        }
    }
    for list in lists.map(fill) {
        inputs.push(Input::default().option("sentinels", list.as_str()));
        inputs.push(Input::new([("REDIS_SENTINEL_LIST", list)].into_iter().collect()));
    }
    for name in ["password", "sentinel_password", "pasword"] {
        let values = [
            OptionValue::from(CANARY),
            OptionValue::Bytes(CANARY.into()),
            OptionValue::List(vec![CANARY.into()]),
            Secret::new(CANARY).into(),
            Secret::callback(|| Ok(CANARY.to_owned())).into(),
            Secret::file(format!("{folder}/password")).into(),
        ];
        for value in values {
            inputs.push(Input::default().option("host", "h").option(name, value.clone()));
            inputs.push(
                Input::default()
                    .option("sentinels", "a")
                    .option("sentinel_kwargs", OptionValue::Map(vec![(name.to_owned(), value)])),
            );
        }
    }
    let variables =
        |pairs: &[(&str, &str)]| Input::new(pairs.iter().copied().collect::<Environment>());
    let file = format!("{folder}/password");
    for (plain, twin) in [
        ("REDIS_PASSWORD", "REDIS_PASSWORD_FILE"),
        ("REDIS_SENTINEL_PASSWORD", "REDIS_SENTINEL_PASSWORD_FILE"),
    ] {
        for address in [
            ("REDIS_HOST", "h"),
            ("REDIS_SENTINEL_LIST", "h"),
            ("REDIS_URL", "redis://:other@h"),
            ("REDIS_DB", "x"),
        ] {
            inputs.push(variables(&[address, (plain, CANARY)]));
            inputs.push(variables(&[address, (plain, "\"hunter2\"")]));
            inputs.push(variables(&[address, (plain, CANARY), ("REDISPASSWORD", "other")]));
            inputs.push(variables(&[address, (twin, &file)]));
            inputs.push(variables(&[address, (twin, &file), (plain, "other")]));
            inputs.push(variables(&[address, (twin, CANARY)]));
        }
    }
    inputs
}

#[test]
fn no_password_is_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("password"), CANARY).expect("written");
    let inputs = inputs(folder.path().to_str().expect("UTF-8"));
    let (mut resolved, mut refused) = (0, 0);
    for input in &inputs {
        let mut printed = vec![format!("{input:?}"), format!("{:?}", input.options)];
        match Config::resolve(input) {
            Ok(found) => {
                resolved += 1;
                printed.extend([format!("{found:?}"), format!("{:?}", found.config)]);
                printed.extend([found.explain().to_string(), found.explain().to_json()]);
                printed.push(found.config.to_json(Secrets::Cut));
                printed.push(format!("{:?}", found.config.to_options()));
                printed.extend(found.warnings);
            }
            Err(error) => {
                refused += 1;
                printed.extend([error.to_string(), format!("{error:?}")]);
            }
        }
        for text in printed {
            assert!(!text.contains(CANARY), "{text}\nfrom {:?} {:?}", input.url, input.options);
        }
    }
    assert!(resolved > 100 && refused > 100, "{resolved} resolved, {refused} refused");
}

#[test]
fn a_rotated_file_is_read_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("password");
    fs::write(&path, "first\n").expect("written");
    let environment: Environment =
        [("REDIS_HOST", "h"), ("REDIS_PASSWORD_FILE", path.to_str().expect("UTF-8"))]
            .into_iter()
            .collect();
    let resolved = Config::resolve(&Input::new(environment)).expect("a configuration");
    assert_eq!(
        resolved.explain().rows.iter().find(|row| row.name == "password").map(|row| row.source()),
        Some(format!("REDIS_PASSWORD_FILE ({})", path.display()))
    );
    let secret = password(&resolved.config);
    assert!(secret.can_change());
    assert_eq!(secret.reveal(), Ok(b"first".to_vec()));
    fs::write(&path, "second\n").expect("written");
    assert_eq!(secret.reveal(), Ok(b"second".to_vec()));
    fs::remove_file(&path).expect("removed");
    let error = secret.reveal().expect_err("no file");
    assert!(error.message().contains("make it a readable file again"), "{error}");
}

#[test]
fn a_callback_is_asked_each_time_and_never_while_resolving() {
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let callback =
        Secret::callback(move || Ok(format!("token-{}", count.fetch_add(1, Ordering::Relaxed))));
    let input = Input::default().option("host", "h").option("password", callback);
    let resolved = Config::resolve(&input).expect("a configuration");
    drop((resolved.explain().to_string(), format!("{resolved:?}")));
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    let secret = password(&resolved.config);
    assert_eq!(secret.reveal(), Ok(b"token-0".to_vec()));
    assert_eq!(secret.reveal(), Ok(b"token-1".to_vec()));
}

#[test]
fn bytes_that_are_no_text_are_a_fine_password() {
    let input =
        Input::default().option("host", "h").option("password", OptionValue::Bytes(vec![0xff, 0]));
    let config = Config::resolve(&input).expect("a configuration").config;
    assert_eq!(password(&config).reveal(), Ok(vec![0xff, 0]));
}

#[cfg(unix)]
#[test]
fn a_file_that_everyone_can_write_is_worth_a_warning() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("password");
    fs::write(&path, "p").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("changed");
    let environment: Environment =
        [("REDIS_HOST", "h"), ("REDIS_PASSWORD_FILE", path.to_str().expect("UTF-8"))]
            .into_iter()
            .collect();
    let resolved = Config::resolve(&Input::new(environment)).expect("a configuration");
    assert!(resolved.warnings.iter().any(|warning| warning.contains("can be written by everyone")));
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_refused_by_name() {
    use std::os::unix::ffi::OsStringExt;
    let bytes = std::ffi::OsString::from_vec(vec![0xff]);
    let environment: Environment =
        [("REDIS_PASSWORD", bytes), ("REDIS_HOST", "h".into())].into_iter().collect();
    let error = Config::resolve(&Input::new(environment)).expect_err("no text");
    assert!(error.message().starts_with("REDIS_PASSWORD is not UTF-8"), "{error}");
}

fn password(config: &Config) -> Secret {
    let credentials: Credentials = config.data.credentials.clone().expect("credentials");
    credentials.password.expect("a password")
}
