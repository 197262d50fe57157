//! The configuration files of nodes and Sentinels.

use std::net::SocketAddr;
use std::path::Path;

use super::certificates::Certificates;
use super::credentials::Credentials;
use super::options::Options;
use super::place::Place;

/// What all servers of a lab have in common.
#[derive(Debug)]
pub(crate) struct Common {
    pub(crate) options: Options,
    pub(crate) credentials: Credentials,
    pub(crate) certificates: Option<Certificates>,
}

/// A Sentinel's place and the id under which the others know it.
#[derive(Debug)]
pub(crate) struct Watcher<'a> {
    pub(crate) place: &'a Place,
    pub(crate) id: &'a str,
}

impl Common {
    /// The configuration of a node that keeps its files in `home` and follows `primary`.
    pub(crate) fn node(&self, place: &Place, home: &Path, primary: Option<SocketAddr>) -> String {
        let mut lines = self.server(place, home);
        // Nothing is kept on disk, replication starts at once, and DEBUG SLEEP is allowed.
        lines.extend(
            [
                "save \"\"",
                "appendonly no",
                "repl-diskless-sync yes",
                "repl-diskless-sync-delay 0",
                "repl-diskless-load on-empty-db",
                "repl-ping-replica-period 1",
                "enable-debug-command local",
            ]
            .map(String::from),
        );
        if place.inside.is_some() {
            lines.push(format!("replica-announce-ip {}", place.announced().ip()));
            lines.push(format!("replica-announce-port {}", place.announced().port()));
        }
        lines.extend(self.credentials.node_lines());
        lines.extend(
            primary.map(|primary| format!("replicaof {} {}", primary.ip(), primary.port())),
        );
        lines.extend(self.options.node_config.iter().map(|setting| setting.line().to_owned()));
        lines.join("\n") + "\n"
    }

    /// The configuration of a Sentinel that already knows everybody, as if it had run for a while:
    /// finding one another by themselves would take the Sentinels seconds.
    pub(crate) fn sentinel(
        &self,
        this: &Watcher,
        home: &Path,
        nodes: &[Place],
        others: &[Watcher],
    ) -> String {
        let mut lines = self.server(this.place, home);
        let Options { primary_name: name, down_after, failover_timeout, sentinels, .. } =
            &self.options;
        let quorum = sentinels / 2 + 1;
        let address = |place: &Place| {
            let address = place.announced();
            format!("{} {}", address.ip(), address.port())
        };
        lines.extend([
            format!("sentinel myid {}", this.id),
            format!("sentinel monitor {name} {} {quorum}", address(&nodes[0])),
            format!("sentinel down-after-milliseconds {name} {}", down_after.as_millis()),
            format!("sentinel failover-timeout {name} {}", failover_timeout.as_millis()),
        ]);
        if this.place.inside.is_some() {
            let announced = this.place.announced();
            lines.push(format!("sentinel announce-ip {}", announced.ip()));
            lines.push(format!("sentinel announce-port {}", announced.port()));
        }
        lines.extend(self.credentials.sentinel_lines(name));
        lines.extend(
            nodes[1..]
                .iter()
                .map(|node| format!("sentinel known-replica {name} {}", address(node))),
        );
        let others = others.iter().filter(|other| other.id != this.id);
        lines.extend(others.map(|other| {
            format!("sentinel known-sentinel {name} {} {}", address(other.place), other.id)
        }));
        lines.extend(self.options.sentinel_config.iter().map(|setting| setting.line().to_owned()));
        lines.join("\n") + "\n"
    }

    fn server(&self, place: &Place, home: &Path) -> Vec<String> {
        let port = place.port.number();
        let mut lines = vec![
            "bind 127.0.0.1".to_owned(),
            "protected-mode no".to_owned(),
            format!("dir \"{}\"", home.display()),
            format!("unixsocket \"{}\"", home.join("socket").display()),
        ];
        if let Some(inside) = &place.inside {
            lines.push(format!("bind-source-addr {}", inside.ip));
        }
        match &self.certificates {
            None => lines.push(format!("port {port}")),
            Some(Certificates { authority, certificate, key }) => lines.extend([
                "port 0".to_owned(),
                format!("tls-port {port}"),
                format!("tls-ca-cert-file \"{}\"", authority.display()),
                format!("tls-cert-file \"{}\"", certificate.display()),
                format!("tls-key-file \"{}\"", key.display()),
                "tls-auth-clients no".to_owned(),
                "tls-replication yes".to_owned(),
            ]),
        }
        lines
    }
}
