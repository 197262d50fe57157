//! Asks the primary and its replicas how far they are, while somebody reads from replicas.

use super::Shared;
use super::role::Asker;
use super::roll::{Roll, Standing};
use crate::config::{Address, Config};
use crate::error::Result;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::sleep;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_millis(500);
/// How long after the last read the questions end.
const IDLE: Duration = Duration::from_secs(10);

/// What one node answered.
struct Heard {
    node: Address,
    asked: Instant,
    took: Duration,
    answer: Result<Standing>,
}

/// Wakes the tracker at every change of the topology.
struct Bell<'a> {
    shared: &'a Shared,
    rung: Arc<Notify>,
    id: u64,
}

impl<'a> Bell<'a> {
    fn hang(shared: &'a Shared) -> Self {
        let rung = Arc::new(Notify::new());
        let bell = Arc::clone(&rung);
        let id = shared.listeners().add_waker(Arc::new(move || bell.notify_one()));
        Self { shared, rung, id }
    }
}

impl Drop for Bell<'_> {
    fn drop(&mut self) {
        self.shared.listeners().remove(self.id);
    }
}

/// Goes on until nobody has read from a replica for a while.
pub(super) async fn track(config: Arc<Config>, shared: Arc<Shared>) {
    let bell = Bell::hang(&shared);
    let (sender, mut answers) = unbounded_channel::<Heard>();
    let mut roll = Roll::default();
    let mut tasks = JoinSet::new();
    let mut nodes: HashMap<Address, (Arc<Notify>, tokio::task::AbortHandle)> = HashMap::new();
    let mut checked = Instant::now();
    loop {
        let topology = shared.topology();
        roll.follow(&topology, Instant::now());
        let wanted = |node: &Address| {
            topology.replicas.contains(node) || topology.primary.as_ref() == Some(node)
        };
        nodes.retain(|node, (_, task)| {
            let stays = wanted(node);
            if !stays {
                task.abort();
            }
            stays
        });
        for node in topology.primary.iter().chain(&topology.replicas) {
            nodes.entry(node.clone()).or_insert_with(|| {
                let question = Arc::new(Notify::new());
                let task = attend(
                    Arc::clone(&config),
                    node.clone(),
                    Arc::clone(&question),
                    sender.clone(),
                );
                (question, tasks.spawn(task))
            });
        }
        while tasks.try_join_next().is_some() {}
        // The primary first: what a replica has reached by then counts from this moment on.
        let ring = |node: &Address| {
            if let Some((question, _)) = nodes.get(node) {
                question.notify_one();
            }
        };
        topology.primary.iter().for_each(&ring);
        let mut replicas_wait = true;
        let pace = shared.interest.pace();
        let (round, hurry) = (sleep(pace), sleep(pace / 2));
        tokio::pin!(round, hurry);
        loop {
            let ask_replicas = tokio::select! {
                Some(Heard { node, asked, took, answer }) = answers.recv() => {
                    roll.heard(&node, asked, took, answer);
                    shared.publish_readable(roll.readable().clone());
                    topology.primary.as_ref() == Some(&node)
                }
                () = &mut hurry, if replicas_wait => true,
                () = bell.rung.notified() => {
                    let now = shared.topology();
                    if (now.epoch, &now.replicas) != (topology.epoch, &topology.replicas) {
                        break;
                    }
                    false
                }
                () = &mut round => break,
            };
            if ask_replicas && replicas_wait {
                replicas_wait = false;
                topology.replicas.iter().for_each(&ring);
            }
        }
        if checked.elapsed() >= IDLE {
            checked = Instant::now();
            if !shared.interest.goes_on() {
                // What is known now will not be true when somebody reads again.
                shared.publish_readable(super::readable::Readable::default());
                return;
            }
        }
    }
}

/// Asks one node at every ring of the bell, until aborted.
async fn attend(
    config: Arc<Config>,
    node: Address,
    question: Arc<Notify>,
    answers: UnboundedSender<Heard>,
) {
    let tell = |asked: Instant, answer| {
        let heard = Heard { node: node.clone(), asked, took: asked.elapsed(), answer };
        // Nobody listens any more when the tracker ends.
        let _ = answers.send(heard);
    };
    loop {
        question.notified().await;
        let mut asker = match Asker::connect(&config, &node, PATIENCE).await {
            Ok((asker, _)) => asker,
            Err(error) => {
                tell(Instant::now(), Err(error));
                continue;
            }
        };
        loop {
            let asked = Instant::now();
            let answer = asker.standing().await;
            let failed = answer.is_err();
            tell(asked, answer);
            if failed {
                break;
            }
            question.notified().await;
        }
    }
}
