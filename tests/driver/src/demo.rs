//! A live view for newcomers: one lab, one writer for each language, three failovers.

use crate::Fault;
use crate::check::{Terms, Verdict, check};
use crate::play::{Played, truth};
use crate::scenario::{Expect, Workload};
use crate::screen::Screen;
use crate::table::{errors, seconds, table};
use crate::worker::Worker;
use crate::workers;
use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;
use steadis_cli::lab::{Condition, Lab, Options, Pattern, Role, now};
use tokio::time::{interval, sleep};

/// How long the lab may take for one of its steps.
const PATIENCE: Duration = Duration::from_secs(40);
/// The longest that a call may take: the client's own defaults.
const LONGEST_CALL: Duration = Duration::from_secs(35);
/// How long each act goes on after it is over, for the eye.
const REST: Duration = Duration::from_secs(1);

/// One language at work.
struct Writer {
    name: &'static str,
    worker: Worker,
}

pub(crate) fn run() -> Result<bool, Fault> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?;
    runtime.block_on(async {
        tokio::select! {
            outcome = demonstrate() => outcome,
            // Workers and servers end with what is dropped here.
            _ = tokio::signal::ctrl_c() => Err("interrupted".into()),
        }
    })
}

async fn demonstrate() -> Result<bool, Fault> {
    let screen = RefCell::new(Screen::new());
    let say = |line: &str| screen.borrow_mut().say(line);
    say(
        "Three failovers under load. Building the writers and starting a primary, two replicas, three Sentinels …",
    );
    let made = workers::ALL.iter().filter(|worker| worker.demonstrated);
    let made: Vec<_> = made
        .map(|worker| worker.make().map(|command| (worker.name, command)))
        .collect::<Result<_, _>>()?;
    let options = Options { down_after: Duration::from_millis(1500), ..Options::default() };
    let lab = Lab::start(options).await.map_err(|error| error.to_string())?;
    let mut events = lab.events().reader();
    let environment = lab.environment();
    let environment: Vec<(String, String)> =
        environment.variables().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let workload = Workload::default();
    let mut writers = Vec::new();
    for (name, command) in made {
        let mut worker = Worker::spawn(&command, &environment).await?;
        worker.send(&workload.order(&format!("{name}:"))).await?;
        writers.push(Writer { name, worker });
    }

    let planned = tokio::select! {
        acts = acts(&lab, &writers, &workload, &say) => acts?,
        () = watch(&writers, &screen) => false,
    };
    screen.borrow_mut().show(&[]);
    let promoted: Vec<u64> = std::iter::from_fn(|| events.take())
        .filter(|event| event.event == "promoted")
        .map(|event| event.at)
        .collect();
    let mut verdicts = Vec::new();
    for Writer { name, worker } in writers {
        let log = Arc::clone(worker.log());
        worker.stop(LONGEST_CALL).await?;
        let operations = std::mem::take(&mut log.lines().operations);
        let truth = truth(&lab, "primary", &operations).await?;
        let promoted = promoted.clone();
        let played = Played { operations, promoted, truth, ..Played::default() };
        verdicts.push((name, check(&played, &terms(&workload, 2))));
    }
    println!("\n{}", table(&rows(&verdicts)));
    let broken: Vec<_> = verdicts.iter().flat_map(|(_, verdict)| &verdict.broken).collect();
    broken.iter().for_each(|fault| println!("broken promise: {fault}"));
    if broken.is_empty() && planned {
        println!("Every promise was kept. docs/scenarios.md tells how this was checked.");
    }
    Ok(broken.is_empty() && planned)
}

/// The three failovers. `false`: the planned one has lost writes.
async fn acts(
    lab: &Lab,
    writers: &[Writer],
    workload: &Workload,
    say: &dyn Fn(&str),
) -> Result<bool, Fault> {
    sleep(REST).await;
    say("\n1. A planned failover: nothing may be lost, and nobody may see an error.");
    let begin = now();
    let old = lab.status().primary;
    lab.failover(None).await.map_err(|error| error.to_string())?;
    act(lab, writers, begin, say).await?;
    let mut planned = true;
    for writer in writers {
        // Before anything crashes, there is no excuse for a loss.
        let operations = writer.worker.log().lines().operations.clone();
        let verdict = check(&Played { operations, ..Played::default() }, &terms(workload, 0));
        for fault in &verdict.broken {
            planned = false;
            say(&format!("broken promise: {}: {fault}", writer.name));
        }
    }
    heal(lab, &old, say).await?;

    say("\n2. The new primary is killed with kill -9.");
    let (begin, old) = (now(), lab.status().primary);
    lab.kill("primary").await.map_err(|error| error.to_string())?;
    act(lab, writers, begin, say).await?;
    lab.restart(&old).await.map_err(|error| error.to_string())?;
    heal(lab, &old, say).await?;

    say("\n3. The next primary is frozen: its sockets stay open, and nothing answers.");
    let (begin, old) = (now(), lab.status().primary);
    lab.freeze("primary").await.map_err(|error| error.to_string())?;
    act(lab, writers, begin, say).await?;
    lab.thaw(&old).map_err(|error| error.to_string())?;
    sleep(REST).await;
    Ok(planned)
}

/// Waits for a promotion, and for writes after it.
async fn act(lab: &Lab, writers: &[Writer], begin: u64, say: &dyn Fn(&str)) -> Result<(), Fault> {
    let promoted = Pattern { event: "promoted".into(), name: None, since: begin };
    let promoted = lab.wait(&Condition::Event(promoted), PATIENCE).await;
    if let Some(event) = promoted.map_err(|error| error.to_string())? {
        let after = Duration::from_nanos(event.at - begin);
        say(&format!("   {} was promoted after {}.", event.name, seconds(after)));
    }
    sleep(REST).await;
    for writer in writers {
        say(&format!("   {}", writer.line()));
    }
    Ok(())
}

/// Waits until the old primary follows the new one, for the next act needs its replicas.
async fn heal(lab: &Lab, old: &str, say: &dyn Fn(&str)) -> Result<(), Fault> {
    say(&format!(
        "   {old} calls itself primary until a Sentinel makes it a replica, in about ten seconds …"
    ));
    let role = Condition::Role { name: old.to_owned(), role: Role::Replica };
    for condition in [role, Condition::InSync, Condition::Agreed] {
        lab.wait(&condition, PATIENCE).await.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Shows how the writers fare, as long as it is not dropped.
async fn watch(writers: &[Writer], screen: &RefCell<Screen>) {
    let mut ticks = interval(Duration::from_millis(100));
    loop {
        ticks.tick().await;
        let mut screen = screen.borrow_mut();
        if screen.is_live() {
            screen.show(&writers.iter().map(Writer::line).collect::<Vec<_>>());
        }
    }
}

impl Writer {
    fn line(&self) -> String {
        let lines = self.worker.log().lines();
        let writes = || lines.operations.iter().filter(|it| it.writes());
        let acknowledged = writes().filter(|it| it.acknowledged()).count();
        let failed = writes().count() - acknowledged;
        let last = writes().rev().find(|it| it.acknowledged()).map_or(now(), |it| it.end);
        let pause = seconds(Duration::from_nanos(now().saturating_sub(last)));
        let name = self.name;
        format!(
            "{name:<8} {acknowledged:>7} acknowledged {failed:>4} errors   no answer for {pause}"
        )
    }
}

/// One crash at most leaves one write in flight without an answer, for each worker.
fn terms(workload: &Workload, crashes: u64) -> Terms {
    let may_fail = (crashes > 0).then(|| ("MaybeExecuted".to_owned(), crashes));
    let may_fail = may_fail.into_iter().collect();
    let expect = Expect { crashes, may_fail, ..Expect::default() };
    let in_flight = workload.in_flight();
    Terms { expect, workers: workload.workers, in_flight, longest_call: LONGEST_CALL }
}

fn rows(verdicts: &[(&str, Verdict)]) -> Vec<Vec<String>> {
    let head = [
        "",
        "acknowledged",
        "lost",
        "executed twice",
        "longest pause",
        "promotion → first write",
        "errors",
    ];
    let row = |(name, verdict): &(&str, Verdict)| {
        vec![
            (*name).to_owned(),
            verdict.acknowledged.to_string(),
            verdict.lost.to_string(),
            verdict.twice.to_string(),
            seconds(verdict.longest_pause),
            verdict.to_first_answer.map_or_else(|| "–".into(), seconds),
            errors(&verdict.errors),
        ]
    };
    [head.map(str::to_owned).to_vec()].into_iter().chain(verdicts.iter().map(row)).collect()
}
