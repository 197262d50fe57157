//! Medians, as a table.

use crate::contender::{Turn, Workload};

pub(crate) fn print(workload: Workload, results: &[(String, Vec<Turn>)]) {
    println!("\n{}", workload.name());
    println!(
        "  {:<28} {:>6} {:>7} {:>9} {:>7} {:>10} {:>9}",
        "", "ratio", "(min", "max)", "by p50", "CPU us/op", "p50 us"
    );
    let (_, base) = &results[0];
    for (name, turns) in results {
        let rounds = || turns.iter().zip(base);
        let mut ratios: Vec<f64> =
            rounds().map(|(turn, base)| turn.per_second / base.per_second).collect();
        ratios.sort_by(f64::total_cmp);
        let (low, high) = (ratios[0], ratios[ratios.len() - 1]);
        println!(
            "  {name:<28} {:>6.2} {:>7.2} {:>9.2} {:>7.2} {:>10.2} {:>9.1}",
            ratios[ratios.len() / 2],
            low,
            high,
            // What other programs take away from a turn is not in it.
            median(rounds().map(|(turn, base)| base.p50_micros / turn.p50_micros)),
            median(turns.iter().map(|turn| turn.cpu_micros)),
            median(turns.iter().map(|turn| turn.p50_micros)),
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
