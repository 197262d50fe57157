//! Connecting to real servers of every sort, and to things that are none.

mod support;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use steadis::config::{Address, Endpoint, Tls};
use steadis::lane::blocking::Lane;
use steadis::lane::call::{Caller, Request};
use steadis::lane::dial::{Connection, Dial};
use steadis::lane::exclusive::Exclusive;
use steadis::lane::wire::Wire;
use steadis::policy::Effect;
use steadis::proto::encode;
use steadis::proto::handshake::{Greeting, Login, Role};
use steadis::proto::ledger::{Fate, Ledger, Span};
use steadis::proto::scan::Limits;
use steadis::{Kind, Result};
use support::{Redis, free_port};

fn endpoint(port: u16) -> Endpoint {
    Endpoint::Tcp(Address { host: "127.0.0.1".into(), port })
}

fn dial(
    endpoint: &Endpoint,
    tls: Option<&Tls>,
    login: Login,
    patience: Duration,
) -> Result<(Exclusive<Connection>, Greeting)> {
    let deadline = Instant::now() + patience;
    let peer_timeout = Duration::from_secs(5);
    Dial { endpoint, tls, login, limits: Limits::default(), deadline, peer_timeout }.connect(&())
}

fn quick(endpoint: &Endpoint, login: Login) -> Result<(Exclusive<Connection>, Greeting)> {
    dial(endpoint, None, login, Duration::from_secs(10))
}

fn login(username: Option<&str>, password: Option<&str>) -> Login {
    Login {
        username: username.map(str::to_owned),
        password: password.map(|password| password.as_bytes().to_vec()),
        ..Login::default()
    }
}

fn ask(connection: &mut Exclusive<Connection>, args: &[&str]) -> String {
    let mut bytes = Vec::new();
    encode::command(&mut bytes, args);
    let (mut frames, now) = (Vec::new(), Instant::now());
    let caller = Caller { now, deadline: now + Duration::from_secs(10), host: &() };
    let span = Span::Command { bytes: bytes.len() };
    connection
        .call(Request { bytes: &bytes, span, effect: Effect::Writes }, caller, &mut frames)
        .unwrap();
    String::from_utf8_lossy(&frames).into_owned()
}

fn message(outcome: Result<(Exclusive<Connection>, Greeting)>) -> (Kind, String) {
    let error = outcome.map(|(_, greeting)| greeting).unwrap_err();
    (error.kind(), error.to_string())
}

#[test]
fn a_plain_server_is_a_primary_in_resp3() {
    let redis = Redis::start();
    let who = Login { db: 3, client_name: Some("web".into()), ..Login::default() };
    let (mut connection, greeting) = quick(&endpoint(redis.port), who).unwrap();
    assert_eq!(greeting, Greeting { role: Role::Primary, protocol: 3, warning: None });
    let me = ask(&mut connection, &["CLIENT", "INFO"]);
    assert!(me.contains(" name=web ") && me.contains(" db=3 ") && me.contains(" resp=3"), "{me}");
}

#[test]
fn a_server_without_hello_is_spoken_to_in_resp2() {
    let redis = Redis::start_with(&["--rename-command", "HELLO", "", "--requirepass", "s3cret"]);
    let who =
        Login { db: 2, client_name: Some("old".into()), ..login(Some("default"), Some("s3cret")) };
    let (mut connection, greeting) = quick(&endpoint(redis.port), who).unwrap();
    assert_eq!((greeting.role, greeting.protocol), (Role::Primary, 2));
    let me = ask(&mut connection, &["CLIENT", "INFO"]);
    assert!(me.contains(" name=old ") && me.contains(" db=2 ") && me.contains(" resp=2"), "{me}");
}

#[test]
fn a_password_that_nobody_asked_for_is_a_warning() {
    let redis = Redis::start_with(&["--rename-command", "HELLO", ""]);
    let (_, greeting) = quick(&endpoint(redis.port), login(None, Some("s3cret"))).unwrap();
    let warning = greeting.warning.unwrap();
    assert!(warning.contains("needs none") && !warning.contains("s3cret"), "{warning}");
}

#[test]
fn refusals_keep_the_servers_own_words_and_show_no_password() {
    let redis = Redis::start_with(&["--requirepass", "s3cret", "--maxclients", "1"]);
    let there = endpoint(redis.port);
    let (kind, text) = message(quick(&there, login(None, Some("canary"))));
    assert_eq!(kind, Kind::Auth);
    assert!(text.contains("WRONGPASS") && text.contains(&there.to_string()), "{text}");
    assert!(!text.contains("canary"));

    let (kind, text) = message(quick(&there, Login::default()));
    assert!(kind == Kind::Auth && text.contains("NOAUTH"), "{text}");

    // The server takes a moment to see that the others have gone.
    let guest = || quick(&there, login(None, Some("s3cret"))).ok();
    let _guest = std::iter::repeat_with(guest).flatten().next();
    let (kind, text) = message(quick(&there, login(None, Some("s3cret"))));
    assert!(kind == Kind::Server && text.contains("max number of clients reached"), "{text}");
}

#[test]
fn a_user_who_may_not_ask_for_the_role_asks_for_info() {
    let redis = Redis::start();
    redis.cli(&["ACL", "SETUSER", "app", "on", ">pw", "+@all", "-role"]);
    redis.cli(&["ACL", "SETUSER", "poor", "on", ">pw", "+get"]);
    redis.cli(&["ACL", "SETUSER", "open", "on", "nopass", "+@all"]);
    let there = endpoint(redis.port);
    let (_, greeting) = quick(&there, login(Some("app"), Some("pw"))).unwrap();
    assert_eq!(greeting.role, Role::Primary);
    let (kind, text) = message(quick(&there, login(Some("poor"), Some("pw"))));
    assert!(kind == Kind::Auth && text.contains("NOPERM") && text.contains("INFO"), "{text}");
    quick(&there, login(Some("open"), None)).unwrap();
}

#[test]
fn a_replica_says_so_by_role_and_by_info() {
    let primary = Redis::start();
    let port = primary.port.to_string();
    let replica = Redis::start_with(&["--replicaof", "127.0.0.1", &port]);
    replica.cli(&["ACL", "SETUSER", "app", "on", ">pw", "+@all", "-role"]);
    for who in [Login::default(), login(Some("app"), Some("pw"))] {
        let (_, greeting) = quick(&endpoint(replica.port), who).unwrap();
        let Role::Replica { primary: host, port, .. } = greeting.role else {
            panic!("{greeting:?}")
        };
        assert_eq!((host.as_str(), port), ("127.0.0.1", primary.port));
    }
}

#[test]
fn a_unix_socket_serves_as_well() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("redis.sock");
    let redis = Redis::start_with(&["--unixsocket", &path.to_string_lossy()]);
    let (mut connection, _) = quick(&Endpoint::Unix(path), Login::default()).unwrap();
    assert_eq!(ask(&mut connection, &["PING"]), "+PONG\r\n");
    assert_eq!(redis.cli(&["PING"]), "PONG");
}

/// Whatever is at the other end, the deadline holds and the message says what was wrong.
#[test]
fn what_is_no_server_is_found_out_in_time() {
    let patience = Duration::from_millis(200);
    let wrong = |place: &Endpoint, phrase: &str| {
        let (kind, text) = message(dial(place, None, Login::default(), patience));
        assert!(text.contains(phrase) && text.contains(&place.to_string()), "{text}");
        kind
    };
    assert_eq!(wrong(&endpoint(free_port()), "refused"), Kind::Unavailable);

    let mute = TcpListener::bind("127.0.0.1:0").unwrap();
    let there = endpoint(mute.local_addr().unwrap().port());
    assert_eq!(wrong(&there, "no answer in time"), Kind::Unavailable);

    let web = TcpListener::bind("127.0.0.1:0").unwrap();
    let there = endpoint(web.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in web.incoming() {
            let _ = stream.and_then(|mut s| s.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        }
    });
    assert_eq!(wrong(&there, "is this a Redis server"), Kind::Server);

    let missing = Endpoint::Unix(PathBuf::from("/nowhere/redis.sock"));
    assert_eq!(wrong(&missing, "No such file"), Kind::Unavailable);
    let nowhere = Endpoint::Tcp(Address { host: "no-such-host.invalid".into(), port: 1 });
    assert_eq!(wrong(&nowhere, "no-such-host.invalid"), Kind::Unavailable);
}

struct Authority {
    dir: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("ca.pem"), issuer.pem()).unwrap();
        Self { dir, issuer }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn issue(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (cert, private) =
            (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        std::fs::write(&cert, certificate.pem()).unwrap();
        std::fs::write(&private, key.serialize_pem()).unwrap();
        (cert, private)
    }

    fn server(&self, name: &str, clients: &str) -> (Redis, u16) {
        let (cert, key) = self.issue(name);
        let port = free_port();
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let redis = Redis::start_with(&[
            "--tls-port",
            &port.to_string(),
            "--tls-cert-file",
            &text(&cert),
            "--tls-key-file",
            &text(&key),
            "--tls-ca-cert-file",
            &text(&self.path("ca.pem")),
            "--tls-auth-clients",
            clients,
        ]);
        (redis, port)
    }
}

fn over_tls(port: u16, tls: &Tls) -> Result<(Exclusive<Connection>, Greeting)> {
    dial(&endpoint(port), Some(tls), Login::default(), Duration::from_secs(10))
}

#[test]
fn tls_verifies_the_server_and_says_what_is_missing() {
    let ours = Authority::new();
    let (_redis, port) = ours.server("127.0.0.1", "no");
    let trusting = Tls { ca: Some(ours.path("ca.pem")), ..Tls::default() };
    let (mut connection, greeting) = over_tls(port, &trusting).unwrap();
    assert_eq!(greeting.role, Role::Primary);
    let large = "x".repeat(3 << 20);
    assert!(ask(&mut connection, &["ECHO", &large]).contains(&large));

    let (kind, text) = message(over_tls(port, &Tls::default()));
    assert!(kind == Kind::Auth && text.contains("tls_ca"), "{text}");

    let named = Tls { server_name: Some("redis.example".into()), ..trusting.clone() };
    let (kind, text) = message(over_tls(port, &named));
    assert!(kind == Kind::Auth && text.contains("tls_server_name"), "{text}");

    let absent = Tls { ca: Some("/nowhere/ca.pem".into()), ..Tls::default() };
    let (kind, text) = message(over_tls(port, &absent));
    assert!(kind == Kind::Config && text.contains("/nowhere/ca.pem"), "{text}");

    let plain = Redis::start();
    let (_, text) = message(dial(
        &endpoint(plain.port),
        Some(&trusting),
        Login::default(),
        Duration::from_millis(200),
    ));
    assert!(text.contains("does the server speak TLS"), "{text}");
}

#[test]
fn a_server_may_ask_for_our_certificate() {
    let ours = Authority::new();
    let (_redis, port) = ours.server("redis.example", "yes");
    let (cert, key) = ours.issue("client");
    let tls = Tls {
        ca: Some(ours.path("ca.pem")),
        cert: Some(cert),
        key: Some(key),
        server_name: Some("redis.example".into()),
    };
    let (mut connection, _) = over_tls(port, &tls).unwrap();
    assert_eq!(ask(&mut connection, &["PING"]), "+PONG\r\n");
    over_tls(port, &Tls { cert: None, key: None, ..tls.clone() }).unwrap_err();
    let (kind, text) = message(over_tls(port, &Tls { key: None, ..tls }));
    assert!(kind == Kind::Config && text.contains("tls_key"), "{text}");
}

/// The shared lane over TLS: many threads, sizes that take many records.
#[test]
fn a_shared_lane_speaks_tls() {
    let ours = Authority::new();
    let (_redis, port) = ours.server("127.0.0.1", "no");
    let tls = Tls { ca: Some(ours.path("ca.pem")), ..Tls::default() };
    let (connection, _) = over_tls(port, &tls).unwrap();
    let lane = Lane::new(connection.into_wire(), Limits::default(), 1000);
    std::thread::scope(|scope| {
        for thread in 0..16 {
            let lane = &lane;
            scope.spawn(move || {
                for i in 0..60 {
                    let size = if i % 20 == 0 { 1 << 20 } else { i };
                    let value = format!("{thread}.{i}.{}", "x".repeat(size));
                    let mut bytes = Vec::new();
                    encode::command(&mut bytes, &["ECHO", &value]);
                    let (mut frames, now) = (Vec::new(), Instant::now());
                    let caller = Caller { now, deadline: now + Duration::from_secs(20), host: &() };
                    let span = Span::Command { bytes: bytes.len() };
                    lane.call(
                        Request { bytes: &bytes, span, effect: Effect::Writes },
                        caller,
                        &mut frames,
                    )
                    .unwrap();
                    assert_eq!(frames, format!("${}\r\n{value}\r\n", value.len()).into_bytes());
                }
            });
        }
    });
}

/// What TLS has encrypted cannot be called back, so it counts as sent before the kernel takes it.
#[test]
fn what_tls_has_taken_counts_as_sent() {
    let ours = Authority::new();
    let (redis, port) = ours.server("127.0.0.1", "no");
    let tls = Tls { ca: Some(ours.path("ca.pem")), ..Tls::default() };
    let (connection, _) = over_tls(port, &tls).unwrap();
    let (wire, mut ledger, command) = (connection.into_wire(), Ledger::default(), [b'x'; 8 << 10]);
    let _frozen = redis.freeze();
    let mut taken = 0;
    let error = loop {
        ledger.append(taken, Span::Command { bytes: command.len() });
        match wire.write(&command) {
            Ok(count) => ledger.wrote(count),
            Err(error) => break error,
        }
        taken += 1;
    };
    assert!(error.kind() == std::io::ErrorKind::WouldBlock && wire.lags());
    let fates = ledger.lost().into_iter().map(|lost| lost.fates[0]);
    let expected = std::iter::repeat_n(Fate::Sent, taken).chain([Fate::NotSent]);
    assert!(fates.eq(expected));
}

/// A peer that says goodbye while the connection is idle: found out before anything is sent.
#[test]
fn an_idle_connection_that_was_closed_is_not_written_to() {
    let ours = Authority::new();
    let (redis, port) = ours.server("127.0.0.1", "no");
    let tls = Tls { ca: Some(ours.path("ca.pem")), ..Tls::default() };
    for (place, tls) in [(endpoint(redis.port), None), (endpoint(port), Some(&tls))] {
        let (connection, _) = dial(&place, tls, Login::default(), Duration::from_secs(10)).unwrap();
        let wire = connection.into_wire();
        let lane = Lane::new(wire.clone(), Limits::default(), 1000);
        redis.cli(&["CLIENT", "KILL", "TYPE", "normal"]);
        // Its end has been seen by the kernel once something can be read.
        let patience = Duration::from_secs(10);
        use steadis::lane::wire::Interest;
        assert!(wire.wait(Interest::Read, patience).unwrap().read);
        let mut bytes = Vec::new();
        encode::command(&mut bytes, &["INCR", "n"]);
        let now = Instant::now() + Duration::from_millis(10);
        let caller = Caller { now, deadline: now + patience, host: &() };
        let span = Span::Command { bytes: bytes.len() };
        let failure = lane
            .call(Request { bytes: &bytes, span, effect: Effect::Writes }, caller, &mut Vec::new())
            .unwrap_err();
        assert_eq!(failure.fates, [Fate::NotSent]);
    }
    assert_eq!(redis.cli(&["EXISTS", "n"]), "0");
}

/// Half a handshake's answer, then silence: the deadline holds there too.
#[test]
fn a_handshake_cut_short_is_told_from_a_refusal() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let there = endpoint(listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let _ = stream.read(&mut [0; 512]);
            let _ = stream.write_all(b"%7\r\n$6\r\nser");
        }
    });
    let (kind, text) = message(quick(&there, Login::default()));
    assert!(kind == Kind::Unavailable && text.contains("closed the connection"), "{text}");
}
